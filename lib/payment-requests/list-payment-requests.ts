import 'server-only'
import { z } from 'zod'
import type { Staff } from '../auth/require-staff'
import { inWords } from '../db/in-words'
import { callService } from '../db/sql'
import { env } from '../env'
import { type PaymentRequest, toPaymentRequest } from './schema'

const PAGE = 50

/**
 * Requests, newest first, a page at a time.
 * @param before the id of the last one on the page before
 * @throws AppError forbidden
 */
export async function listPaymentRequests({
  staff,
  before,
}: {
  staff: Staff
  before: string | null
}): Promise<{
  paymentRequests: PaymentRequest[]
  nextBefore: string | null
}> {
  const rows = await inWords(
    callService('payment_requests', {
      p_actor: staff.id,
      p_livemode: env().livemode,
      p_before: before,
      p_limit: PAGE + 1,
    }),
  )
  const paymentRequests = z.array(z.unknown()).parse(rows).slice(0, PAGE).map(toPaymentRequest)
  const hasMore = z.array(z.unknown()).parse(rows).length > PAGE
  return { paymentRequests, nextBefore: hasMore ? (paymentRequests.at(-1)?.id ?? null) : null }
}
