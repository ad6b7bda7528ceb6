import { describe, expect, it } from 'vitest'
import {
  brandOf,
  checkExpiry,
  checkNumber,
  formatExpiry,
  formatNumber,
} from '../../../sandbox/stripe/browser/frame/card-rules.js'
import { encodeForm } from '../../../sandbox/stripe/browser/frame/stripe-api.js'

const NOVEMBER_2026 = new Date(2026, 10, 21)

describe('card rules', () => {
  it.each([
    ['4242424242424242', 'Visa', '4242 4242 4242 4242'],
    ['5555555555554444', 'Mastercard', '5555 5555 5555 4444'],
    ['2223003122003222', 'Mastercard', '2223 0031 2200 3222'],
    ['378282246310005', 'American Express', '3782 822463 10005'],
    ['6011111111111117', 'Discover', '6011 1111 1111 1117'],
    ['3566002020360505', 'JCB', '3566 0020 2036 0505'],
    ['3056930009020004', 'Diners Club', '3056 9300 0902 0004'],
    ['36227206271667', 'Diners Club', '3622 720627 1667'],
    ['6200000000000005', 'UnionPay', '6200 0000 0000 0005'],
  ])('%s is a complete %s number', (number, brand, formatted) => {
    expect(brandOf(number).name).toBe(brand)
    expect(formatNumber(number)).toBe(formatted)
    expect(checkNumber(formatted)).toBeNull()
  })

  it('a number cannot grow past its brand', () => {
    expect(formatNumber('42424242424242429999')).toBe('4242 4242 4242 4242')
  })

  it.each([
    ['1', '1'],
    ['2', '02 / '],
    ['12', '12 / '],
    ['13', '01 / 3'],
    ['1/', '01 / '],
    ['1234', '12 / 34'],
    ['12/2034', '12 / 34'],
  ])('the expiry "%s" becomes "%s"', (typed, formatted) => {
    expect(formatExpiry(typed)).toBe(formatted)
  })

  it.each([
    ['12 / 3', 'incomplete_expiry'],
    ['00 / 34', 'invalid_expiry_month'],
    ['10 / 26', 'invalid_expiry_month_past'],
    ['12 / 25', 'invalid_expiry_year_past'],
    ['12 / 95', 'invalid_expiry_year'],
  ])('in November 2026 the expiry "%s" is %s', (text, code) => {
    expect(checkExpiry(text, NOVEMBER_2026)?.code).toBe(code)
  })

  it('a card is good until the end of its month', () => {
    expect(checkExpiry('11 / 26', NOVEMBER_2026)).toBeNull()
  })
})

describe("Stripe's form encoding", () => {
  it('nests objects and lists, leaves out what is undefined and unsets with an empty value', () => {
    const form = encodeForm({ a: { b: 1, c: undefined }, list: ['x', { y: true }], gone: null })

    expect([...form]).toEqual([
      ['a[b]', '1'],
      ['list[0]', 'x'],
      ['list[1][y]', 'true'],
      ['gone', ''],
    ])
  })
})
