import type Stripe from 'stripe'
import type { ContractChecker } from '../../../../sandbox/stripe/contract/checker.ts'
import type { ObservedResponse } from '../../../../sandbox/stripe/observer.ts'
import { eventually, localStripe } from './local-stripe.ts'

type Fields = Record<string, unknown>

/** Something the local Stripe said, and the way to hold a changed version of it against the contract. */
export type Observed = { body: Fields; check: (checker: ContractChecker, body: Fields) => string[] }

let once: Promise<Observed[]> | null = null

/** One true answer for each kind of object, and one event. */
export function observed(): Promise<Observed[]> {
  once ??= observe()
  return once
}

async function observe(): Promise<Observed[]> {
  const answers = new Map<string, Observed>()
  const { stripe } = await localStripe({
    settleDelayMs: 0,
    aftermathDelayMs: 0,
    observer: {
      response: (answer) => keep(answers, answer),
      event: () => {},
    },
  })
  await callEverything(stripe)
  return [...answers.values()]
}

function keep(answers: Map<string, Observed>, answer: ObservedResponse): void {
  const body = JSON.parse(answer.body) as Fields
  if (answer.status !== 200) return
  answers.set(String(body.object), {
    body,
    check: (checker, changed) => checker.problemsOfResponse({ ...answer, body: JSON.stringify(changed) }),
  })
}

async function callEverything(stripe: Stripe): Promise<void> {
  await stripe.webhookEndpoints.create({
    url: 'http://127.0.0.1:9/none',
    enabled_events: ['charge.refunded'],
  })
  const customer = await stripe.customers.create({ email: 'ada@example.com' })
  const intent = await stripe.paymentIntents.create({
    amount: 1000,
    currency: 'usd',
    customer: customer.id,
    payment_method: 'pm_card_visa',
    confirm: true,
    return_url: 'http://localhost:3000/',
  })
  await stripe.paymentMethods.retrieve(String(intent.payment_method))
  const charge = await eventually('the balance transaction', async () => {
    const found = await stripe.charges.retrieve(String(intent.latest_charge))
    return found.balance_transaction ? found : null
  })
  await stripe.balanceTransactions.retrieve(String(charge.balance_transaction))
  await stripe.refunds.create({ payment_intent: intent.id, amount: 100 })
  await consequences(stripe)
  await stripe.setupIntents.create({ customer: customer.id, payment_method: 'pm_card_visa', confirm: true })
  await stripe.testHelpers.confirmationTokens.create({ payment_method: 'pm_card_visa' })
  await stripe.customerSessions.create({
    customer: customer.id,
    components: { payment_element: { enabled: true } },
  })
  const { data } = await stripe.events.list()
  await stripe.events.retrieve(data[0]?.id ?? '')
  await stripe.customers.list()
  await stripe.paymentIntents.retrieve(intent.id)
}

/** What some test cards bring about by themselves. */
async function consequences(stripe: Stripe): Promise<void> {
  for (const payment_method of ['pm_card_createDispute', 'pm_card_createIssuerFraudRecord']) {
    await stripe.paymentIntents.create({
      amount: 1000,
      currency: 'usd',
      payment_method,
      confirm: true,
      return_url: 'http://localhost:3000/',
    })
  }
  const first = async (list: Promise<Stripe.ApiList<{ id: string }>>) => (await list).data[0]?.id
  const dispute = await eventually('the dispute', () => first(stripe.disputes.list()))
  await stripe.disputes.retrieve(dispute)
  const warning = await eventually('the warning', () => first(stripe.radar.earlyFraudWarnings.list()))
  await stripe.radar.earlyFraudWarnings.retrieve(warning)
}
