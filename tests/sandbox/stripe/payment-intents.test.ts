import type Stripe from 'stripe'
import { describe, expect, it } from 'vitest'
import { completeChallenge, findChallenge } from '../../../sandbox/stripe/payments/challenge.ts'
import {
  asSecret,
  errorOf,
  eventTypesOf,
  eventually,
  localStripe,
  PUBLISHABLE_KEY,
  send,
  sendAsBrowser,
  typedCard,
} from './support/local-stripe.ts'

const { url, stripe, store } = await localStripe({ settleDelayMs: 30 })

const payment = { amount: 2500, currency: 'usd' } as const
const CHALLENGED = 'pm_card_threeDSecure2Required'

const create = (params: Partial<Stripe.PaymentIntentCreateParams> = {}) =>
  stripe.paymentIntents.create({ ...payment, ...params })
const pay = (payment_method: string, params: Partial<Stripe.PaymentIntentCreateParams> = {}) =>
  create({ payment_method, confirm: true, ...params })
const challenge = (params: Partial<Stripe.PaymentIntentCreateParams> = {}) =>
  pay(CHALLENGED, { use_stripe_sdk: true, ...params })

function tokenOf({ next_action }: Stripe.PaymentIntent): string {
  const inPage = next_action?.use_stripe_sdk as { source?: string } | undefined
  return inPage?.source ?? next_action?.redirect_to_url?.url?.split('/3ds/')[1] ?? ''
}

