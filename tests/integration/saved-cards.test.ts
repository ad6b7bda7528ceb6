import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { CARD_CONSENT } from '@/lib/payment-methods/consent'
import type { SavedCard } from '@/lib/payment-methods/views'
import { adminSql } from '../support/db'
import { newPerson, type Person } from '../support/people'
import { get, post } from '../support/requests'
import { makeDefault, removeCard, savedCard, startCard, stripeCustomerOf } from '../support/saved-cards'
import { stack } from '../support/stack-in-test'
import { stripeSdk } from '../support/stripe-sdk'

let ada: Person
let bob: Person

beforeAll(async () => {
  ;[ada, bob] = await Promise.all([newPerson(), newPerson()])
})

async function cardsOf(person: Person): Promise<SavedCard[]> {
  const response = await get('/api/payment-methods', person)
  expect(response.status).toBe(200)
  return ((await response.json()) as { cards: SavedCard[] }).cards
}

const setupsOf = (person: Person) => adminSql()`
  select s.id, s.consent_text as text, s.stripe_setup_intent_id as intent, now() - s.consented_at < interval '1 minute' as recent,
    (select count(*)::int from private.audit_log a where a.subject_id = s.id::text and a.action = 'card.consented') as audited
  from private.card_setups s join public.customers c on c.id = s.customer_id where c.user_id = ${person.id}`

describe('saving a card', () => {
  it('keeps the words the person agreed to, with the time, before Stripe is asked; one SetupIntent for one key', async () => {
    const person = await newPerson()
    const key = randomUUID()

    const answers = await Promise.all(
      stack().serverUrls.flatMap((server) => [
        startCard(person, { key, server }),
        startCard(person, { key, server }),
      ]),
    )
    const bodies = await Promise.all(answers.map((answer) => answer.json()))
    const setups = await setupsOf(person)
    const { data } = await stripeSdk().setupIntents.list({ customer: await stripeCustomerOf(person) })

    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201])
    expect(new Set(bodies.map(({ clientSecret }) => clientSecret)).size).toBe(1)
    expect(setups).toEqual([
      { id: bodies[0].id, text: CARD_CONSENT.text, intent: data[0]?.id, recent: true, audited: 1 },
    ])
    expect(data).toHaveLength(1)
    expect(data[0]).toMatchObject({ usage: 'off_session', metadata: { card_setup_id: bodies[0].id } })
  })

  it('without consent, or with consent to other words, asks nobody for anything', async () => {
    const person = await newPerson()

    for (const body of [
      {},
      { consent: true },
      { consent: '2020-01-01' },
      { consent: CARD_CONSENT.version, more: 1 },
    ]) {
      const response = await post('/api/payment-methods', person, body)
      expect(response.status, JSON.stringify(body)).toBe(400)
    }

    expect(await setupsOf(person)).toEqual([])
    expect(await stripeCustomerOf(person)).toBeNull()
  })

  it('is tried ten times an hour and no more, a repeated key not counted', async () => {
    const person = await newPerson()
    const key = randomUUID()
    const statuses: number[] = []

    for (let n = 0; n < 10; n++) statuses.push((await startCard(person, n === 0 ? { key } : {})).status)
    const [again, eleventh] = [await startCard(person, { key }), await startCard(person)]

    expect(statuses.every((status) => status === 201)).toBe(true)
    expect(again.status).toBe(201)
    expect(eleventh.status).toBe(429)
  })
})

