import type Stripe from 'stripe'
import { eventually } from './local-stripe.ts'

export type Subscriber = { customer: Stripe.Customer; product: Stripe.Product; price: Stripe.Price }

/** Somebody and something that costs $10.00 a month, ready to be brought together. */
export async function aSubscriber(
  stripe: Stripe,
  { card, clock }: { card?: string; clock?: string } = {},
): Promise<Subscriber> {
  const customer = await stripe.customers.create({
    email: 'ada@example.com',
    ...(clock ? { test_clock: clock } : {}),
    ...(card ? { payment_method: card, invoice_settings: { default_payment_method: card } } : {}),
  })
  const product = await stripe.products.create({ name: 'Premium' })
  const price = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: 1000,
    recurring: { interval: 'month' },
  })
  return { customer, product, price }
}

/** Move a test clock on, and wait until all of it has happened. */
export async function advanceClock(stripe: Stripe, id: string, seconds: number): Promise<number> {
  const { frozen_time } = await stripe.testHelpers.testClocks.retrieve(id)
  const target = frozen_time + seconds
  await stripe.testHelpers.testClocks.advance(id, { frozen_time: target })
  await eventually('the test clock is ready', async () => {
    const { status } = await stripe.testHelpers.testClocks.retrieve(id)
    if (status === 'internal_failure') throw new Error('the test clock failed')
    return status === 'ready'
  })
  return target
}

/** What happened since this was called, oldest first; settling of charges and invoice payments is left out. */
export async function typesSince(stripe: Stripe): Promise<() => Promise<string[]>> {
  const [last] = (await stripe.events.list({ limit: 1 })).data
  return async () => {
    const { data } = await stripe.events.list({
      limit: 100,
      ...(last ? { ending_before: last.id } : {}),
    })
    return data
      .map(({ type }) => type as string)
      .filter((type) => type !== 'charge.updated' && type !== 'invoice_payment.paid')
      .reverse()
  }
}

export function periodOf(subscription: Stripe.Subscription): { start: number; end: number } {
  const [item] = subscription.items.data
  if (!item) throw new Error('a subscription has an item')
  return { start: item.current_period_start, end: item.current_period_end }
}