describe('the states of a PaymentIntent', () => {
  it('stripe.P1 created without a payment method it waits for one', async () => {
    expect(await create()).toMatchObject({
      status: 'requires_payment_method',
      amount_received: 0,
      capture_method: 'automatic_async',
      payment_method: null,
    })
  })

  it('stripe.P2 created with a payment method it waits for confirmation', async () => {
    const intent = await create({ payment_method: 'pm_card_visa' })

    expect(intent.status).toBe('requires_confirmation')
    expect((await stripe.charges.list({ payment_intent: intent.id })).data).toEqual([])
  })

  it.each(['requires_payment_method', 'requires_confirmation'])(
    'stripe.P3 confirmed from %s it succeeds without processing',
    async (status) => {
      const payment_method = 'pm_card_visa'
      const intent = await create(status === 'requires_confirmation' ? { payment_method } : {})

      const paid = await stripe.paymentIntents.confirm(
        intent.id,
        status === 'requires_confirmation' ? {} : { payment_method },
      )

      expect(intent.status).toBe(status)
      expect(paid).toMatchObject({ status: 'succeeded', amount_received: 2500, last_payment_error: null })
    },
  )

  it('stripe.P4 a challenge makes it wait for the customer, without a charge', async () => {
    const intent = await challenge()

    expect(intent).toMatchObject({ status: 'requires_action', latest_charge: null })
    expect(intent.next_action).not.toBeNull()
  })

  it('stripe.P5 a decline puts it back, with the error in the answer and in the object', async () => {
    const { id } = await create()

    const error = await errorOf(
      stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_visa_chargeDeclined' }),
    )

    expect(error.statusCode).toBe(402)
    expect(error.payment_intent).toMatchObject({
      id,
      status: 'requires_payment_method',
      payment_method: null,
    })
    expect(await stripe.paymentIntents.retrieve(id)).toMatchObject({
      status: 'requires_payment_method',
      last_payment_error: {
        type: 'card_error',
        code: 'card_declined',
        charge: error.charge,
        payment_method: { object: 'payment_method' },
      },
    })
  })

  it('stripe.P5 after a decline another card pays on the same PaymentIntent', async () => {
    const { id } = await create()
    await errorOf(stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_visa_chargeDeclined' }))

    const paid = await stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_visa' })

    expect(paid).toMatchObject({ status: 'succeeded', last_payment_error: null })
    const { data } = await stripe.charges.list({ payment_intent: id })
    expect(data.map(({ status }) => status)).toEqual(['succeeded', 'failed'])
  })

  it('stripe.P6 a passed challenge pays', async () => {
    const waiting = await challenge()

    const done = completeChallenge(store, tokenOf(waiting), 'pass')

    expect(done).toMatchObject({ status: 'succeeded', redirectTo: null, challenge: { state: 'passed' } })
    expect(await stripe.paymentIntents.retrieve(waiting.id)).toMatchObject({
      status: 'succeeded',
      next_action: null,
    })
  })

  it('stripe.P7 a failed challenge puts it back without a charge, and it can be tried again', async () => {
    const waiting = await challenge()

    completeChallenge(store, tokenOf(waiting), 'fail')

    const failed = await stripe.paymentIntents.retrieve(waiting.id)
    expect(failed).toMatchObject({
      status: 'requires_payment_method',
      next_action: null,
      latest_charge: null,
      last_payment_error: {
        code: 'payment_intent_authentication_failure',
        type: 'invalid_request_error',
      },
    })
    const paid = await stripe.paymentIntents.confirm(waiting.id, { payment_method: 'pm_card_visa' })
    expect(paid.status).toBe('succeeded')
  })

  it('stripe.P10 it can be cancelled until it is paid', async () => {
    const intents = [await create(), await create({ payment_method: 'pm_card_visa' }), await challenge()]

    for (const { id } of intents) {
      const canceled = await stripe.paymentIntents.cancel(id, { cancellation_reason: 'abandoned' })

      expect(canceled).toMatchObject({
        status: 'canceled',
        cancellation_reason: 'abandoned',
        next_action: null,
      })
      expect(canceled.canceled_at).toBeGreaterThan(0)
    }
  })

  it.each(['succeeded', 'canceled'])(
    'stripe.P11 once %s it can be neither confirmed nor cancelled',
    async (status) => {
      const intent = status === 'succeeded' ? await pay('pm_card_visa') : await create()
      if (status === 'canceled') await stripe.paymentIntents.cancel(intent.id)

      const confirming = await errorOf(
        stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' }),
      )
      const cancelling = await errorOf(stripe.paymentIntents.cancel(intent.id))

      for (const error of [confirming, cancelling]) {
        expect(error).toMatchObject({ statusCode: 400, code: 'payment_intent_unexpected_state' })
        expect(error.payment_intent).toMatchObject({ id: intent.id, status })
      }
      expect((await stripe.charges.list({ payment_intent: intent.id })).data).toHaveLength(
        status === 'succeeded' ? 1 : 0,
      )
    },
  )

  it('stripe.P11 two confirmations at once charge once', async () => {
    const { id } = await create({ payment_method: 'pm_card_visa' })

    const outcomes = await Promise.allSettled([1, 2].map(() => stripe.paymentIntents.confirm(id)))

    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect((await stripe.charges.list({ payment_intent: id })).data).toHaveLength(1)
  })

  it('an intent without a payment method cannot be confirmed', async () => {
    const error = await errorOf(stripe.paymentIntents.confirm((await create()).id))

    expect(error).toMatchObject({ code: 'payment_intent_unexpected_state' })
    expect(error.message).toContain('missing a payment method')
  })

  it('stripe.P14 a card that needs the customer fails with authentication_required without them', async () => {
    const error = await errorOf(pay(CHALLENGED, { off_session: true }))

    expect(error).toMatchObject({
      statusCode: 402,
      code: 'authentication_required',
      decline_code: 'authentication_required',
    })
    expect(error.payment_intent).toMatchObject({ status: 'requires_payment_method' })
  })

  it('stripe.P15 error_on_requires_action fails instead of asking', async () => {
    const error = await errorOf(pay(CHALLENGED, { error_on_requires_action: true }))

    expect(error.statusCode).toBe(402)
    expect(error.payment_intent).toMatchObject({ status: 'requires_payment_method', next_action: null })
  })
})

describe('the next action', () => {
  it('stripe.P16 Stripe.js gets a challenge for its own page', async () => {
    const { next_action } = await challenge()

    expect(next_action).toEqual({
      type: 'use_stripe_sdk',
      use_stripe_sdk: {
        type: 'three_d_secure_redirect',
        stripe_js: expect.stringMatching(new RegExp(`^${url}/3ds/tds_\\w{40}$`)),
        source: expect.stringMatching(/^tds_\w{40}$/),
      },
    })
  })

  it('stripe.P16 anybody else needs a return_url and gets a redirect, and the way back', async () => {
    const { id, client_secret } = await create()
    const without = await errorOf(stripe.paymentIntents.confirm(id, { payment_method: CHALLENGED }))

    const waiting = await stripe.paymentIntents.confirm(id, {
      payment_method: CHALLENGED,
      return_url: 'http://localhost:3000/result?order=1',
    })
    const done = completeChallenge(store, tokenOf(waiting), 'pass')

    expect(without).toMatchObject({ statusCode: 400, param: 'return_url' })
    expect(waiting.next_action).toMatchObject({
      type: 'redirect_to_url',
      redirect_to_url: {
        url: `${url}/3ds/${tokenOf(waiting)}`,
        return_url: 'http://localhost:3000/result?order=1',
      },
    })
    const back = new URL(done?.redirectTo ?? '')
    expect(Object.fromEntries(back.searchParams)).toEqual({
      order: '1',
      payment_intent: id,
      payment_intent_client_secret: client_secret,
      redirect_status: 'succeeded',
    })
  })

  it('a challenge is answered once: a second answer changes nothing', async () => {
    const waiting = await challenge()
    completeChallenge(store, tokenOf(waiting), 'fail')

    const again = completeChallenge(store, tokenOf(waiting), 'pass')

    expect(again).toMatchObject({ status: 'requires_payment_method', challenge: { state: 'failed' } })
  })

  it.each(['cancelled', 'paid with another card', 'changed in its amount'])(
    'the challenge of a payment that was %s in the meantime does nothing any more',
    async (what) => {
      const waiting = await challenge()
      if (what === 'cancelled') await stripe.paymentIntents.cancel(waiting.id)
      if (what.startsWith('paid'))
        await stripe.paymentIntents.confirm(waiting.id, { payment_method: 'pm_card_visa' })
      if (what.startsWith('changed')) await stripe.paymentIntents.update(waiting.id, { amount: 9900 })
      const before = await stripe.paymentIntents.retrieve(waiting.id)

      completeChallenge(store, tokenOf(waiting), 'pass')

      expect(await stripe.paymentIntents.retrieve(waiting.id)).toEqual(before)
      expect(findChallenge(store, tokenOf(waiting))?.state).toBe('superseded')
    },
  )

  it('an unknown token is no challenge', () => {
    expect(findChallenge(store, 'tds_unknown')).toBeNull()
    expect(completeChallenge(store, 'tds_unknown', 'pass')).toBeNull()
  })
})

describe('updates', () => {
  it('stripe.P19 another payment method must be confirmed again', async () => {
    const waiting = await challenge()

    const updated = await stripe.paymentIntents.update(waiting.id, { payment_method: 'pm_card_visa' })

    expect(updated).toMatchObject({ status: 'requires_confirmation', next_action: null })
  })

  it('amount and currency change until it is paid, descriptions always', async () => {
    const open = await create()
    const paid = await pay('pm_card_visa')

    const changed = await stripe.paymentIntents.update(open.id, { amount: 3000, currency: 'eur' })
    const error = await errorOf(stripe.paymentIntents.update(paid.id, { amount: 3000 }))
    const described = await stripe.paymentIntents.update(paid.id, {
      description: 'Order 7',
      metadata: { order: '7' },
    })

    expect(changed).toMatchObject({ amount: 3000, currency: 'eur', status: 'requires_payment_method' })
    expect(error).toMatchObject({ statusCode: 400, code: 'payment_intent_unexpected_state' })
    expect(described).toMatchObject({ description: 'Order 7', metadata: { order: '7' }, status: 'succeeded' })
  })
})

describe('the money of a payment', () => {
  it('stripe.P17 balance_transaction is null at first and filled in later, with charge.updated', async () => {
    const paid = await pay('pm_card_visa', { expand: ['latest_charge'] })
    const charge = paid.latest_charge as Stripe.Charge

    const settled = await eventually('the balance transaction', async () => {
      const now = await stripe.charges.retrieve(charge.id, { expand: ['balance_transaction'] })
      return now.balance_transaction ? now : null
    })

    expect(charge.balance_transaction).toBeNull()
    expect(settled.balance_transaction).toMatchObject({
      amount: 2500,
      fee: 103,
      net: 2397,
      source: charge.id,
    })
    const { data } = await stripe.events.list({ limit: 20 })
    const ofCharge = data.filter(({ data: { object } }) => (object as { id?: string }).id === charge.id)
    expect(ofCharge.map(({ type }) => type)).toEqual(['charge.updated', 'charge.succeeded'])
    expect(ofCharge[0]).toMatchObject({
      data: { previous_attributes: { balance_transaction: null } },
      request: { id: null, idempotency_key: null },
    })
    expect(ofCharge[1]?.data.object).toMatchObject({ balance_transaction: null })
  })

  it('with capture_method automatic the balance transaction is there at once', async () => {
    const paid = await pay('pm_card_visa', { capture_method: 'automatic', expand: ['latest_charge'] })

    expect((paid.latest_charge as Stripe.Charge).balance_transaction).toMatch(/^txn_3/)
  })
})

describe('a browser with a publishable key', () => {
  const query = (secret: string | null, extra = '') =>
    `?key=${PUBLISHABLE_KEY}${secret === null ? '' : `&client_secret=${secret}`}${extra}`

  it('stripe.P18 reads a PaymentIntent with its client secret, and only a part of it', async () => {
    const customer = await stripe.customers.create()
    const intent = await create({ customer: customer.id, metadata: { internal: 'yes' } })

    const { status, body } = await send(
      url,
      `/v1/payment_intents/${intent.id}${query(intent.client_secret)}`,
      {
        method: 'GET',
      },
    )

    expect(status).toBe(200)
    expect(body).toMatchObject({ id: intent.id, amount: 2500, status: 'requires_payment_method' })
    for (const hidden of ['metadata', 'customer', 'latest_charge', 'amount_received', 'transfer_group']) {
      expect(body).not.toHaveProperty(hidden)
    }
  })

  it('stripe.P18 is refused without the client secret or with another one', async () => {
    const intent = await create()
    const other = await create()

    const without = await send(url, `/v1/payment_intents/${intent.id}${query(null)}`, { method: 'GET' })
    const wrong = await send(url, `/v1/payment_intents/${intent.id}${query(other.client_secret)}`, {
      method: 'GET',
    })

    expect(without).toMatchObject({ status: 400, body: { error: { param: 'client_secret' } } })
    expect(wrong).toMatchObject({ status: 400, body: { error: { param: 'client_secret' } } })
  })

  it('stripe.P18 confirms with a typed card; a decline shows no more than a success', async () => {
    const intent = await create({ metadata: { internal: 'yes' } })
    const confirm = (number: string) =>
      sendAsBrowser(url, `/v1/payment_intents/${intent.id}/confirm`, {
        client_secret: intent.client_secret ?? '',
        ...typedCard(number),
      })

    const declined = await confirm('4000000000000002')
    const paid = await confirm('4242424242424242')

    expect(declined).toMatchObject({
      status: 402,
      body: { error: { code: 'card_declined', payment_intent: { id: intent.id } } },
    })
    expect(JSON.stringify(declined.body)).not.toContain('internal')
    expect(paid.body).toMatchObject({ status: 'succeeded' })
    expect(paid.body).not.toHaveProperty('metadata')
  })

  it.each(['off_session', 'error_on_requires_action'])('stripe.P18 may not decide %s', async (param) => {
    const { id, client_secret } = await create()

    const answer = await sendAsBrowser(url, `/v1/payment_intents/${id}/confirm`, {
      client_secret: client_secret ?? '',
      [param]: 'true',
      ...typedCard('4242424242424242'),
    })

    expect(answer).toMatchObject({ status: 400, body: { error: { param } } })
  })

  it('stripe.R4 may neither create, update, cancel nor list', async () => {
    const { id } = await create()

    const answers = [
      await sendAsBrowser(url, '/v1/payment_intents', { amount: '50', currency: 'usd' }),
      await sendAsBrowser(url, `/v1/payment_intents/${id}`, { amount: '50' }),
      await sendAsBrowser(url, `/v1/payment_intents/${id}/cancel`, {}),
      await send(url, `/v1/payment_intents?key=${PUBLISHABLE_KEY}`, { method: 'GET' }),
    ]

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401])
  })

  it('a payment method it may read inside shows no fingerprint', async () => {
    const { id, client_secret } = await create({ payment_method: 'pm_card_visa' })
    const path = `/v1/payment_intents/${id}${query(client_secret, '&expand[0]=payment_method')}`

    const { body } = await send(url, path, { method: 'GET' })

    expect(body.payment_method).toMatchObject({ card: { last4: '4242' } })
    expect(JSON.stringify(body)).not.toContain('fingerprint')
  })
})

