import { randomUUID } from 'node:crypto'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { adminSql, callService } from '../support/db'
import { age, codesOf, limitsAsTheyAre, openAll, setLimit } from '../support/limits'
import { newStaff, until } from '../support/paid'
import { newOrder, newUserRow } from '../support/payment-rows'
import { newPerson, type Person } from '../support/people'
import { startPayment } from '../support/requests'
import { startCard } from '../support/saved-cards'
import { stack } from '../support/stack-in-test'
import { eventOf, postEvent } from '../support/stripe-events'
import { stripeSdk } from '../support/stripe-sdk'

const { env, serverUrls } = stack()
const [server] = serverUrls as [string]
const secret = env.STRIPE_WEBHOOK_SECRET ?? ''

let admin: Person
let putBack: () => Promise<void>

beforeAll(async () => {
  putBack = await limitsAsTheyAre()
  admin = await newStaff('admin')
})
afterEach(() => putBack())

const failuresOf = (userId: string) => adminSql()`
  select a.payment_id, a.failure_code as code,
    (select count(*)::int from private.audit_log l where l.subject_id = c.id::text and l.action = 'card.failed_attempt') as audited
  from private.payment_attempts a join public.customers c on c.id = a.customer_id where c.user_id = ${userId}`

/** Tries a card as a browser would, past our server. Answers the status, or the code of the error. */
const tryCard = (setupIntentId: string, card = 'pm_card_visa_chargeDeclined') =>
  stripeSdk()
    .setupIntents.confirm(setupIntentId, { payment_method: card, return_url: stack().appOrigin })
    .then(
      ({ status }) => status as string,
      (error: { code?: string }) => error.code ?? 'error',
    )

const codeOf = async (response: Response) =>
  ((await response.json()) as { error: { code: string } }).error.code

/** Somebody new with a made-up SetupIntent, for refusals that are only told of. */
async function madeUpSetup(network: string | null = null) {
  const userId = await newUserRow()
  const customer = `cus_${randomUUID()}`
  const [mode, id] = [{ p_livemode: false }, `seti_${randomUUID()}`]
  const { customerId } = await callService<{ customerId: string }>('claim_stripe_customer', {
    p_actor: userId,
    ...mode,
  })
  await callService('link_stripe_customer', {
    p_customer_id: customerId,
    ...mode,
    p_stripe_customer_id: customer,
  })
  const consent = { p_key: 'key', p_consent_text: 'I agree.', p_address_hash: network }
  const setup = await callService<{ id: string }>('open_card_setup', { p_actor: userId, ...mode, ...consent })
  await callService('link_card_setup', { p_id: setup.id, p_setup_intent_id: id })
  return { userId, customer, id }
}

function refusalOf({ customer, id }: { customer: string; id: string }, card: string, more = {}) {
  return eventOf('setup_intent.setup_failed', {
    id,
    object: 'setup_intent',
    customer,
    latest_attempt: `setatt_${randomUUID()}`,
    last_setup_error: {
      code: 'card_declined',
      decline_code: 'generic_decline',
      payment_method: { card: { fingerprint: card } },
    },
    ...more,
  })
}

async function tell(event: ReturnType<typeof refusalOf>): Promise<void> {
  expect((await postEvent(server, event, { secret })).status).toBe(200)
}

const mayOpen = async (userId: string, network: string | null = null) =>
  codesOf(await openAll(userId, [await newOrder(userId)], network))[0]

describe('cards that could not be saved', () => {
  it('are failed attempts of their customer: at the limit the SetupIntent ends, and no other begins for a while (F3, F4)', async () => {
    const person = await newPerson()
    const key = randomUUID()
    const { clientSecret } = (await (await startCard(person, { key })).json()) as { clientSecret: string }
    const [setupIntentId = ''] = clientSecret.split('_secret_')
    const statusAtStripe = async () => (await stripeSdk().setupIntents.retrieve(setupIntentId)).status

    for (let n = 0; n < 4; n++) expect(await tryCard(setupIntentId)).toBe('card_declined')
    await until(async () => (await failuresOf(person.id)).length === 4)
    expect(await statusAtStripe()).toBe('requires_payment_method')
    await tryCard(setupIntentId)
    await until(async () => (await statusAtStripe()) === 'canceled')
    const answers = [
      await startCard(person),
      await startCard(person, { key }),
      await startPayment(person, await newOrder(person.id)),
    ]

    expect(await tryCard(setupIntentId, 'pm_card_visa')).toBe('setup_intent_unexpected_state')
    for (const answer of answers) {
      expect(answer.status).toBe(429)
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(3500)
    }
    expect(await Promise.all(answers.map(codeOf))).toEqual([
      'too_many_card_failures',
      'too_many_card_failures',
      'too_many_failures',
    ])
    await age(person.id, 3601)
    expect(await codeOf(await startCard(person, { key }))).toBe('too_many_card_failures')
    expect((await startCard(person)).status).toBe(201)
  })

  it('count once, however often they are told of, and the inbox keeps nothing of the card', async () => {
    const setup = await madeUpSetup()
    const latest_attempt = `setatt_${randomUUID()}`
    const [first, again] = [
      refusalOf(setup, 'a', { latest_attempt }),
      refusalOf(setup, 'a', { latest_attempt }),
    ]

    for (const event of [first, again, first, again]) await tell(event)

    expect(await failuresOf(setup.userId)).toEqual([{ payment_id: null, code: 'card_declined', audited: 1 }])
    const kept = await adminSql()`
      select status, payload from private.webhook_events where event_id in (${first.id}, ${again.id})`
    expect(kept).toEqual([first, again].map(() => ({ status: 'processed', payload: null })))
  })

  it('count per card and per network over all customers, together with payments (F3)', async () => {
    await setLimit(admin, 'failures_card', { value: 3, windowSeconds: 60 })
    await setLimit(admin, 'failures_address', { value: 4, windowSeconds: 60 })
    const [card, network] = [randomUUID(), randomUUID()]
    const [ada, bob] = [await madeUpSetup(network), await madeUpSetup(network)]
    const stranger = await newUserRow()

    for (const setup of [ada, bob, ada]) await tell(refusalOf(setup, card))
    const byCard = [await mayOpen(ada.userId), await mayOpen(bob.userId), await mayOpen(stranger, network)]
    await tell(refusalOf(bob, randomUUID()))
    const byNetwork = [await mayOpen(stranger, network), await mayOpen(stranger)]

    expect([byCard, byNetwork]).toEqual([
      ['PW006', 'PW006', 'opened'],
      ['PW006', 'opened'],
    ])
  })

  it('of a customer whom nobody knows here count for nobody', async () => {
    const event = refusalOf({ customer: 'cus_of_the_dashboard', id: 'seti_of_the_dashboard' }, 'a')

    await tell(event)

    const [row] =
      await adminSql()`select status, payload from private.webhook_events where event_id = ${event.id}`
    expect(row).toEqual({ status: 'processed', payload: null })
  })
})
