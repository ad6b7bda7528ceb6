import 'server-only'
import type { ApiCaller } from '../auth/require-api-key'
import { inWords } from '../db/in-words'
import { callService } from '../db/sql'
import { env } from '../env'
import { sha256 } from '../payments/facts'
import { type ApiOrder, type ApiOrderInput, toApiOrder } from './api-order'

/**
 * Place an order for a customer who has an account here. The same key of the same system always gets the same order.
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
      p_key: key,
      p_input_hash: await sha256(JSON.stringify(input)),
    }),
    {
      '23505': 'idempotency_key_reused',
      PW020: 'customer_unknown',
      PW021: 'product_unknown',
      PW022: 'currencies_differ',
      '22003': 'amount_too_large',
    },
  )
  return toApiOrder(created)
}
