// Payments from creation to refund.
import type Stripe from 'stripe'
import { paid, payment, type Scenario } from './scenario.ts'

const statusOf = ({ status }: { status: string | null }) => ({ status })

export const paymentScenarios: readonly Scenario[] = [
  {
    name: 'create, update, confirm, confirm again, cancel',
    rows: ['P1', 'P2', 'P3', 'P11', 'E1'],
    async play({ stripe, step, must }) {
      const { id } = await must('create', () => stripe.paymentIntents.create(payment), statusOf)
      await step(
        'update',
        () => stripe.paymentIntents.update(id, { payment_method: 'pm_card_visa' }),
        statusOf,
      )
      await step(
        'confirm',
        () => stripe.paymentIntents.confirm(id),
        (intent) => ({
          ...statusOf(intent),
          received: intent.amount_received,
        }),
      )
      await step('confirm again', () => stripe.paymentIntents.confirm(id))
      await step('cancel what is paid', () => stripe.paymentIntents.cancel(id))
    },
  },
  {
    name: 'create and confirm in one call; the balance transaction comes later',
    rows: ['P3', 'P17', 'E2'],
    async play({ stripe, step, must, settle }) {
      const charge = (intent: Stripe.PaymentIntent) => intent.latest_charge as Stripe.Charge
      const { id } = await must(
        'create',
        () => stripe.paymentIntents.create({ ...paid, expand: ['latest_charge'] }),
        (intent) => ({
          ...statusOf(intent),
          balanceTransaction: charge(intent).balance_transaction !== null,
        }),
      )
      await settle()
      await step(
        'later',
        () => stripe.paymentIntents.retrieve(id, { expand: ['latest_charge'] }),
        (intent) => ({ balanceTransaction: charge(intent).balance_transaction !== null }),
      )
    },
  },
  {
    name: 'cancel twice',
    rows: ['P10', 'P11', 'E8'],
    async play({ stripe, step, must }) {
      const { id } = await must('create', () => stripe.paymentIntents.create(payment))
      await step(
        'cancel',
        () => stripe.paymentIntents.cancel(id, { cancellation_reason: 'duplicate' }),
        statusOf,
      )
      await step('cancel again', () => stripe.paymentIntents.cancel(id))
      await step('confirm what is canceled', () =>
        stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_visa' }),
      )
    },
  },
  {
    name: 'manual capture: too much, a part, then a refund of too much',
    rows: ['P8', 'P9', 'E7', 'R9'],
    async play({ stripe, step, must }) {
      const { id } = await must(
        'authorize',
        () => stripe.paymentIntents.create({ ...paid, capture_method: 'manual' }),
        (intent) => ({ ...statusOf(intent), capturable: intent.amount_capturable }),
      )
      await step('capture too much', () => stripe.paymentIntents.capture(id, { amount_to_capture: 2001 }))
      await step(
        'capture a part',
        () => stripe.paymentIntents.capture(id, { amount_to_capture: 1500 }),
        (intent) => ({
          ...statusOf(intent),
          received: intent.amount_received,
          capturable: intent.amount_capturable,
        }),
      )
      await step('capture again', () => stripe.paymentIntents.capture(id))
      await step('refund more than was captured', () =>
        stripe.refunds.create({ payment_intent: id, amount: 1501 }),
      )
    },
  },
  {
    name: 'cancel an authorization',
    rows: ['P10', 'E8'],
    async play({ stripe, step, must }) {
      const { id } = await must('authorize', () =>
        stripe.paymentIntents.create({ ...paid, capture_method: 'manual' }),
      )
      await step(
        'cancel',
        () => stripe.paymentIntents.cancel(id, { expand: ['latest_charge'] }),
        (intent) => {
          const { refunded, amount_refunded, captured } = intent.latest_charge as Stripe.Charge
          return { ...statusOf(intent), refunded, amount_refunded, captured }
        },
      )
    },
  },
  {
    name: 'refund in parts, too much, and again when nothing is left',
    rows: ['R9', 'R10', 'E12'],
    async play({ stripe, step, must }) {
      const { id } = await must('pay', () => stripe.paymentIntents.create(paid))
      await step('a part', () => stripe.refunds.create({ payment_intent: id, amount: 500 }), statusOf)
      await step('too much', () => stripe.refunds.create({ payment_intent: id, amount: 1501 }))
      await step('nothing', () => stripe.refunds.create({ payment_intent: id, amount: 0 }))
      await step(
        'the rest',
        () => stripe.refunds.create({ payment_intent: id }),
        ({ status, amount }) => ({
          status,
          amount,
        }),
      )
      await step('again', () => stripe.refunds.create({ payment_intent: id }))
      await step('again, with an amount', () => stripe.refunds.create({ payment_intent: id, amount: 1 }))
    },
  },
  {
    name: 'refund what was not paid',
    rows: ['R9'],
    async play({ stripe, step, must }) {
      const { id } = await must('create', () => stripe.paymentIntents.create(payment))
      await step('refund', () => stripe.refunds.create({ payment_intent: id }))
      await step('refund nothing named', () => stripe.refunds.create({}))
    },
  },
  {
    name: 'refund what is disputed',
    rows: ['C23', 'E13', 'R11'],
    async play({ stripe, step, must, settle }) {
      const { id } = await must('pay', () =>
        stripe.paymentIntents.create({ ...paid, payment_method: 'pm_card_createDispute' }),
      )
      await settle()
      await step(
        'the dispute',
        () => stripe.disputes.list({ payment_intent: id }),
        ({ data }) => ({
          disputes: data.map(({ status, reason }) => `${status} ${reason}`),
        }),
      )
      await step('refund', () => stripe.refunds.create({ payment_intent: id }))
    },
  },
  {
    name: 'amounts that are too small, or not of their currency',
    rows: ['A1', 'A3', 'A4', 'A5', 'R8'],
    async play({ stripe, step }) {
      const amounts: [string, number][] = [
        ['usd', 49],
        ['usd', 0],
        ['usd', 999_999_991],
        ['gbp', 29],
        ['mxn', 999],
        ['jpy', 49],
        ['kwd', 5124],
        ['isk', 501],
        ['ugx', 150],
        ['xxx', 1000],
      ]
      for (const [currency, amount] of amounts) {
        await step(`${amount} ${currency}`, () =>
          stripe.paymentIntents.create({ ...payment, currency, amount }),
        )
      }
    },
  },
]
