import { randomUUID } from 'node:crypto'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { adminSql, callService } from '../support/db'
import { sendForm } from '../support/forms'
import { newStaff, paid, until } from '../support/paid'
import { newOrder } from '../support/payment-rows'
import { newPassword, newPerson, type Person } from '../support/people'
import { get, refund, startPayment, sweep } from '../support/requests'
import { stack } from '../support/stack-in-test'
import { auditOf, REASON, setSwitch } from '../support/staff'
import { stripeSdk } from '../support/stripe-sdk'
import { runSwitch } from '../support/switch-command'

const servers = stack().serverUrls as [string, string]
const [first, second] = servers

let admin: Person
let support: Person
beforeAll(async () => {
  ;[admin, support] = await Promise.all([newStaff('admin'), newStaff('support')])
})
afterEach(() => adminSql()`delete from private.switches`)

const isSwitchedOff = async (response: Response, code: string) => {
  expect(response.status).toBe(503)
  expect(response.headers.get('retry-after')).toBe('60')
  const { error } = (await response.json()) as { error: { code: string; message: string } }
  expect(error.code).toBe(code)
  return error.message
}

/** A refund is refused as well while Redis is slow to count it, as it is on a busy machine: ask again then. */
async function whenRedisAnswers(ask: () => Promise<Response>): Promise<Response> {
  for (let tries = 0; tries < 5; tries++) {
    const answer = await ask()
    if (answer.headers.get('retry-after') !== '5') return answer
    await new Promise((resolve) => setTimeout(resolve, 5_000))
  }
  return await ask()
}

describe('payments switched off', () => {
  it('opens none at once on both servers, before Stripe is asked, and says so (F9)', async () => {
    const person = await newPerson()
    const orders = await Promise.all([newOrder(person.id), newOrder(person.id)])

    await setSwitch(admin, 'payments', false, { server: first })
    const answers = await Promise.all(
      servers.map((server, n) => startPayment(person, orders[n] ?? '', { server })),
    )

    for (const answer of answers)
      expect(await isSwitchedOff(answer, 'payments_paused')).toBe(
        'Payments are paused at the moment. Nothing was charged.',
      )
    const made = await adminSql()`select id from public.payments where order_id = any (${orders})`
    const known = await adminSql()`
      select s.customer_id from private.stripe_customers s join public.customers c on c.id = s.customer_id
      where c.user_id = ${person.id}`
    expect([...made, ...known]).toEqual([])
  })

  it('hands out none that is open, neither to its own key nor to another, and goes on where it was afterwards', async () => {
    const person = await newPerson()
    const orderId = await newOrder(person.id)
    const key = randomUUID()
    const opened = (await (await startPayment(person, orderId, { key })).json()) as { id: string }

    await setSwitch(admin, 'payments', false)
    const answers = [
      await startPayment(person, orderId, { key, server: second }),
      await startPayment(person, orderId),
    ]
    await setSwitch(admin, 'payments', true)
    const again = await startPayment(person, orderId, { key, server: second })

    for (const answer of answers) await isSwitchedOff(answer, 'payments_paused')
    expect(await again.json()).toMatchObject({ id: opened.id, clientSecret: expect.any(String) })
  })

  it('still takes what Stripe tells: money that came is recorded', async () => {
    await setSwitch(admin, 'refunds', false)
    await setSwitch(admin, 'sign_ups', false)

    const { paymentId } = await paid()
    await setSwitch(admin, 'payments', false)

    const [row] = await adminSql()`select status from public.payments where id = ${paymentId}`
    expect(row?.status).toBe('succeeded')
  })
})

describe('refunds switched off', () => {
  it('are refused on both servers, and none that waited goes out until they are on again (F9)', async () => {
    const { paymentId, intentId } = await paid()
    const atStripe = async () => (await stripeSdk().refunds.list({ payment_intent: intentId })).data.length
    // Reserved, and then the server that was to ask Stripe died.
    await callService('request_refund', {
      p_actor: support.id,
      p_payment_id: paymentId,
      p_amount_minor: 1000,
      p_reason: 'requested_by_customer',
      p_note: '',
      p_key: randomUUID(),
      p_input_hash: 'hash',
    })
    await adminSql()`update private.refund_requests set checked_at = now() - interval '1 minute' where payment_id = ${paymentId}`

    await setSwitch(admin, 'refunds', false)
    const answers = await Promise.all(
      servers.map((server) =>
        whenRedisAnswers(() =>
          refund(support, paymentId, { reason: 'duplicate', amountMinor: 100 }, { server }),
        ),
      ),
    )
    await sweep()
    const whileOff = await atStripe()
    await setSwitch(admin, 'refunds', true)
    await sweep()

    for (const answer of answers)
      expect(await isSwitchedOff(answer, 'refunds_paused')).toBe(
        'Refunds are paused at the moment. Nothing was sent back.',
      )
    expect(whileOff).toBe(0)
    await until(async () => (await atStripe()) === 1)
  })
})

