import { randomUUID } from 'node:crypto'
import type { Person } from './people'
import { stack } from './stack-in-test'

export type Options = {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE'

  /** Which server to ask; the first when it does not matter. */
  server?: string
  /** The Idempotency-Key; null sends none. */
  key?: string | null
  headers?: Record<string, string>
}

/** What a person asks for by a GET. */
export function get(path: string, person: Person | null, options: Options = {}): Promise<Response> {
  return post(path, person, undefined, { ...options, method: 'GET' })
}

/** A POST (or PUT) as the app's own pages send it: with their Origin, the person's session and a key. Text is sent as it is. */
export function post(
  path: string,
  person: Person | null,
  body: unknown,
  { server = stack().serverUrls[0], key = randomUUID(), headers, method = 'POST' }: Options = {},
): Promise<Response> {
  return fetch(`${server}${path}`, {
    method,
    headers: {
      'content-type': 'application/json',
      origin: stack().appOrigin,
      ...(key === null ? {} : { 'idempotency-key': key }),
      ...(person ? { cookie: person.cookie } : {}),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
}

export function startPayment(person: Person, orderId: string, options?: Options): Promise<Response> {
  return post('/api/payments/create-payment-intent', person, { orderId }, options)
}

export function refund(
  by: Person | null,
  paymentId: string,
  body: unknown,
  options?: Options,
): Promise<Response> {
  return post(`/api/payments/${paymentId}/refunds`, by, body, options)
}

/** 503 says that nothing is known to be done, and to ask again with the same key: what a careful caller does. */
export async function untilAnswered(
  ask: (key: string) => Promise<Response>,
  key: string = randomUUID(),
): Promise<Response> {
  for (;;) {
    const response = await ask(key)
    if (response.status !== 503) return response
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

/** What the page does once a person has confirmed that they want to go. */
export function eraseAccount(person: Person | null, options?: Options): Promise<Response> {
  return post('/api/privacy/erasure', person, { confirm: 'delete' }, options)
}

/** What the scheduler does every few seconds. */
export function sweep(server = stack().serverUrls[0]): Promise<Response> {
  return fetch(`${server}/api/cron/sweep`, {
    method: 'POST',
    headers: { authorization: `Bearer ${stack().env.CRON_SECRET}` },
  })
}
