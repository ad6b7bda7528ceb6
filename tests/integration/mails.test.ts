import { randomUUID } from 'node:crypto'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { waitUntilReady } from '../../scripts/health'
import { freePort } from '../../scripts/ports'
import { adminSql, callService } from '../support/db'
import {
  bringForward,
  mailServerIs,
  mailsOwedTo,
  outbox,
  ownMails,
  setOtherMailsAside,
} from '../support/mails'
import { paid, until } from '../support/paid'
import { type OpenedPayment, openedPayment } from '../support/payment-rows'
import { startServer } from '../support/stack'
import { stack } from '../support/stack-in-test'
import { chargeOf, eventOf, intentOf, postEvent } from '../support/stripe-events'
import { stripeSdk } from '../support/stripe-sdk'
import { untilStripeHasToldAll } from '../support/stripe-silence'

const { appOrigin, env, serverUrls } = stack()
const [first, second] = serverUrls as [string, string]
const secret = env.STRIPE_WEBHOOK_SECRET ?? ''

const succeeded = (payment: OpenedPayment) =>
  eventOf('payment_intent.succeeded', intentOf(payment, 'succeeded'))
const declined = (payment: OpenedPayment) =>
  eventOf('charge.failed', chargeOf(payment, 'failed', { id: `ch_${randomUUID()}` }))
const tell = (event: Parameters<typeof postEvent>[1], server = first) => postEvent(server, event, { secret })

async function owedReceipt(): Promise<OpenedPayment> {
  const payment = await openedPayment()
  expect((await tell(succeeded(payment))).status).toBe(200)
  return payment
}

// What it tells of earlier tests would owe mails in the midst of these.
beforeAll(untilStripeHasToldAll)
beforeEach(setOtherMailsAside)
afterEach(() => mailServerIs('none'))

describe('a mail that a fact owes', () => {
  it('a payment owes one receipt, whoever tells of it and however often, and its subject names no amount [H13]', async () => {
    const payment = await openedPayment()
    const event = succeeded(payment)
    const told = [
      event,
      event,
      succeeded(payment),
      eventOf('charge.succeeded', chargeOf(payment, 'succeeded')),
      event,
    ]

    await Promise.all(told.map((one, n) => tell(one, serverUrls[n % 2])))
    const answer = await outbox(first, { 'x-forwarded-host': 'evil.example', host: 'evil.example' })

    expect(await answer.json()).toEqual({ sent: 1, failures: 0 })
    expect(await mailsOwedTo(payment.customerId)).toMatchObject([
      { kind: 'receipt', status: 'sent', attempts: 1 },
    ])
    const mails = await ownMails(payment.userId)
    expect(mails).toHaveLength(1)
    expect(mails[0]?.subject).toMatch(/^Your receipt for order PW-[0-9A-Z]{10}$/)
    expect(mails[0]?.text).toContain('€24.00')
    // Where links lead is said by the settings, never by a request [H13].
    expect(mails[0]?.links).toEqual([`${appOrigin}/payments/${payment.paymentId}`])
    expect((await (await outbox(second)).json()).sent).toBe(0)
  })

  it('a refund owes one mail, however often Stripe tells of it', async () => {
    const { person, paymentId, intentId } = await paid()
    const made = await stripeSdk().refunds.create({ payment_intent: intentId, amount: 900 })
    await until(async () => {
      const [row] = await adminSql()`select status from public.refunds where payment_id = ${paymentId}`
      return row?.status === 'succeeded'
    })
    await Promise.all([1, 2, 3].map(() => tell(eventOf('refund.updated', { ...made }))))

    await outbox()

    const mails = await ownMails(person.id)
    expect(mails.map(({ subject }) => subject.replace(/PW-\w+/, 'PW'))).toEqual(
      expect.arrayContaining(['Your refund for order PW', 'Your receipt for order PW']),
    )
    expect(mails).toHaveLength(2)
    expect(mails.find(({ subject }) => subject.includes('refund'))?.text).toContain('€9.00')
  })

  it('a payment that fails owes one mail, after two minutes, and none when it came to something', async () => {
    const failing = await openedPayment()
    const recovering = await openedPayment()
    for (const payment of [failing, recovering])
      await callService('link_payment_intent', {
        p_livemode: false,
        p_payment_id: payment.paymentId,
        p_intent: intentOf(payment, 'requires_payment_method'),
      })
    for (const payment of [failing, failing, recovering])
      expect((await tell(declined(payment))).status).toBe(200)
    await tell(succeeded(recovering))

    const early = await outbox()
    await Promise.all([failing, recovering].map(({ customerId }) => bringForward(customerId)))
    const late = await outbox()

    expect([(await early.json()).sent, (await late.json()).sent]).toEqual([1, 1])
    const [mail, ...more] = await ownMails(failing.userId)
    expect(more).toEqual([])
    expect(mail?.subject).toBe('Your payment did not go through')
    expect(mail?.links).toEqual([`${appOrigin}/checkout/${failing.orderId}`])
    expect((await ownMails(recovering.userId)).map(({ subject }) => subject)).toEqual([
      expect.stringContaining('Your receipt'),
    ])
    expect(await mailsOwedTo(recovering.customerId)).toMatchObject([
      { kind: 'failed_payment', status: 'dropped', last_error: 'moot' },
      { kind: 'receipt', status: 'sent' },
    ])
  })

  it('is not sent to who is gone', async () => {
    const payment = await owedReceipt()
    await adminSql()`delete from auth.users where id = ${payment.userId}`

    expect(await (await outbox()).json()).toEqual({ sent: 0, failures: 0 })

    expect(await mailsOwedTo(payment.customerId)).toMatchObject([
      { status: 'dropped', last_error: 'no_address' },
    ])
  })
})