describe('sign-ups switched off', () => {
  it('makes no account within five seconds on both servers, and makes one again afterwards (F9)', async () => {
    const signUp = (server: string) =>
      sendForm(
        '/sign-up',
        { email: `${randomUUID()}@example.test`, password: newPassword() },
        // As a proxy hands it on: Next holds the Origin against it.
        { server, headers: { 'x-forwarded-host': new URL(stack().appOrigin).host } },
      )
    const isOff = async (server: string) =>
      (await (await signUp(server)).text()).includes('New accounts cannot be made at the moment.')
    for (const server of servers) expect((await signUp(server)).status).toBe(303)

    /** When the last one was sent that was still answered the old way: how long answers take is not the switch's. */
    const lastBefore = async (isNew: () => Promise<boolean>) => {
      const turnedAt = Date.now()
      let sentAt = turnedAt
      let last = turnedAt
      await until(async () => {
        last = sentAt
        sentAt = Date.now()
        return await isNew()
      })
      return (last - turnedAt) / 1000
    }

    await setSwitch(admin, 'sign_ups', false)
    const off = await Promise.all(servers.map((server) => lastBefore(() => isOff(server))))
    await setSwitch(admin, 'sign_ups', true)
    const on = await lastBefore(async () => (await signUp(first)).status === 303)

    console.info(
      `sign-ups were made for ${Math.max(...off).toFixed(1)} s more, and not for ${on.toFixed(1)} s`,
    )
    expect(Math.max(...off, on)).toBeLessThan(5)
  })
})

describe('turning a switch', () => {
  it('says who did it and why, once each time it turns', async () => {
    const mine = await newStaff('admin')

    for (const on of [false, false, true]) await setSwitch(mine, 'payments', on)
    const { switches } = (await (await get('/api/admin/switches', support)).json()) as { switches: unknown }

    expect(switches).toEqual([
      {
        name: 'payments',
        on: true,
        reason: REASON,
        changedAt: expect.any(String),
        changedBy: mine.id,
      },
      { name: 'refunds', on: true, reason: null, changedAt: null, changedBy: null },
      { name: 'sign_ups', on: true, reason: null, changedAt: null, changedBy: null },
    ])
    expect(await auditOf(mine, 'switch.off')).toEqual([
      { actor_type: 'staff', subject_type: 'switch', subject_id: 'payments', detail: { reason: REASON } },
    ])
    expect(await auditOf(mine, 'switch.on')).toHaveLength(1)
  })

  it('knows three of them and no more', async () => {
    expect((await setSwitch(admin, 'webhooks', false)).status).toBe(404)
    await expect(
      callService('set_switch', { p_actor: admin.id, p_name: 'webhooks', p_on: false, p_reason: REASON }),
    ).rejects.toMatchObject({ code: '22023' })
  })
})

describe('npm run switch', () => {
  it('turns a switch without the app, in the name of an admin and of nobody else', async () => {
    const mine = await newStaff('admin')
    const turn = (as: string, how = 'off') => runSwitch(['payments', how, '--reason', REASON, '--as', as])

    const refused = await turn(support.id)
    const off = await turn(mine.id)
    const answer = await startPayment(support, await newOrder(support.id))
    const on = await turn(mine.id, 'on')
    const unclear = await runSwitch(['payments', 'perhaps', '--reason', REASON, '--as', mine.id])

    expect([refused.code, off.code, on.code, unclear.code]).toEqual([1, 0, 0, 1])
    expect(off.output).toContain(`payments  off: ${REASON}`)
    expect(on.output).toContain('payments  on')
    expect(unclear.output).toContain('npm run switch --')
    await isSwitchedOff(answer, 'payments_paused')
    expect(await auditOf(mine, 'switch.off')).toMatchObject([{ detail: { reason: REASON } }])
  })
})
