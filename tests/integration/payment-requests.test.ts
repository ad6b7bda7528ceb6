import { randomUUID } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  customer,
  line,
  newApiKey,
  type Order,
  placeOrder,
  readOrder,
  tablesThatSay,
} from '../support/api-keys'
import { adminSql, callService } from '../support/db'
import { confirm } from '../support/limits'
import { bringForward, mailsOfOurs, outbox, setOtherMailsAside } from '../support/mails'
import { newStaff, until } from '../support/paid'
import {
  cancelRequest,
  claim,
  type PaymentRequest,
  requestedOf,
  requestPayment,
} from '../support/payment-requests'
import { newUserRow } from '../support/payment-rows'
import { newPerson, type Person } from '../support/people'
import { get, post, startPayment, sweep } from '../support/requests'
import { stack } from '../support/stack-in-test'
import { auditOf, REASON } from '../support/staff'
import { stripeSdk } from '../support/stripe-sdk'

const { appOrigin, serverUrls } = stack()
let support: Person
let stranger: Person
beforeAll(async () => {
  ;[support, stranger] = await Promise.all([newStaff('support'), newPerson()])
})
beforeEach(setOtherMailsAside)

const newEmail = () => `${randomUUID()}@example.test`
const ask = async (body: object) => requestedOf(await requestPayment(support, body))
const row = async (orderId: string) => {
  const [found] = await adminSql()`
    select o.status, o.customer_id, r.email from public.orders o left join private.payment_requests r on r.order_id = o.id
    where o.id = ${orderId}`
  return found
}
const audit = async (orderId: string) => {
  const rows = await adminSql()`
    select actor_type, action from private.audit_log where subject_id = ${orderId} order by id`
  return rows.map(({ actor_type, action }) => `${actor_type} ${action}`)
}
const outboxOf = (orderId: string) =>
  adminSql()`select status, last_error from private.outbox where kind = 'payment_request' and key = ${orderId}`
const page = (person: Person, path: string) =>
  fetch(`${serverUrls[0]}${path}`, { headers: { cookie: person.cookie }, redirect: 'manual' })

/** A request that its person has taken, with a payment begun. */
async function begun(): Promise<{
  person: Person
  request: PaymentRequest
  intentId: string
  paymentId: string
}> {
  const email = newEmail()
  const request = await ask({ email })
  const person = await newPerson(email)
  expect((await claim(person, request.id)).status).toBe(200)
  const { id: paymentId } = (await (await startPayment(person, request.id)).json()) as { id: string }
  const [payment] =
    await adminSql()`select stripe_payment_intent_id as id from public.payments where id = ${paymentId}`
  return { person, request, paymentId, intentId: String(payment?.id) }
}

