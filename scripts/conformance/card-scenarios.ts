// What cards do: declines, challenges, saving.
import { paid, payment, type Scenario } from './scenario.ts'

const DECLINING = [
  'pm_card_visa_chargeDeclined',
  'pm_card_visa_chargeDeclinedInsufficientFunds',
  'pm_card_chargeDeclinedExpiredCard',
  'pm_card_chargeDeclinedIncorrectCvc',
  'pm_card_chargeDeclinedProcessingError',
  'pm_card_visa_chargeDeclinedVelocityLimitExceeded',
  'pm_card_radarBlock',
]

export const cardScenarios: readonly Scenario[] = [
  {
    name: 'declines',
    rows: ['C2', 'C3', 'C6', 'C7', 'C8', 'C10', 'C31', 'P5', 'R12', 'E5'],
    async play({ stripe, step }) {
      for (const payment_method of DECLINING) {
        await step(payment_method, () => stripe.paymentIntents.create({ ...paid, payment_method }))
      }
    },
  },
  {
    name: 'a declined payment waits for another card',
    rows: ['P5', 'E5'],
    async play({ stripe, step, must }) {
      const { id } = await must('create', () => stripe.paymentIntents.create(payment))
      await step('declined', () =>
        stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_visa_chargeDeclined' }),
      )
      await step(
        'then',
        () => stripe.paymentIntents.retrieve(id),
        (intent) => ({
          status: intent.status,
          method: intent.payment_method,
          error: intent.last_payment_error?.code,
        }),
      )
      await step(
        'another card',
        () => stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_visa' }),
        ({ status }) => ({ status }),
      )
    },
  },
  {
    name: 'a challenge: by redirect, by Stripe.js, without an address to return to',
    rows: ['P4', 'P16', 'E6'],
    async play({ stripe, step }) {
      const challenged = {
        amount: 2000,
        currency: 'usd',
        confirm: true,
        payment_method: 'pm_card_threeDSecure2Required',
      }
      const next = (intent: { status: string; next_action: { type: string } | null }) => ({
        status: intent.status,
        next: intent.next_action?.type ?? null,
      })
      const return_url = 'https://example.com/back'
      await step('return_url', () => stripe.paymentIntents.create({ ...challenged, return_url }), next)
      await step(
        'use_stripe_sdk',
        () => stripe.paymentIntents.create({ ...challenged, use_stripe_sdk: true, return_url }),
        next,
      )
      await step(
        'redirects off',
        () =>
          stripe.paymentIntents.create({
            ...challenged,
            automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
          }),
        next,
      )
      await step('neither', () => stripe.paymentIntents.create(challenged), next)
    },
  },
  {
    name: 'a challenge that may not be: off session, error_on_requires_action',
    rows: ['P14', 'P15'],
    async play({ stripe, step }) {
      const challenged = { ...paid, payment_method: 'pm_card_authenticationRequired' }
      await step('off_session', () => stripe.paymentIntents.create({ ...challenged, off_session: true }))
      await step('error_on_requires_action', () =>
        stripe.paymentIntents.create({ ...challenged, error_on_requires_action: true }),
      )
    },
  },
  {
    name: 'saving cards: a template is a new card each time, some cannot be saved, one fails later',
    rows: ['C11', 'C12', 'C34', 'E11'],
    async play({ stripe, step, must }) {
      const customer = await must('customer', () => stripe.customers.create({ name: 'Conformance' }))
      const attach = (id: string) => stripe.paymentMethods.attach(id, { customer: customer.id })
      const first = await must(
        'attach a template',
        () => attach('pm_card_visa'),
        ({ id }) => ({
          template: id.startsWith('pm_card'),
        }),
      )
      await step(
        'attach it again',
        () => attach('pm_card_visa'),
        ({ id }) => ({ same: id === first.id }),
      )
      await step('attach a card that declines', () => attach('pm_card_visa_chargeDeclined'))
      const failing = await must('attach a card that fails later', () => attach('pm_card_chargeCustomerFail'))
      await step('charge it', () =>
        stripe.paymentIntents.create({ ...paid, customer: customer.id, payment_method: failing.id }),
      )
      await step(
        'detach',
        () => stripe.paymentMethods.detach(first.id),
        (method) => ({
          customer: method.customer,
        }),
      )
      await step('detach again', () => stripe.paymentMethods.detach(first.id))
      await step('pay with what was detached', () =>
        stripe.paymentIntents.create({ ...paid, payment_method: first.id }),
      )
      await step('delete the customer', () => stripe.customers.del(customer.id))
    },
  },
]
