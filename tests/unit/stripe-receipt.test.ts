import { beforeEach, describe, expect, it, vi } from 'vitest'

const answers = vi.hoisted(() => ({
  payment: null as unknown,
  charge: null as unknown,
  apiBase: null as string | null,
}))
vi.mock('@/lib/db/sql', () => ({ callService: async () => answers.payment }))
vi.mock('@/lib/log', () => ({ log: { warn: () => {} }, errorFields: () => ({}) }))
vi.mock('@/lib/env', () => ({ env: () => ({ stripe: { apiBase: answers.apiBase } }) }))
vi.mock('@/lib/stripe/server', () => ({
  askStripe: async () => {
    if (answers.charge instanceof Error) throw answers.charge
    return { latest_charge: answers.charge }
  },
}))
const { findStripeReceipt } = await import('@/lib/payments/find-stripe-receipt')

const PAYMENT = {
  id: '7a0e8f10-0000-4000-8000-000000000001',
  orderId: null,
  status: 'succeeded',
  amountMinor: 100,
  currency: 'eur',
  intentId: 'pi_1',
  request: null,
  attempt: 1,
  attemptAgeSeconds: 1,
  createdAt: '2026-11-26T00:00:00Z',
  version: 1,
}
const find = () => findStripeReceipt({ user: { id: 'u', email: 'e' }, paymentId: PAYMENT.id })

beforeEach(() => {
  Object.assign(answers, { payment: PAYMENT, charge: null, apiBase: null })
})

describe("Stripe's receipt of a payment", () => {
  it('is where Stripe says it is', async () => {
    answers.charge = { receipt_url: 'https://pay.stripe.com/receipts/payment/abc' }

    expect(await find()).toBe('https://pay.stripe.com/receipts/payment/abc')
  })

  it.each([
    'http://pay.stripe.com/receipts/1',
    'https://pay.stripe.com.example.test/1',
    'https://evilstripe.com/1',
    'javascript:alert(1)',
    'not an address',
  ])('is nowhere else: %s', async (receipt_url) => {
    answers.charge = { receipt_url }

    expect(await find()).toBeNull()
  })

  it('is none for a stranger, without a charge, without one at Stripe, and while Stripe is away', async () => {
    const found = []
    for (const charge of [null, 'ch_1', { receipt_url: null }, new Error('away')]) {
      answers.charge = charge
      found.push(await find())
    }
    answers.charge = { receipt_url: 'https://pay.stripe.com/receipts/1' }
    answers.payment = null
    found.push(await find())

    expect(found).toEqual([null, null, null, null, null])
  })
})
