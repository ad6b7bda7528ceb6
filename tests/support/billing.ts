import { adminSql, callService } from './db'
import { until } from './paid'
import { stripeSdk } from './stripe-sdk'

/** The plans of the seed. */
export const PLANS = {
  basic: '7a0e8f10-0000-4000-8000-000000000101',
  premium: '7a0e8f10-0000-4000-8000-000000000102',
  exclusive: '7a0e8f10-0000-4000-8000-000000000103',
  elite: '7a0e8f10-0000-4000-8000-000000000104',
} as const

type PlanRow = { id: string; name: string; amountMinor: number; currency: string; price: string | null }

/** What stands for a plan at Stripe; made there if nobody has subscribed yet. */
export async function priceOf(planId: string): Promise<string> {
  const plans = await callService<PlanRow[]>('list_plans', { p_livemode: false })
  const plan = plans.find(({ id }) => id === planId)
  if (!plan) throw new Error('there is no such plan')
  if (plan.price) return plan.price
  const product = await stripeSdk().products.create({ name: plan.name })
  const made = await stripeSdk().prices.create({
    product: product.id,
    currency: plan.currency,
    unit_amount: plan.amountMinor,
    recurring: { interval: 'month' },
  })
  return await callService<string>('register_price', {
    p_livemode: false,
    p_plan_id: planId,
    p_price_id: made.id,
    p_product_id: product.id,
    p_amount_minor: plan.amountMinor,
    p_currency: plan.currency,
    p_interval: 'month',
  })
}

/** A person whose customer at Stripe lives on a clock of its own, with a card that is charged by itself. */
export async function onTestClock(
  person: { id: string },
  card?: string,
): Promise<{ customer: string; clock: string }> {
  const clock = await stripeSdk().testHelpers.testClocks.create({
    frozen_time: Math.floor(Date.now() / 1000),
  })
  const customer = await stripeSdk().customers.create({
    test_clock: clock.id,
    ...(card && { payment_method: card, invoice_settings: { default_payment_method: card } }),
  })
  const { customerId } = await callService<{ customerId: string }>('claim_stripe_customer', {
    p_actor: person.id,
    p_livemode: false,
  })
  await callService('link_stripe_customer', {
    p_customer_id: customerId,
    p_livemode: false,
    p_stripe_customer_id: customer.id,
  })
  return { customer: customer.id, clock: clock.id }
}

export async function subscriptionRow(
  stripeId: string,
): Promise<{ id: string; status: string; customer_id: string | null } | null> {
  const [row] = await adminSql()`select id, status, customer_id from public.subscriptions
    where stripe_subscription_id = ${stripeId}`
  return row ? { id: String(row.id), status: String(row.status), customer_id: row.customer_id } : null
}

/** An open invoice of a subscription that waits for its first payment; its id with us. */
export async function owingInvoice(person: { id: string }): Promise<string> {
  const [known] = await adminSql()`select s.stripe_customer_id as id from private.stripe_customers s
    join public.customers c on c.id = s.customer_id where c.user_id = ${person.id} and s.stripe_customer_id is not null`
  const customer = known ? String(known.id) : (await onTestClock(person)).customer
  const { latest_invoice } = await stripeSdk().subscriptions.create({
    customer,
    payment_behavior: 'default_incomplete',
    items: [{ price: await priceOf(PLANS.basic) }],
  })
  const invoice = typeof latest_invoice === 'string' ? latest_invoice : latest_invoice?.id
  const find = async () =>
    (
      await adminSql()`select id from public.invoices where stripe_invoice_id = ${invoice ?? ''} and status = 'open'`
    )[0]
  await until(async () => (await find()) !== undefined)
  return String((await find())?.id)
}
