import { requireUser } from '@/lib/auth/session'
import { AppError } from '@/lib/errors'
import { json, route } from '@/lib/http'
import { listPayments } from '@/lib/payments/list-payments'
import { HistoryInput } from '@/lib/payments/schema'

/** The signed-in person's payments, newest first: `?limit=` up to 100, `?cursor=` from the page before. */
export const GET = route(async (request) => {
  const user = await requireUser()
  const input = HistoryInput.safeParse(Object.fromEntries(new URL(request.url).searchParams))
  if (!input.success) throw new AppError('bad_request')

  return json(await listPayments({ user, ...input.data }))
})
