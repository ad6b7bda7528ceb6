import { adminSql } from './db'
import { NOTEBOOK, newOrder } from './payment-rows'
import { newPerson, type Person } from './people'
import { startPayment } from './requests'
import { stack } from './stack-in-test'
import { stripeSdk } from './stripe-sdk'

export type Paid = {
  person: Person
  orderId: string
  paymentId: string
  intentId: string
  amountMinor: number
}

/** An order paid with a test card over the whole way: our route, the local Stripe, and its webhooks. */
export async function paid(options: { card?: string; person?: Person } = {}): Promise<Paid> {
  const person = options.person ?? (await newPerson())
  const orderId = await newOrder(person.id)
  const response = await startPayment(person, orderId)
  const { id: paymentId } = (await response.json()) as { id: string }
  const [row] =
    await adminSql()`select stripe_payment_intent_id as id from public.payments where id = ${paymentId}`
  const intentId = String(row?.id)
  await stripeSdk().paymentIntents.confirm(intentId, {
    payment_method: options.card ?? 'pm_card_visa',
    return_url: stack().appOrigin,
  })
  await isSettled(paymentId)
  return { person, orderId, paymentId, intentId, amountMinor: NOTEBOOK.amountMinor }
}

/** Wait for the fees and the settlement, which Stripe tells of last: nothing comes of its own accord after them. */
export async function isSettled(paymentId: string): Promise<void> {
  await until(async () => (await ledgerOf(paymentId)).stripe_clearing_eur === 0)
}

/** Wait for the charge's own event: it brings the card, and may come after the one that says paid. */
export async function knowsItsCard(paymentId: string): Promise<void> {
  await until(async () => {
    const [row] = await adminSql()`select card_last4 from public.payments where id = ${paymentId}`
    return row?.card_last4 != null
  })
}

export async function newStaff(role: 'support' | 'admin' | 'auditor'): Promise<Person> {
  const person = await newPerson()
  await adminSql()`insert into private.staff (user_id, role) values (${person.id}, ${role})`
  return person
}

/** The balance of each ledger account a payment has touched, by account and currency. */
export async function ledgerOf(paymentId: string): Promise<Record<string, number>> {
  const rows = await adminSql()`
    select e.account || '_' || e.currency as name, sum(e.amount_minor)::int as amount
    from private.ledger_entries e join private.ledger_transactions t on t.id = e.transaction_id
    where t.payment_id = ${paymentId} group by 1`
  return Object.fromEntries(rows.map((row) => [String(row.name), Number(row.amount)]))
}

/** Wait for what webhooks make true; also for one that Stripe has had to send four times, the last after half a minute. */
export async function until(holds: () => Promise<boolean>, timeoutMs = 40_000): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it did not become true in time')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
