import { requireUser } from '@/lib/auth/session'
import { csv, json, readQuery, route } from '@/lib/http'
import { exportPayments } from '@/lib/payments/export-payments'
import { listPayments } from '@/lib/payments/list-payments'
import { HistoryInput } from '@/lib/payments/schema'

/**
 * The signed-in person's payments, newest first. `?status=`, `?from=`, `?to=` and `?q=` narrow them; `?limit=` up to 100 and
 * `?cursor=` turn the pages; `?format=csv` answers with all of them as a file.
 */
export const GET = route(async (request) => {
  const user = await requireUser()
  const { format, cursor, limit, ...filter } = readQuery(request, HistoryInput)

  if (format === 'csv') return csv(await exportPayments({ user, filter }), 'payments.csv')
  return json(await listPayments({ user, filter, cursor, limit }))
})
