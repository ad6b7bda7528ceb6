import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { waitUntilReady } from '../../scripts/health'
import { freePort } from '../../scripts/ports'
import { root } from '../../scripts/processes'
import { newStaff, paid, until } from '../support/paid'
import { newOrder } from '../support/payment-rows'
import { newPerson } from '../support/people'
import { refund, startPayment } from '../support/requests'
import { startServer } from '../support/stack'
import { stack } from '../support/stack-in-test'
import { type StripeProxy, startStripeProxy } from '../support/stripe-proxy'

const { env } = stack()

/** What Stripe says to a restricted key, in its own words. */
const forbidden = (permission: string) => ({
  status: 403,
  body: {
    error: {
      type: 'invalid_request_error',
      message: `The provided key 'rk_test_*********canary' does not have the required permissions for this endpoint on account 'acct_canary'. Having the '${permission}' permission would allow this request to continue.`,
    },
  },
})

describe('a restricted key that lacks a permission [S-3]', () => {
  const lines: string[] = []
  let missing: { path: RegExp; permission: string } | undefined
  let stripe: StripeProxy
  let url: string
  let stop: () => Promise<void>

  beforeAll(async () => {
    stripe = await startStripeProxy(env.STRIPE_API_BASE ?? '', (asked) =>
      missing?.path.test(asked) ? forbidden(missing.permission) : undefined,
    )
    const port = await freePort()
    url = `http://localhost:${port}`
    // A busy machine is no outage of Redis, without which no refund is made.
    const settings = { ...env, STRIPE_API_BASE: stripe.url, REDIS_TIMEOUT_MS: '3000' }
    const server = startServer(port, settings, (line) => lines.push(line))
    stop = server.stop
    await waitUntilReady(url, 60_000)
  })

  afterAll(async () => {
    await stop()
    await stripe.close()
  })

  const pay = async () => {
    const person = await newPerson()
    return await startPayment(person, await newOrder(person.id), { server: url })
  }
  const sendBack = async () => {
    const { paymentId } = await paid()
    return await refund(
      await newStaff('admin'),
      paymentId,
      { amountMinor: 100, reason: 'requested_by_customer' },
      { server: url },
    )
  }

  it.each([
    ['rak_customer_write', /^\/v1\/customers$/, pay],
    ['rak_payment_intent_write', /^\/v1\/payment_intents$/, pay],
    ['rak_charge_write', /^\/v1\/refunds$/, sendBack],
  ])('is told to whoever runs this, by name, and to nobody else: %s', async (permission, path, act) => {
    missing = { path, permission }
    const response = await act()
    missing = undefined
    const text = await response.text()
    const told = () =>
      lines.some((line) => line.includes('stripe_permission_missing') && line.includes(permission))

    expect(response.status).toBe(503)
    expect(text).not.toMatch(/rak_|permission|rk_test|acct_/)
    // The log comes on a way of its own, and may be behind the answer.
    await until(async () => told())
    expect(lines.join('\n')).not.toContain('canary')
  })

  it('needs just the permissions that the documentation names', () => {
    const text = readFileSync(path.join(root, 'docs', 'deploy.md'), 'utf8')

    for (const name of [
      'Customers',
      'Customer sessions',
      'PaymentMethods',
      'SetupIntents',
      'PaymentIntents',
      'Refunds',
      'Charges',
      'Disputes',
      'Balance transactions',
      'Events',
    ])
      expect(text).toContain(name)
  })
})
