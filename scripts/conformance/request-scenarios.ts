// Requests that are wrong, repeated, or made at once.
import type Stripe from 'stripe'
import { paid, payment, type Scenario } from './scenario.ts'

const replayed = (answer: { lastResponse: { headers: Record<string, string> } }) => ({
  replayed: answer.lastResponse.headers['idempotent-replayed'] ?? null,
})

export const requestScenarios: readonly Scenario[] = [
  {
    name: 'a key used again: same request, other parameters, other address',
    rows: ['I2', 'I3', 'I6'],
    async play({ stripe, step, must, runId }) {
      const idempotencyKey = `${runId}-again`
      const first = await must(
        'first',
        () => stripe.customers.create({ name: 'Ada' }, { idempotencyKey }),
        replayed,
      )
      await step(
        'same',
        () => stripe.customers.create({ name: 'Ada' }, { idempotencyKey }),
        (again) => ({
          ...replayed(again),
          sameObject: again.id === first.id,
        }),
      )
      await step('other parameters', () => stripe.customers.create({ name: 'Bob' }, { idempotencyKey }))
      await step('other address', () =>
        stripe.customers.update(first.id, { name: 'Ada' }, { idempotencyKey }),
      )
      await step('clean up', () => stripe.customers.del(first.id))
    },
  },
  {
    name: 'a key whose first answer was an error',
    rows: ['I2', 'I5'],
    async play({ stripe, step, runId }) {
      const declined = { ...paid, payment_method: 'pm_card_visa_chargeDeclined' }
      const options = (name: string) => ({ idempotencyKey: `${runId}-${name}` })
      await step('declined', () => stripe.paymentIntents.create(declined, options('declined')))
      await step('declined, again', () => stripe.paymentIntents.create(declined, options('declined')))
      await step('declined, mended', () => stripe.paymentIntents.create(paid, options('declined')))
      const invalid = { ...payment, amount: 1 }
      await step('invalid', () => stripe.paymentIntents.create(invalid, options('invalid')))
      await step('invalid, mended', () => stripe.paymentIntents.create(payment, options('invalid')), replayed)
      await step('too long a key', () => stripe.customers.create({}, { idempotencyKey: 'k'.repeat(256) }))
    },
  },
  {
    name: 'two requests with one key at once',
    rows: ['I4'],
    async play({ stripe, step, runId }) {
      const idempotencyKey = `${runId}-at-once`
      await step(
        'both',
        async () => {
          const outcomes = await Promise.allSettled(
            Array.from({ length: 4 }, () => stripe.paymentIntents.create(paid, { idempotencyKey })),
          )
          const ids = outcomes.flatMap((outcome) =>
            outcome.status === 'fulfilled' ? [outcome.value.id] : [],
          )
          const errors = outcomes.flatMap((outcome) =>
            outcome.status === 'rejected' ? [outcome.reason] : [],
          )
          return {
            objects: new Set(ids).size,
            errors: errors.map(({ statusCode, rawType, code }) => `${statusCode} ${rawType} ${code}`),
          }
        },
        ({ objects, errors }) => ({ objects, errors: [...new Set(errors)].sort() }),
      )
    },
  },
  {
    name: 'parameters that are unknown, missing, empty or of the wrong kind',
    rows: ['R6'],
    async play({ stripe, step }) {
      const create = (params: Record<string, unknown>) => () =>
        stripe.rawRequest('POST', '/v1/payment_intents', params)
      await step('unknown', create({ ...payment, colour: 'red' }))
      await step(
        'unknown, inside',
        create({ ...payment, shipping: { name: 'A', address: { strasse: 'x' } } }),
      )
      await step('of an older version', create({ ...payment, payment_method_types: ['card'] }))
      await step('missing', create({ currency: 'usd' }))
      await step('missing, inside', create({ ...payment, shipping: { address: { line1: 'x' } } }))
      await step('empty', create({ ...payment, currency: '' }))
      await step('no number', create({ ...payment, amount: 'ten' }))
      await step('a fraction', create({ ...payment, amount: 10.5 }))
      await step('negative', create({ ...payment, amount: -5 }))
      await step('no boolean', create({ ...payment, confirm: 'yes' }))
      await step('none of the set', create({ ...payment, capture_method: 'sometime' }))
      await step('text for fields', create({ ...payment, shipping: 'x' }))
      await step('return_url without confirm', create({ ...payment, return_url: 'https://example.com/' }))
      await step('no method to confirm', create({ ...payment, confirm: true }))
      await step(
        'a card by its number',
        create({
          ...payment,
          confirm: true,
          payment_method_data: {
            type: 'card',
            card: { number: '4242424242424242', exp_month: 12, exp_year: 2040, cvc: '123' },
          },
        }),
      )
    },
  },
  {
    name: 'objects and addresses that do not exist',
    rows: ['R5', 'R7'],
    async play({ stripe, step }) {
      await step('customer in the path', () => stripe.customers.retrieve('cus_none'))
      await step('payment in the path', () => stripe.paymentIntents.retrieve('pi_none'))
      await step('charge in the path', () => stripe.charges.retrieve('ch_none'))
      await step('event in the path', () => stripe.events.retrieve('evt_none'))
      await step('customer in a parameter', () =>
        stripe.paymentIntents.create({ ...payment, customer: 'cus_none' }),
      )
      await step('method in a parameter', () =>
        stripe.paymentIntents.create({ ...payment, payment_method: 'pm_none' }),
      )
      await step('payment in a parameter', () => stripe.refunds.create({ payment_intent: 'pi_none' }))
      await step('customer of a list', () => stripe.paymentMethods.list({ customer: 'cus_none' }))
      await step('an object of another kind', () => stripe.customers.retrieve('pi_none'))
      await step('unknown address', () => stripe.rawRequest('GET', '/v1/no_such_thing'))
      await step('unknown method', () => stripe.rawRequest('DELETE', '/v1/payment_intents'))
    },
  },
  {
    name: 'keys that are wrong',
    rows: ['R3'],
    async play({ stripe, step }) {
      const balance = (apiKey: string) => () => stripe.customers.list({}, { apiKey })
      await step('unknown', balance('sk_test_00000000000000000000000000'))
      await step('no key at all', balance('nonsense'))
    },
  },
  {
    name: 'lists: cursors, limits, order, filters',
    rows: ['L1', 'L2', 'W14'],
    async play({ stripe, step, must }) {
      const made: Stripe.Customer[] = []
      for (const name of ['a', 'b', 'c']) made.push(await must(name, () => stripe.customers.create({ name })))
      const [oldest, , newest] = made.map(({ id }) => id)
      const names = ({ data, has_more }: Stripe.ApiList<Stripe.Customer>) => ({
        names: data.map(({ name }) => name),
        has_more,
      })
      await step('newest first', () => stripe.customers.list({ limit: 2 }), names)
      await step('after', () => stripe.customers.list({ limit: 1, starting_after: newest }), names)
      await step('before', () => stripe.customers.list({ limit: 1, ending_before: oldest }), names)
      await step('both', () => stripe.customers.list({ starting_after: newest, ending_before: oldest }))
      await step('no such cursor', () => stripe.customers.list({ starting_after: 'cus_none' }))
      await step('limit 0', () => stripe.customers.list({ limit: 0 }))
      await step('limit 101', () => stripe.customers.list({ limit: 101 }))
      await step('type and types', () =>
        stripe.events.list({ type: 'charge.succeeded', types: ['charge.failed'] }),
      )
      await step('a filter that is not there', () =>
        stripe.rawRequest('GET', '/v1/payment_methods?created[gt]=1'),
      )
      for (const { id } of made) await step('clean up', () => stripe.customers.del(id))
    },
  },
  {
    name: 'expand: what cannot be, too deep, inside of lists',
    rows: ['L3'],
    async play({ stripe, step, must }) {
      const { id } = await must('pay', () => stripe.paymentIntents.create(paid))
      const retrieve = (path: string) => () => stripe.paymentIntents.retrieve(id, { expand: [path] })
      await step('not expandable', retrieve('amount'))
      await step('no such field', retrieve('nonsense'))
      await step(
        'five levels',
        retrieve('latest_charge.payment_intent.latest_charge.payment_intent.latest_charge'),
      )
      await step('four levels', retrieve('latest_charge.payment_intent.latest_charge.payment_intent'))
      await step('empty reference', retrieve('customer'), ({ customer }) => ({ customer }))
      await step('list without data', () => stripe.charges.list({ payment_intent: id, expand: ['customer'] }))
      await step(
        'list',
        () => stripe.charges.list({ payment_intent: id, expand: ['data.payment_intent'] }),
        ({ data }) => ({
          expanded: typeof data[0]?.payment_intent,
        }),
      )
    },
  },
]
