import { randomUUID } from 'node:crypto'
import { customer, line, newApiKey, newName, type Order, placeOrder, readOrder } from './api-keys'
import { newStaff } from './paid'
import { cancelRequest, requestedOf, requestPayment } from './payment-requests'
import { newUserRow } from './payment-rows'
import { get, post } from './requests'
import { stack } from './stack-in-test'
import { limitOf, putLimit, REASON, replay, setRole, setSwitch } from './staff'
import { eventOf, postEvent } from './stripe-events'

/** One request that is answered for each address of staff and of other systems. */
export async function staffRequests() {
  const { appOrigin, env } = stack()
  const admin = await newStaff('admin')
  const { secret, apiKey } = await newApiKey(admin)
  const order = { customerId: (await customer()).customerId, lines: [line()] }
  const placed = (await (await placeOrder(secret, order)).json()) as Order
  const requested = await requestedOf(await requestPayment(admin, { customerId: order.customerId }))
  const event = eventOf('x.y', { object: 'x', id: randomUUID() })
  await postEvent(appOrigin, event, { secret: env.STRIPE_WEBHOOK_SECRET ?? '' })
  const key = { name: newName(), scopes: ['orders:read'], reason: REASON }
  return {
    'GET /api/admin/events': () => get('/api/admin/events', admin),
    'POST /api/admin/replays': () => replay(admin, { eventId: event.id }),
    'GET /api/admin/switches': () => get('/api/admin/switches', admin),
    'PUT /api/admin/switches/[name]': () => setSwitch(admin, 'refunds', true),
    'GET /api/admin/payment-limits': () => get('/api/admin/payment-limits', admin),
    'PUT /api/admin/payment-limits/[rule]': async () => {
      const { value, version } = await limitOf(admin, 'amount_min')
      return await putLimit(admin, 'amount_min', { value, version })
    },
    'GET /api/admin/staff': () => get('/api/admin/staff', admin),
    'PUT /api/admin/staff/[userId]': async () => setRole(admin, await newUserRow(), 'auditor'),
    'GET /api/admin/api-keys': () => get('/api/admin/api-keys', admin),
    'POST /api/admin/api-keys': () => post('/api/admin/api-keys', admin, key),
    'GET /api/admin/payment-requests': () => get('/api/admin/payment-requests', admin),
    'POST /api/admin/payment-requests': () => requestPayment(admin, { customerId: order.customerId }),
    'POST /api/admin/payment-requests/[id]/cancellation': () => cancelRequest(admin, requested.id),
    'POST /api/orders': () => placeOrder(secret, order),
    'GET /api/orders/[id]': () => readOrder(secret, placed.order.id),
    // Last: the key is of no use after it.
    'POST /api/admin/api-keys/[id]/revocation': () =>
      post(`/api/admin/api-keys/${apiKey.id}/revocation`, admin, { reason: REASON }),
  }
}
