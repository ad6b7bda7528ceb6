import { requireUser } from '@/lib/auth/session'
import { json, readQuery, route } from '@/lib/http'
import { listPayments } from '@/lib/payments/list-payments'
import { HistoryInput } from '@/lib/payments/schema'

/** The signed-in person's payments, newest first: `?limit=` up to 100, `?cursor=` from the page before. */
export const GET = route(async (request) => {
  const user = await requireUser()
  const input = readQuery(request, HistoryInput)

  return json(await listPayments({ user, ...input }))
})