describe('a payment request to an address without an account', () => {
  it('is found, taken and paid by whoever confirms the address, and is nothing to anybody else', async () => {
    const email = newEmail()
    const request = await ask({ email: ` ${email.toUpperCase()}` })
    await outbox()
    const [mail, ...more] = await mailsOfOurs(email)
    expect(more).toEqual([])
    expect(mail?.subject).toBe(`A payment request: order ${request.reference}`)
    expect(mail?.links).toEqual([`${appOrigin}/orders/${request.id}`])
    expect(request).toMatchObject({ status: 'open', customerId: null, email, url: mail?.links[0] })
    expect(await row(request.id)).toEqual({ status: 'open', customer_id: null, email })

    const person = await newPerson(email)
    const seen = await page(person, `/orders/${request.id}`)

    // Looking takes nothing [H9].
    expect(seen.status).toBe(200)
    expect(await seen.text()).toContain(request.reference)
    const sentOn = await page(person, `/checkout/${request.id}`)
    expect([sentOn.status, sentOn.headers.get('location')]).toEqual([307, `/orders/${request.id}`])
    expect((await startPayment(person, request.id)).status).toBe(404)
    expect((await row(request.id))?.customer_id).toBeNull()
    for (const path of [`/orders/${request.id}`, `/checkout/${request.id}`])
      expect((await page(stranger, path)).status, path).toBe(404)

    const claims = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        claim(n % 3 ? person : stranger, request.id, { server: serverUrls[n % 2] }),
      ),
    )

    expect(claims.map(({ status }) => status)).toEqual(claims.map((_, n) => (n % 3 ? 200 : 404)))
    expect(await audit(request.id)).toEqual(['staff order.created', 'customer order.claimed'])
    expect((await row(request.id))?.email).toBeNull()
    expect(await tablesThatSay(email)).toEqual([])
    expect((await page(person, `/checkout/${request.id}`)).status).toBe(200)
    expect((await startPayment(person, request.id)).status).toBe(201)
    expect((await startPayment(stranger, request.id)).status).toBe(404)
    expect((await claim(stranger, request.id)).status).toBe(404)
  })

  it('is not for whoever merely says that the address is theirs', async () => {
    const unconfirmed = await newUserRow()
    const request = await ask({ email: `${unconfirmed}@example.test` })

    const claimed = callService('claim_order', {
      p_actor: unconfirmed,
      p_livemode: false,
      p_order_id: request.id,
    })

    await expect(claimed).rejects.toMatchObject({ code: 'P0002' })
    expect(
      await callService('requested_order', {
        p_actor: unconfirmed,
        p_livemode: false,
        p_order_id: request.id,
      }),
    ).toBeNull()
  })

  it('ends with whoever it waits for: their address is nowhere once they have gone (D7)', async () => {
    const email = newEmail()
    const request = await ask({ email })
    const person = await newPerson(email)

    expect((await post('/api/privacy/erasure', person, { confirm: 'delete' })).status).toBeLessThan(300)

    expect(await row(request.id)).toEqual({ status: 'canceled', customer_id: null, email: null })
    expect(await tablesThatSay(email)).toEqual([])
    await outbox()
    expect(await mailsOfOurs(email)).toEqual([])
  })

  it('ends at its time: nobody takes it, the address is forgotten and no mail is sent any more', async () => {
    const email = newEmail()
    const request = await ask({ email, expiresInDays: 1 })
    const person = await newPerson(email)
    await adminSql()`update public.orders set expires_at = now() - interval '1 second' where id = ${request.id}`

    expect((await claim(person, request.id)).status).toBe(404)
    await outbox()
    expect(await outboxOf(request.id)).toEqual([{ status: 'dropped', last_error: 'moot' }])
    await sweep()

    expect(await row(request.id)).toEqual({ status: 'expired', customer_id: null, email: null })
    expect((await cancelRequest(support, request.id)).status).toBe(409)
    expect(await mailsOfOurs(email)).toEqual([])
  })
})

