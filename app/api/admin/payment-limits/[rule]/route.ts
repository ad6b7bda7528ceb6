import { requireRecentStaff } from '@/lib/auth/require-staff'
import { AppError } from '@/lib/errors'
import { json, readJson, route } from '@/lib/http'
import { LimitInput, LimitRule } from '@/lib/limits/schema'
import { setLimit } from '@/lib/limits/set-limit'

/** Set a limit, for all currencies or for one. */
export const PUT = route(async (request, { params }: { params: Promise<{ rule: string }> }) => {
  const staff = await requireRecentStaff('admin')
  const rule = LimitRule.safeParse((await params).rule)
  if (!rule.success) throw new AppError('not_found')
  const input = await readJson(request, LimitInput)

  return json({ limit: await setLimit({ staff, rule: rule.data, input }) })
})