describe('sending', () => {
  it('two processes at once send each mail once, and without its lease nobody gets one [C10]', async () => {
    const payments = await Promise.all(Array.from({ length: 8 }, owedReceipt))

    const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => outbox(serverUrls[n % 2])))

    expect(answers.map(({ status }) => status).filter((status) => status !== 200 && status !== 409)).toEqual(
      [],
    )
    await outbox()
    for (const payment of payments) expect(await ownMails(payment.userId)).toHaveLength(1)
    const [lease] = await adminSql()`select fencing::int from private.job_leases where name = 'outbox_test'`
    await expect(
      callService('claim_mail', { p_livemode: false, p_fencing: Number(lease?.fencing) - 1 }),
    ).rejects.toMatchObject({ code: '55000' })
  })

  it.each(['reset', 'busy', 'hang'])(
    'while the mail server is away (%s), payments are recorded as ever, and the mail comes once it is back [C6]',
    async (mode) => {
      await mailServerIs(mode)
      const [payment, waiting] = [await owedReceipt(), await owedReceipt()]
      const startedMs = Date.now()

      const answer = await outbox()

      expect(answer.status).toBe(200)
      expect(Date.now() - startedMs).toBeLessThan(12_000)
      expect((await answer.json()).sent).toBe(0)
      const [owed] = await mailsOwedTo(payment.customerId)
      expect(owed).toMatchObject({ status: 'waiting', attempts: 1 })
      expect(owed?.last_error).toMatch(/^(E[A-Z]+|451)$/)
      await mailServerIs('none')
      await Promise.all([payment, waiting].map(({ customerId }) => bringForward(customerId)))
      await outbox()
      for (const { userId } of [payment, waiting]) expect(await ownMails(userId)).toHaveLength(1)
    },
  )

  it('what was taken without a word is sent once more, under the same Message-ID', async () => {
    await mailServerIs('lost')
    const payment = await owedReceipt()

    await outbox()
    await mailServerIs('none')
    await bringForward(payment.customerId)
    await outbox()

    const mails = await ownMails(payment.userId)
    expect(mails).toHaveLength(2)
    expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(1)
  })

  it('a process that is frozen for longer than its claim holds sends one mail more when it wakes, and no third', async () => {
    const payment = await owedReceipt()
    const port = await freePort()
    const url = `http://localhost:${port}`
    const frozen = startServer(port, { ...env, CRASH_AT: 'mail.claimed', CRASH_BY: 'SIGSTOP' })
    await waitUntilReady(url, 60_000)
    const answer = outbox(url)
    await until(async () => (await mailsOwedTo(payment.customerId))[0]?.status === 'sending')
    await expect(
      Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 500, 'frozen'))]),
    ).resolves.toBe('frozen')

    // As if more than a minute had gone by: neither its lease nor its claim hold any more.
    await adminSql()`update private.job_leases set expires_at = now() where name = 'outbox_test'`
    await bringForward(payment.customerId)
    const other = await (await outbox(second)).json()
    process.kill(-frozen.pid, 'SIGCONT')
    // It has lost its lease, and says so when its mail has left.
    await answer
    expect(await ownMails(payment.userId)).toHaveLength(2)
    const third = await (await outbox(second)).json()
    await frozen.stop()

    expect([other, third]).toEqual([
      { sent: 1, failures: 0 },
      { sent: 0, failures: 0 },
    ])
    const mails = await ownMails(payment.userId)
    expect(mails).toHaveLength(2)
    expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(1)
    expect(await mailsOwedTo(payment.customerId)).toMatchObject([{ status: 'sent', attempts: 2 }])
  })

  it.each([
    ['the recipient is not known there', 'refuse', 0, '550'],
    ['it failed twenty times', 'busy', 19, '451'],
    ['its facts make no mail', 'none', 0, 'unreadable'],
  ])('is given up, with an alert, when %s', async (_why, mode, attempts, code) => {
    await mailServerIs(mode)
    const payment = await owedReceipt()
    await adminSql()`update private.outbox set attempts = ${attempts} where customer_id = ${payment.customerId}`
    if (mode === 'none')
      await adminSql()`update private.outbox set facts = '{"paymentId": "x"}' where customer_id = ${payment.customerId}`

    expect(await (await outbox()).json()).toEqual({ sent: 0, failures: 1 })

    const [owed] = await mailsOwedTo(payment.customerId)
    expect(owed).toMatchObject({ status: 'failed', last_error: code })
    const alerts = await adminSql()`
      select detail from private.alerts where kind = 'mail_given_up' and subject_id = ${owed?.id ?? ''}`
    expect(alerts).toEqual([{ detail: { kind: 'receipt', code } }])
    await bringForward(payment.customerId)
    expect(await (await outbox()).json()).toEqual({ sent: 0, failures: 0 })
  })
})