describe('a payment request', () => {
  it('to a customer is theirs at once, and one for each key, with one mail', async () => {
    const { customerId } = await customer(stranger)
    const key = randomUUID()
    const body = { customerId, expiresInDays: 3 }

    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, n) => requestPayment(support, body, { key, server: serverUrls[n % 2] })),
    )
    const other = await requestPayment(support, { ...body, expiresInDays: 4 }, { key })

    const requests = await Promise.all(answers.map(requestedOf))
    const [request] = requests as [PaymentRequest]
    expect(new Set(requests.map(({ id }) => id)).size).toBe(1)
    expect(request).toMatchObject({ customerId, email: null })
    expect(Date.parse(request.expiresAt) - Date.now()).toBeGreaterThan(2.9 * 86_400_000)
    expect(other.status).toBe(422)
    expect((await page(stranger, `/checkout/${request.id}`)).status).toBe(200)
    await outbox()
    await bringForward(customerId)
    await outbox()
    expect(
      (await mailsOfOurs(stranger.email)).filter(({ subject }) => subject.includes(request.reference)),
    ).toHaveLength(1)
    const { paymentRequests } = (await (await get('/api/admin/payment-requests', support)).json()) as {
      paymentRequests: PaymentRequest[]
    }
    expect(paymentRequests[0]).toMatchObject({ id: request.id })
  })

  it('is made and taken back by support and admins only, with a reason, and both are on record [Z21]', async () => {
    const auditor = await newStaff('auditor')
    const request = await ask({ email: newEmail() })

    const refused = await Promise.all([
      requestPayment(auditor, { email: newEmail() }),
      requestPayment(stranger, { email: newEmail() }),
      requestPayment(support, { email: newEmail(), reason: '' }),
      requestPayment(support, { email: newEmail() }, { key: null }),
      requestPayment(support, { email: newEmail(), totalMinor: 1 }),
      requestPayment(support, { customerId: randomUUID() }),
      cancelRequest(auditor, request.id),
      cancelRequest(stranger, request.id),
      cancelRequest(support, randomUUID()),
    ])
    const canceled = [await cancelRequest(support, request.id), await cancelRequest(support, request.id)]

    expect(refused.map(({ status }) => status)).toEqual([403, 403, 400, 400, 400, 422, 403, 403, 404])
    expect(canceled.map(({ status }) => status)).toEqual([200, 200])
    expect(await row(request.id)).toEqual({ status: 'canceled', customer_id: null, email: null })
    expect(await audit(request.id)).toEqual([
      'staff order.created',
      'staff payment_request.canceled',
      'system order.closing',
      'system order.canceled',
    ])
    expect((await auditOf(support, 'payment_request.canceled')).at(-1)).toMatchObject({
      detail: { reason: REASON },
    })
    await outbox()
    expect(await outboxOf(request.id)).toMatchObject([{ status: 'dropped' }])
  })

  it('ends paid or cancelled when paying races cancelling, and Stripe and we agree', async () => {
    const races = await Promise.all(Array.from({ length: 6 }, begun))

    await Promise.all(
      races.flatMap(({ request, intentId }, n) => {
        const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
        return [
          wait(n * 10).then(() => cancelRequest(support, request.id, { server: serverUrls[n % 2] })),
          wait((6 - n) * 10).then(() => confirm(intentId, 'pm_card_visa')),
        ]
      }),
    )
    await until(async () => {
      await adminSql()`update private.payment_decisions set tried_at = null where done_at is null`
      await sweep()
      return (await Promise.all(races.map(({ request }) => row(request.id)))).every(
        (one) => one?.status !== 'open',
      )
    }, 60_000)

    for (const { request, intentId } of races) {
      const there = (await stripeSdk().paymentIntents.retrieve(intentId)).status
      expect([there, (await row(request.id))?.status]).toEqual(
        there === 'succeeded' ? ['succeeded', 'paid'] : ['canceled', 'canceled'],
      )
    }
  }, 120_000)

  it('is paid once, however many tabs pay it', async () => {
    const { person, request, intentId, paymentId } = await begun()

    const tabs = await Promise.all(
      Array.from({ length: 6 }, (_, n) => startPayment(person, request.id, { server: serverUrls[n % 2] })),
    )
    const ids = await Promise.all(tabs.map(async (tab) => ((await tab.json()) as { id: string }).id))
    await Promise.all([confirm(intentId, 'pm_card_visa'), confirm(intentId, 'pm_card_visa')])
    await until(async () => (await row(request.id))?.status === 'paid')

    expect(new Set(ids)).toEqual(new Set([paymentId]))
    expect((await startPayment(person, request.id)).status).toBe(409)
    const charges = await stripeSdk().charges.list({ payment_intent: intentId })
    expect(charges.data.filter(({ paid }) => paid)).toHaveLength(1)
    expect((await cancelRequest(support, request.id)).status).toBe(409)
  })
})

describe('an order by another system for an address without an account', () => {
  it('waits for whoever confirms it; a mail is sent only when asked for', async () => {
    const { secret } = await newApiKey(await newStaff('admin'))
    const [quiet, email] = [newEmail(), newEmail()]
    const place = async (body: object) =>
      ((await (await placeOrder(secret, { lines: [line()], ...body })).json()) as Order).order
    const silent = await place({ email: quiet })
    const order = await place({ email, notify: true, expiresInDays: 7 })
    const person = await newPerson(email)

    await outbox()
    expect((await claim(person, silent.id)).status).toBe(404)
    expect((await claim(person, order.id)).status).toBe(200)

    expect(await mailsOfOurs(quiet)).toEqual([])
    expect((await mailsOfOurs(email)).map(({ links }) => links)).toEqual([
      [`${appOrigin}/orders/${order.id}`],
    ])
    const [known] = await adminSql()`select id from public.customers where user_id = ${person.id}`
    expect(await (await readOrder(secret, order.id)).json()).toMatchObject({
      order: { customerId: known?.id },
    })
    expect(await (await readOrder(secret, silent.id)).json()).toMatchObject({ order: { customerId: null } })
    expect((await startPayment(person, order.id)).status).toBe(201)
  })
})
