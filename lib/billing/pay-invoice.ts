import 'server-only'
import { z } from 'zod'
import type { User } from '../auth/session'
import { inWords } from '../db/in-words'
import { callService } from '../db/sql'
import { env } from '../env'
import { AppError } from '../errors'
import { requireUuid } from '../http'
import type { PaymentStatus } from '../payments/status'
import { syncObject, syncPaymentIntent } from '../payments/sync-object'
import { isStripeOutage, retryAfterSeconds } from '../stripe/server'

const MyInvoice = z.object({
  id: z.uuid(),
  stripeId: z.string(),
  status: z.string(),
  version: z.number().int(),
  amountMinor: z.number().int(),
  currency: z.string(),
  needsAction: z.boolean(),
  plan: z.string(),
  graceEndsAt: z.string().nullable(),
  intentId: z.string().nullable(),
  paymentId: z.uuid().nullable(),
})
export type MyInvoice = z.infer<typeof MyInvoice>

/** An invoice of the person's own. @throws AppError not_found, the same for one of somebody else */
export async function getInvoice({ user, invoiceId }: { user: User; invoiceId: string }): Promise<MyInvoice> {
  const args = { p_actor: user.id, p_livemode: env().livemode, p_invoice_id: requireUuid(invoiceId) }
  return MyInvoice.parse(await inWords(callService('my_invoice', args)))
}

export type InvoicePayment = {
  id: string
  status: PaymentStatus
  amountMinor: number
  currency: string
  /** For Stripe's fields or the bank's question. Handed to the payer and never kept. */
  clientSecret: string
}

/**
 * What the person needs to pay an invoice of theirs themselves, or to answer their bank: the payment that Stripe opened for it.
 * @throws AppError not_found, order_settled when nothing is owed any more, provider_unavailable
 */
export async function payInvoice(input: { user: User; invoiceId: string }): Promise<InvoicePayment> {
  const before = await getInvoice(input)
  try {
    await syncObject({
      kind: 'invoice',
      id: before.stripeId,
      expectedVersion: before.version,
      source: 'sync',
    })
    const { status, intentId } = await getInvoice(input)
    if (status !== 'open' || !intentId) throw new AppError('order_settled')
    const intent = await syncPaymentIntent({ id: intentId, expectedVersion: 0, source: 'sync' })
    const { paymentId, amountMinor, currency } = await getInvoice(input)
    if (!paymentId || !intent.client_secret) throw new AppError('provider_unavailable')
    const payment = { id: paymentId, amountMinor, currency, clientSecret: intent.client_secret }
    return { ...payment, status: intent.status as PaymentStatus }
  } catch (error) {
    if (!isStripeOutage(error)) throw error
    throw new AppError('provider_unavailable', { cause: error, retryAfterSeconds: retryAfterSeconds(error) })
  }
}
