import 'server-only'
import { z } from 'zod'
import type { User } from '../auth/session'
import { callService } from '../db/sql'
import { AppError } from '../errors'
import { requireUuid } from '../http'
import { log } from '../log'
import { rowsOf } from '../supabase/rows'
import { supabase } from '../supabase/server'
import { PAYMENT_COLUMNS, PaymentRow, referenceOf, toSummary } from './payment-row'
import type { PaymentDetail } from './views'

const MOVEMENT_COLUMNS = 'status, amount_minor, currency, created_at'
const Movement = z.object({
  status: z.string(),
  amount_minor: z.number().int(),
  currency: z.string(),
  created_at: z.string(),
})
const Timeline = z.array(z.object({ at: z.string(), kind: z.string() }))

/**
 * One of the person's own payments with its story.
 * @throws AppError not_found, the same for a payment that does not exist and one that is somebody else's
 */
export async function getPayment({
  user,
  paymentId,
}: {
  user: User
  paymentId: string
}): Promise<PaymentDetail> {
  const id = requireUuid(paymentId)
  const client = await supabase()
  const movements = (table: 'refunds' | 'disputes') =>
    client.from(table).select(MOVEMENT_COLUMNS).eq('payment_id', id).order('created_at')
  const [answer, refunds, disputes, timeline] = await Promise.all([
    client.from('payments').select(PAYMENT_COLUMNS).eq('id', id).limit(1),
    movements('refunds'),
    movements('disputes'),
    callService('payment_timeline', { p_actor: user.id, p_payment_id: id }),
  ])
  const [row] = rowsOf(PaymentRow, answer)
  if (!row) throw new AppError('not_found')
  log.access('payment_read', { paymentId: id })
  return {
    ...toSummary(row),
    reference: referenceOf(id),
    paidAt: row.paid_at,
    failureHint: row.failure_hint,
    timeline: Timeline.parse(timeline),
    refunds: rowsOf(Movement, refunds).map(toMovement),
    // What a bank only asks about is between it and staff.
    disputes: rowsOf(Movement, disputes)
      .filter(({ status }) => !status.startsWith('warning'))
      .map(toMovement),
  }
}

function toMovement({ status, amount_minor, currency, created_at }: z.infer<typeof Movement>) {
  return { status, amountMinor: amount_minor, currency, createdAt: created_at }
}
