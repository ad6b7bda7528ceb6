import { requireRecentStaff } from '@/lib/auth/require-staff'
import { AppError } from '@/lib/errors'
import { json, readJson, route } from '@/lib/http'
import { SwitchInput, SwitchName } from '@/lib/switches/schema'
import { setSwitch } from '@/lib/switches/set-switch'

/** Stop payments, refunds or sign-ups, or let them go on. */
export const PUT = route(async (request, { params }: { params: Promise<{ name: string }> }) => {
  const staff = await requireRecentStaff('admin')
  const name = SwitchName.safeParse((await params).name)
  if (!name.success) throw new AppError('not_found')
  const input = await readJson(request, SwitchInput)

  return json({ switches: await setSwitch({ staff, name: name.data, input }) })
})