describe('events of a payment', () => {
  it('stripe.E1 created, and later charge.succeeded, payment_intent.succeeded', async () => {
    const { id } = await create()
    await stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_visa' })

    expect((await eventTypesOf(stripe, id)).filter((type) => type !== 'charge.updated')).toEqual([
      'payment_intent.created',
      'charge.succeeded',
      'payment_intent.succeeded',
    ])
  })

  it('stripe.E2 created and confirmed in one call: created comes last', async () => {
    const { id } = await pay('pm_card_visa')

    expect((await eventTypesOf(stripe, id)).filter((type) => type !== 'charge.updated')).toEqual([
      'charge.succeeded',
      'payment_intent.succeeded',
      'payment_intent.created',
    ])
  })

  it('stripe.E5 a decline is charge.failed, payment_intent.payment_failed', async () => {
    const { id } = await create()
    await errorOf(stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_visa_chargeDeclined' }))

    expect(await eventTypesOf(stripe, id)).toEqual([
      'payment_intent.created',
      'charge.failed',
      'payment_intent.payment_failed',
    ])
  })

  it('stripe.E6 a challenge is requires_action, then success; a failed one has no charge', async () => {
    const [passed, failed] = [await challenge(), await challenge()]
    completeChallenge(store, tokenOf(passed), 'pass')
    completeChallenge(store, tokenOf(failed), 'fail')
    const followUps = async ({ id }: Stripe.PaymentIntent) =>
      (await eventTypesOf(stripe, id)).filter((type) => !/created|charge.updated/.test(type))

    expect(await followUps(passed)).toEqual([
      'payment_intent.requires_action',
      'charge.succeeded',
      'payment_intent.succeeded',
    ])
    expect(await followUps(failed)).toEqual([
      'payment_intent.requires_action',
      'payment_intent.payment_failed',
    ])
  })

  it('stripe.E8 a cancellation is payment_intent.canceled', async () => {
    const { id } = await create()
    await stripe.paymentIntents.cancel(id)

    expect(await eventTypesOf(stripe, id)).toEqual(['payment_intent.created', 'payment_intent.canceled'])
  })

  it('a refused call leaves no event', async () => {
    const { id } = await create()
    await errorOf(stripe.paymentIntents.confirm(id, { payment_method: CHALLENGED }))
    await send(url, `/v1/payment_intents/${id}/confirm`, { body: 'colour=red', headers: asSecret })

    expect(await eventTypesOf(stripe, id)).toEqual(['payment_intent.created'])
  })
})
