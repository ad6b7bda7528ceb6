// Objects beside payments: customers, metadata, webhook endpoints, events.
import { paid, type Scenario } from './scenario.ts'

export const objectScenarios: readonly Scenario[] = [
  {
    name: 'a customer that is deleted',
    rows: ['L7', 'R5'],
    async play({ stripe, step, must }) {
      const { id } = await must('create', () =>
        stripe.customers.create({ name: 'Ada', email: 'ada@example.com' }),
      )
      await step(
        'update',
        () => stripe.customers.update(id, { name: '' }),
        ({ name }) => ({ name }),
      )
      await step(
        'delete',
        () => stripe.customers.del(id),
        ({ deleted }) => ({ deleted }),
      )
      await step(
        'retrieve',
        () => stripe.customers.retrieve(id),
        (customer) => ({ fields: Object.keys(customer).sort() }),
      )
      await step('update what is deleted', () => stripe.customers.update(id, { name: 'Eve' }))
      await step('delete again', () => stripe.customers.del(id))
      await step('pay as it', () => stripe.paymentIntents.create({ ...paid, customer: id }))
      const odd = await step('an address that is none', () =>
        stripe.customers.create({ email: 'no address' }),
      )
      if (odd) await step('clean up', () => stripe.customers.del(odd.id))
    },
  },
  {
    name: 'metadata: limits, merging, unsetting',
    rows: ['L4'],
    async play({ stripe, step, must }) {
      const { id } = await must('create', () => stripe.customers.create({ metadata: { a: '1', b: '2' } }))
      const set = (metadata: Record<string, string> | '') => () => stripe.customers.update(id, { metadata })
      const facts = ({ metadata }: { metadata: Record<string, string> }) => ({
        metadata: Object.keys(metadata).sort(),
      })
      await step('merged', set({ c: '3' }), facts)
      await step('one unset', set({ a: '' }), facts)
      await step('key of 41', set({ ['k'.repeat(41)]: 'x' }))
      await step('value of 501', set({ long: 'v'.repeat(501) }))
      await step('brackets in a key', set({ 'x[y]': 'z' }))
      const many = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, 'x']))
      await step('51 keys', set(many))
      await step('all unset', set(''), facts)
      await step('clean up', () => stripe.customers.del(id))
    },
  },
  {
    name: 'a webhook endpoint: its secret, bad addresses, deletion',
    rows: ['W15'],
    async play({ stripe, step, must }) {
      const url = 'https://example.com/conformance'
      const endpoint = await must(
        'create',
        () => stripe.webhookEndpoints.create({ url, enabled_events: ['charge.refunded'] }),
        ({ secret, status }) => ({ secret: secret?.startsWith('whsec_') ?? false, status }),
      )
      await step(
        'retrieve',
        () => stripe.webhookEndpoints.retrieve(endpoint.id),
        ({ secret }) => ({
          secret: secret !== undefined,
        }),
      )
      await step('no url', () => stripe.webhookEndpoints.create({ url: 'nonsense', enabled_events: ['*'] }))
      const odd = await step('unknown event', () =>
        stripe.rawRequest('POST', '/v1/webhook_endpoints', { url, enabled_events: ['no.such.event'] }),
      )
      if (odd) await step('clean up', () => stripe.webhookEndpoints.del(String(odd.id)))
      await step('no events', () => stripe.webhookEndpoints.create({ url, enabled_events: [] }))
      await step(
        'delete',
        () => stripe.webhookEndpoints.del(endpoint.id),
        ({ deleted }) => ({ deleted }),
      )
      await step('delete again', () => stripe.webhookEndpoints.del(endpoint.id))
    },
  },
  {
    name: 'the events of a payment, and what they say of their cause',
    rows: ['W11', 'W13', 'L5', 'W12'],
    async play({ stripe, step, must, settle }) {
      const { id } = await must('pay', () => stripe.paymentIntents.create(paid))
      await settle()
      await step(
        'list',
        () => stripe.events.list({ types: ['payment_intent.succeeded'], limit: 10 }),
        ({ data }) => {
          const event = data.find(({ data: { object } }) => 'id' in object && object.id === id)
          return {
            found: event !== undefined,
            prefix: event?.id.slice(0, 5),
            request: typeof event?.request?.id,
            key: typeof event?.request?.idempotency_key,
            apiVersion: event?.api_version,
          }
        },
      )
    },
  },
]
