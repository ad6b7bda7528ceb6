import 'server-only'
import type { ApiCaller } from '../auth/require-api-key'
import { inWords } from '../db/in-words'
import { callService } from '../db/sql'
import { env } from '../env'
import { sha256 } from '../payments/facts'
import { type ApiOrder, type ApiOrderInput, ORDER_REFUSALS, toApiOrder } from './api-order'

const DEFAULT_DAYS = 14

/**
 * Place an order for a customer, or for an address whose owner takes it once signed in. The same key of the same system always
 * gets the same order.
 * @throws AppError forbidden, idempotency_key_reused, customer_unknown, product_unknown, currencies_differ, amount_too_large
 */
export async function createApiOrder({
  caller,
  key,
  input,
}: {
  caller: ApiCaller
  key: string
  input: ApiOrderInput
}): Promise<ApiOrder> {
  const created = await inWords(
    callService('create_api_order', {
      p_api_key_id: caller.id,
      p_livemode: env().livemode,
      p_customer_id: 'customerId' in input ? input.customerId : null,
      p_email: 'email' in input ? input.email : null,
      p_lines: { json: input.lines },
      p_reference: input.reference ?? null,
      p_days: input.expiresInDays ?? ('email' in input || input.notify ? DEFAULT_DAYS : null),
      p_notify: input.notify ?? false,
      p_key: key,
      p_input_hash: await sha256(JSON.stringify(input)),
    }),
    ORDER_REFUSALS,
  )
  return toApiOrder(created)
}
