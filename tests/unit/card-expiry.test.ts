import { describe, expect, it } from 'vitest'
import { endsByNextMonth, expiryOf } from '@/lib/payment-methods/expiry'

describe('a card', () => {
  const card = { expMonth: 2, expYear: 2028 }

  it.each([
    ['2027-12-31T23:59:59Z', 'valid'],
    ['2028-01-01T00:00:00Z', 'soon'],
    ['2028-02-29T23:59:59Z', 'soon'],
    ['2028-03-01T00:00:00Z', 'expired'],
  ] as const)('for 02/28 is, at %s, %s', (now, expiry) => {
    expect(expiryOf(card, new Date(now))).toBe(expiry)
  })

  it.each([
    ['2027-12-31T23:59:59Z', false],
    ['2028-01-01T00:00:00Z', true],
    ['2028-02-29T23:59:59Z', true],
    ['2028-03-01T00:00:00Z', false],
  ])('for 02/28 is told of by mail at %s: %s', (now, told) => {
    expect(endsByNextMonth(card, new Date(now))).toBe(told)
  })
})
