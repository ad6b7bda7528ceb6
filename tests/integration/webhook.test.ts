import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { adminSql } from '../support/db'
import { effectsOn, type OpenedPayment, openedPayment, PAID_ONCE } from '../support/payment-rows'
import { stack } from '../support/stack-in-test'
import { chargeOf, eventOf, intentOf, postEvent, signatureOf } from '../support/stripe-events'

const { serverUrls, env } = stack()
const [first, second] = serverUrls as [string, string]
const secret = env.STRIPE_WEBHOOK_SECRET as string

const succeeded = (payment: OpenedPayment) =>
  eventOf('payment_intent.succeeded', intentOf(payment, 'succeeded'))

async function storedEvent(id: string) {
  const [row] = await adminSql()`select * from private.webhook_events where event_id = ${id}`
  return row
}

describe('what the webhook lets in', () => {
  const now = () => Math.floor(Date.now() / 1000)
  const body = JSON.stringify(
    eventOf('payment_intent.succeeded', { object: 'payment_intent', id: 'pi_never' }),
  )
  const good = () => signatureOf(body, secret)

  it.each<[string, () => { signature?: string | null; body?: string }]>([
    ['no signature header', () => ({ signature: null })],
    ['an empty header', () => ({ signature: '' })],
    ['a header without parts', () => ({ signature: 'hello' })],
    ['a header without a time', () => ({ signature: good().replace(/t=\d+,/, '') })],
    ['a header without a signature', () => ({ signature: `t=${now()}` })],
    ['a time that is no number', () => ({ signature: good().replace(/t=\d+/, 't=soon') })],
    ['an empty signature', () => ({ signature: `t=${now()},v1=` })],
    ['a signature of the wrong length', () => ({ signature: `t=${now()},v1=abcdef` })],
    ['a signature made with another secret', () => ({ signature: signatureOf(body, 'whsec_someoneelse') })],
    ['a signature made with an empty secret', () => ({ signature: signatureOf(body, '') })],
    ['a good signature under v0 alone', () => ({ signature: signatureOf(body, secret, now(), 'v0') })],
    ['a signature of another time', () => ({ signature: good().replace(/t=\d+/, `t=${now() - 5}`) })],
    ['a body with one byte more', () => ({ signature: good(), body: `${body} ` })],
    [
      'a body with one byte changed',
      () => ({ signature: good(), body: body.replace('pi_never', 'pi_nevre') }),
    ],
    ['an empty body', () => ({ signature: good(), body: '' })],
  ])('refuses %s before it asks the database (W1)', async (_what, make) => {
    const { signature, body: sent } = make()

    const response = await postEvent(first, sent ?? body, { secret, signature })

    expect(response.status).toBe(400)
    const answer = await response.json()
    expect(answer).toEqual({
      error: {
        code: 'invalid_signature',
        message: 'The signature is not valid.',
        requestId: expect.any(String),
      },
    })
    const kept = await adminSql()`
      select event_id from private.webhook_events where object_id like 'pi_ne%' or event_id = ${JSON.parse(body).id}`
    expect(kept).toEqual([])
  })

  it('verifies the bytes as they came, whatever JSON they are (W2)', async () => {
    const seed = Date.now()
    console.info(`seed ${seed}`)
    const spaced = fc
      .tuple(fc.json(), fc.constantFrom('', ' ', '\r\n', '\t', '\n\n'))
      .map(([json, space]) => {
        const extra = `,${space}"big":${space}123456789012345678901234567890,"snow":"☃ é \\u00e9"`
        return `{${space}"id":"evt_${randomUUID()}",${space}"object":"event","type":"x.y","created":1,"livemode":false,"api_version":null,"data":{"object":{"object":"x"${extra},"any":${json}}}}${space}`
      })
    let refused = 0

    await fc.assert(
      fc.asyncProperty(fc.array(spaced, { minLength: 20, maxLength: 20 }), async (bodies) => {
        const answers = await Promise.all(bodies.map((text) => postEvent(first, text, { secret })))
        refused += answers.filter((answer) => answer.status !== 200).length
        expect(refused).toBe(0)
      }),
      { numRuns: 50, seed },
    )
  })

  // To the second in tests/unit/webhook.test.ts, where no request is on its way meanwhile.
  it('refuses what is older than 300 seconds and takes what is younger (W3)', async () => {
    const event = eventOf('x.y', { object: 'x' })
    const text = JSON.stringify(event)

    const old = await postEvent(first, text, { secret, signature: signatureOf(text, secret, now() - 302) })
    const young = await postEvent(first, text, { secret, signature: signatureOf(text, secret, now() - 285) })

    expect(old.status).toBe(400)
    expect(young.status).toBe(200)
  })

  it('takes a header with several signatures when one of them is good (W6)', async () => {
    const text = JSON.stringify(eventOf('x.y', { object: 'x' }))
    const at = now()
    const other = signatureOf(text, 'whsec_someoneelse', at).split(',')[1]

    const response = await postEvent(first, text, {
      secret,
      signature: `t=${at},${other},${signatureOf(text, secret, at).split(',')[1]}`,
    })

    expect(response.status).toBe(200)
  })

  it('takes one mebibyte and not a byte more, however the length is told (W7)', async () => {
    const limit = 1024 * 1024
    const padded = (size: number) => {
      const text = JSON.stringify(eventOf('x.y', { object: 'x', pad: '' }))
      return text.replace('"pad":""', `"pad":"${'a'.repeat(size - text.length)}"`)
    }
    const inChunks = (text: string) =>
      new ReadableStream({
        start(controller) {
          for (let i = 0; i < text.length; i += 65_536)
            controller.enqueue(new TextEncoder().encode(text.slice(i, i + 65_536)))
          controller.close()
        },
      })
    const send = (text: string, chunked: boolean) =>
      fetch(`${first}/api/payments/webhook`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'stripe-signature': signatureOf(text, secret) },
        body: chunked ? inChunks(text) : text,
        ...(chunked ? { duplex: 'half' } : {}),
      } as RequestInit)
        .then((response) => response.status)
        // A server that has seen enough may close the connection while we still send.
        .catch(() => 413)

    expect(await send(padded(limit), false)).toBe(200)
    expect(await send(padded(limit), true)).toBe(200)
    for (const size of [limit + 1, 20 * limit, 60 * limit]) {
      expect(await send(padded(size), false), `${size} bytes`).toBe(413)
      expect(await send(padded(size), true), `${size} bytes, chunked`).toBe(413)
    }
    expect((await fetch(`${first}/api/health?live`)).status).toBe(200)
  })

  it('answers POST with JSON and nothing else (W8)', async () => {
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
      expect((await fetch(`${first}/api/payments/webhook`, { method })).status, method).toBe(405)
    }
    const text = JSON.stringify(eventOf('x.y', { object: 'x' }))
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/jsonp',
      'multipart/form-data',
    ]) {
      const response = await postEvent(first, text, { secret, headers: { 'content-type': type } })
      expect(response.status, type).toBe(415)
    }
  })

  it('wants no Origin and no cookie, and sets none (W19)', async () => {
    const response = await postEvent(first, eventOf('x.y', { object: 'x' }), { secret })

    expect(response.status).toBe(200)
    expect(response.headers.getSetCookie()).toEqual([])
  })
})