describe('saved cards', () => {
  it('are listed as Stripe has them: brand, digits, expiry, which is the default, which end soon', async () => {
    const now = new Date()
    // Sixty days are soon. The end of next month can be further away; the end of the month of that day is 20 to 51 away.
    const inTwentyDays = new Date(now.getTime() + 20 * 86_400_000)
    const soon = await savedCard(ada, 'pm_card_mastercard', {
      exp_month: inTwentyDays.getUTCMonth() + 1,
      exp_year: inTwentyDays.getUTCFullYear(),
    })
    const visa = await savedCard(ada)
    const over = await savedCard(ada, 'pm_card_amex', { exp_month: 1, exp_year: now.getUTCFullYear() - 1 })

    const made = await makeDefault(ada, visa)
    const cards = await cardsOf(ada)

    expect(made.status).toBe(200)
    expect(cards).toHaveLength(3)
    const byId = new Map(cards.map((card) => [card.id, card]))
    expect(byId.get(visa)).toEqual({
      id: visa,
      brand: 'visa',
      last4: '4242',
      expMonth: 7,
      expYear: 2041,
      expiry: 'valid',
      isDefault: true,
    })
    expect(byId.get(soon)).toMatchObject({ brand: 'mastercard', expiry: 'soon', isDefault: false })
    expect(byId.get(over)).toMatchObject({ brand: 'amex', expiry: 'expired', isDefault: false })
    expect(await cardsOf(bob)).toEqual([])
  })

  it('a removed card is gone at Stripe and from the list, and says so in the audit log, as does a new default', async () => {
    const person = await newPerson()
    const [first, second] = [await savedCard(person), await savedCard(person, 'pm_card_mastercard')]

    await makeDefault(person, second)
    const removed = await removeCard(person, first)
    const again = await removeCard(person, first)

    const audited = await adminSql()`select a.action, a.subject_id as id from private.audit_log a
      where a.actor_id = ${person.id} and a.subject_type = 'payment_method' order by a.id`
    expect([removed.status, again.status]).toEqual([200, 404])
    expect((await cardsOf(person)).map(({ id, isDefault }) => [id, isDefault])).toEqual([[second, true]])
    expect((await stripeSdk().paymentMethods.retrieve(first)).customer).toBeNull()
    expect(audited).toEqual([
      { action: 'card.made_default', id: second },
      { action: 'card.removed', id: first },
    ])
  })

  it("somebody else's card is a 404 like one that does not exist, and stays what it was [Z2]", async () => {
    const hers = await savedCard(ada, 'pm_card_discover')
    const unattached = await stripeSdk().paymentMethods.create({ type: 'card', card: { token: 'tok_visa' } })
    await savedCard(bob)
    const before = await cardsOf(ada)
    const bodyOf = async (response: Response) => {
      const { error } = (await response.json()) as { error: { requestId: string } }
      return { status: response.status, ...error, requestId: '' }
    }
    const unknown = await bodyOf(await removeCard(bob, 'pm_unknown'))

    expect(unknown.status).toBe(404)
    for (const id of [
      hers,
      unattached.id,
      'cus_x',
      `${hers}%2Fdetach`,
      '..%2F..%2Fcustomers',
      randomUUID(),
    ]) {
      expect(await bodyOf(await removeCard(bob, id)), id).toEqual(unknown)
      expect(await bodyOf(await makeDefault(bob, id)), id).toEqual(unknown)
    }
    expect(await cardsOf(ada)).toEqual(before)
  })

  it('are offered in the checkout to their owner alone: the session at Stripe is for that customer', async () => {
    const person = await newPerson()
    const without = await (await post('/api/payment-methods/sessions', person, '')).json()
    await savedCard(person)

    const { clientSecret } = await (await post('/api/payment-methods/sessions', person, '')).json()

    expect(without).toEqual({ clientSecret: null })
    expect(clientSecret).toMatch(/^cuss_secret_/)
  })

  it('of a customer that was deleted at Stripe are none, and the next card makes a new one', async () => {
    const person = await newPerson()
    await savedCard(person)
    await stripeSdk().customers.del(await stripeCustomerOf(person))

    expect(await cardsOf(person)).toEqual([])
    expect((await startCard(person)).status).toBe(503)
    const card = await savedCard(person)
    expect((await cardsOf(person)).map(({ id }) => id)).toEqual([card])
  })
})
