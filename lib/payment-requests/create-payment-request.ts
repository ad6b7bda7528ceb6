import 'server-only'
import type { Staff } from '../auth/require-staff'
import { inWords } from '../db/in-words'
import { callService } from '../db/sql'
import { env } from '../env'
import { log } from '../log'
import { ORDER_REFUSALS } from '../orders/api-order'
import { sha256 } from '../payments/facts'
import { type PaymentRequest, type PaymentRequestInput, toPaymentRequest } from './schema'

/**
 * Ask somebody to pay: an order is placed for them, and they get a mail with its link. The same key always gets the same request.
 * @throws AppError forbidden, idempotency_key_reused, customer_unknown, product_unknown, currencies_differ, amount_too_large
 */
export async function createPaymentRequest({
  staff,
  key,
  input,
}: {
  staff: Staff
  key: string
  input: PaymentRequestInput
}): Promise<PaymentRequest> {
  const created = await inWords(
    callService('create_payment_request', {
      p_actor: staff.id,
      p_livemode: env().livemode,
      p_customer_id: 'customerId' in input ? input.customerId : null,
      p_email: 'email' in input ? input.email : null,
      p_lines: { json: input.lines },
      p_days: input.expiresInDays,
      p_reason: input.reason,
      p_key: key,
      p_input_hash: await sha256(JSON.stringify(input)),
    }),
    ORDER_REFUSALS,
  )
  const request = toPaymentRequest(created)
  log.security('staff_action', { action: 'request_payment', orderId: request.id })
  return request
}