describe('what an event does', () => {
  it('pays the order once, posts the ledger once, and keeps nothing personal', async () => {
    const payment = await openedPayment()
    const event = succeeded(payment)

    const answers = [
      await postEvent(first, event, { secret }),
      await postEvent(second, eventOf('charge.succeeded', chargeOf(payment, 'succeeded')), { secret }),
    ]

    expect(answers.map((answer) => answer.status)).toEqual([200, 200])
    expect(await effectsOn(payment)).toMatchObject({ ...PAID_ONCE, card_last4: '4242' })
    const kept = JSON.stringify(
      await adminSql()`select payload from private.webhook_events where object_id in (${payment.intentId}, ${payment.chargeId})`,
    )
    expect(kept).toContain(payment.paymentId)
    expect(kept).not.toMatch(/canary/i)
  })

  it('has no second effect when the same bytes come again (W4)', async () => {
    const payment = await openedPayment()
    const text = JSON.stringify(succeeded(payment))
    const signature = signatureOf(text, secret)

    const statuses: number[] = []
    for (let copy = 0; copy < 10; copy++) {
      statuses.push((await postEvent(copy % 2 ? first : second, text, { secret, signature })).status)
    }

    expect(statuses).toEqual(Array(10).fill(200))
    expect(await effectsOn(payment)).toMatchObject(PAID_ONCE)
  })

  it('has one effect when fifty copies reach two servers at once, twenty times (W10)', async () => {
    const wrong: unknown[] = []
    const statuses = new Map<number, number>()

    for (let round = 0; round < 20; round++) {
      const payment = await openedPayment()
      const text = JSON.stringify(succeeded(payment))
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, copy) => postEvent(copy % 2 ? first : second, text, { secret })),
      )
      for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1)
      const effects = await effectsOn(payment)
      if (effects?.postings !== 1 || effects.paid_rows !== 1 || effects.succeeded_rows !== 1)
        wrong.push(effects)
    }

    expect(wrong).toEqual([])
    expect([...statuses.keys()].filter((status) => status !== 200 && status !== 503)).toEqual([])
    console.info(
      `20 rounds of 50 copies: ${[...statuses].map(([status, n]) => `${status} × ${n}`).join(', ')}`,
    )
  })

  it('has one effect when all events of a payment come at once, over and over (W12)', async () => {
    const payment = await openedPayment()
    const events = [
      succeeded(payment),
      succeeded(payment),
      eventOf('charge.succeeded', chargeOf(payment, 'succeeded')),
      eventOf('charge.succeeded', chargeOf(payment, 'succeeded')),
    ]

    for (let tries = 0; tries < 3; tries++) {
      await Promise.all(
        events.flatMap((event) => [
          postEvent(first, event, { secret }),
          postEvent(second, event, { secret }),
        ]),
      )
    }

    expect(await effectsOn(payment)).toMatchObject(PAID_ONCE)
  })

  it('never takes a paid payment back, whatever comes later (W14)', async () => {
    const payment = await openedPayment()
    await postEvent(first, succeeded(payment), { secret })

    for (const status of ['requires_payment_method', 'requires_action', 'processing', 'canceled']) {
      const type = status === 'canceled' ? 'payment_intent.canceled' : 'payment_intent.created'
      const response = await postEvent(second, eventOf(type, intentOf(payment, status)), { secret })
      expect(response.status).toBe(200)
    }

    expect(await effectsOn(payment)).toMatchObject(PAID_ONCE)
  })

  it('keeps an unknown type as ignored and answers 200 (W15)', async () => {
    for (let n = 0; n < 20; n++) {
      const event = eventOf(`unheard_of.type_${n}`, { object: 'unheard_of', id: `un_${n}` })

      const response = await postEvent(n % 2 ? first : second, event, { secret })

      expect(response.status).toBe(200)
      expect(await storedEvent(event.id)).toMatchObject({ status: 'ignored', attempts: 0 })
    }
  })

  it('keeps an event of the other mode or another account as rejected, does nothing, and raises an alert (W9)', async () => {
    for (const wrong of [{ livemode: true }, { account: 'acct_somebodyelse' }]) {
      const payment = await openedPayment()
      const event = eventOf('payment_intent.succeeded', intentOf(payment, 'succeeded'), wrong)

      const response = await postEvent(first, event, { secret })

      expect(response.status).toBe(200)
      expect(await storedEvent(event.id)).toMatchObject({ status: 'rejected' })
      expect(await effectsOn(payment)).toMatchObject({
        status: 'creating',
        postings: 0,
        order_status: 'open',
      })
      const alerts = await adminSql()`select kind from private.alerts where subject_id = ${event.id}`
      expect(alerts.map((alert) => alert.kind)).toEqual(['event_rejected'])
    }
  })

  it('does not fulfil an order when the paid amount or currency differs, and asks for a review (I5)', async () => {
    for (const other of [{ amount_received: 2399 }, { currency: 'usd' }]) {
      const payment = await openedPayment()

      const response = await postEvent(
        first,
        eventOf('payment_intent.succeeded', intentOf(payment, 'succeeded', other)),
        { secret },
      )

      expect(response.status).toBe(200)
      expect(await effectsOn(payment)).toMatchObject({
        status: 'succeeded',
        review_reason: 'amount_differs',
        order_status: 'open',
        paid_rows: 0,
        postings: 1,
      })
      const alerts = await adminSql()`select kind from private.alerts where subject_id = ${payment.paymentId}`
      expect(alerts.map((alert) => alert.kind)).toEqual(['payment_amount_differs'])
    }
  })

  it('counts a failed charge once and leaves the payment open', async () => {
    const payment = await openedPayment()
    await postEvent(first, eventOf('payment_intent.canceled', intentOf(payment, 'canceled')), { secret })
    const failed = { id: `ch_${randomUUID()}` }

    for (let copy = 0; copy < 2; copy++) {
      await postEvent(first, eventOf('charge.failed', chargeOf(payment, 'failed', failed)), { secret })
    }

    const attempts =
      await adminSql()`select outcome from private.payment_attempts where payment_id = ${payment.paymentId}`
    expect(attempts.map((attempt) => attempt.outcome)).toEqual(['failed'])
    const [audit] = await adminSql()`
      select count(*)::int as n from private.audit_log where subject_id = ${payment.paymentId} and action = 'payment.failed_attempt'`
    expect(audit?.n).toBe(1)
  })

  it('keeps a PaymentIntent we did not open as a payment without an order', async () => {
    const payment = await openedPayment()
    const foreign = { ...payment, intentId: `pi_${randomUUID()}`, chargeId: `ch_${randomUUID()}` }
    const event = eventOf(
      'payment_intent.succeeded',
      intentOf(foreign, 'succeeded', { metadata: {}, customer: 'cus_unknown' }),
    )

    const response = await postEvent(first, event, { secret })

    expect(response.status).toBe(200)
    const rows =
      await adminSql()`select origin, status, order_id, customer_id from public.payments where stripe_payment_intent_id = ${foreign.intentId}`
    expect(rows).toEqual([{ origin: 'stripe', status: 'succeeded', order_id: null, customer_id: null }])
  })

  it('keeps the link of a payment that a second PaymentIntent claims to be, and raises an alert', async () => {
    const payment = await openedPayment()
    await postEvent(first, succeeded(payment), { secret })
    const claim = { ...payment, intentId: `pi_${randomUUID()}`, chargeId: `ch_${randomUUID()}` }

    const response = await postEvent(first, succeeded(claim), { secret })

    expect(response.status).toBe(200)
    expect(await effectsOn(payment)).toMatchObject(PAID_ONCE)
    const [other] =
      await adminSql()`select status, review_reason, order_id from public.payments where stripe_payment_intent_id = ${claim.intentId}`
    expect(other).toMatchObject({
      status: 'succeeded',
      review_reason: 'order_already_paid',
      order_id: payment.orderId,
    })
    const alerts = await adminSql()`select kind from private.alerts where subject_id in (${claim.intentId})`
    expect(alerts.map((alert) => alert.kind)).toEqual(['intent_names_other_payment'])
  })
})
