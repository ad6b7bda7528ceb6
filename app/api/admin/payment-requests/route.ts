import { requireRecentStaff, requireStaff } from '@/lib/auth/require-staff'
import { json, readJson, requireIdempotencyKey, requireUuid, route } from '@/lib/http'
import { createPaymentRequest } from '@/lib/payment-requests/create-payment-request'
import { listPaymentRequests } from '@/lib/payment-requests/list-payment-requests'
import { PaymentRequestInput } from '@/lib/payment-requests/schema'

/** What we asked people to pay, newest first; `?before=` the last one of the page before. */
export const GET = route(async (request) => {
  const staff = await requireStaff('support', 'admin', 'auditor')
  const before = new URL(request.url).searchParams.get('before')

  return json(await listPaymentRequests({ staff, before: before && requireUuid(before) }))
})

/** Ask somebody to pay. The same Idempotency-Key always gets the same request. */
export const POST = route(async (request) => {
  const staff = await requireRecentStaff('support', 'admin')
  const key = requireIdempotencyKey(request)
  const input = await readJson(request, PaymentRequestInput)

  return json({ paymentRequest: await createPaymentRequest({ staff, key, input }) }, 201)
})
