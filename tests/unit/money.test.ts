import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { currencyExponent, formatMoney, isChargeable, MAX_AMOUNT_MINOR, parseMoney } from '@/lib/money'

const CURRENCIES = ['eur', 'usd', 'jpy', 'kwd', 'isk', 'ugx', 'huf', 'clp', 'bhd']
/** What Intl writes between number and currency sign. */
const plain = (text: string) => text.replaceAll('\u00a0', ' ')

describe('money', () => {
  it('shows each currency with the decimals it is written with', () => {
    expect(plain(formatMoney(2400, 'eur'))).toBe('€24.00')
    expect(plain(formatMoney(1800, 'jpy'))).toBe('¥1,800')
    expect(plain(formatMoney(12500, 'kwd'))).toBe('KWD 12.500')
    expect(plain(formatMoney(-2400, 'eur'))).toBe('-€24.00')
  })

  it("counts in Stripe's decimals where they differ from Intl's", () => {
    expect(currencyExponent('isk')).toBe(2)
    expect(plain(formatMoney(780000, 'isk'))).toBe('ISK 7,800')
    expect(plain(formatMoney(50, 'isk'))).toBe('ISK 0.50')
    expect(currencyExponent('ugx')).toBe(2)
    expect(plain(formatMoney(500, 'ugx'))).toBe('UGX 5')
  })

  it('reads back what a person types (I6)', () => {
    const seed = Date.now()
    console.info(`seed ${seed}`)

    fc.assert(
      fc.property(
        fc.constantFrom(...CURRENCIES),
        fc.integer({ min: 1, max: MAX_AMOUNT_MINOR }),
        (currency, any) => {
          const amountMinor = currencyExponent(currency) === 3 ? Math.max(10, any - (any % 10)) : any
          const digits = String(amountMinor).padStart(currencyExponent(currency) + 1, '0')
          const cut = digits.length - currencyExponent(currency)
          const typed =
            currencyExponent(currency) === 0 ? digits : `${digits.slice(0, cut)}.${digits.slice(cut)}`

          const read = parseMoney(typed, currency)

          expect(read).toBe(amountMinor)
          expect(Number.isSafeInteger(read)).toBe(true)
        },
      ),
      { numRuns: 1000, seed },
    )
  })

  it('refuses what is no amount in the currency', () => {
    for (const [text, currency] of [
      ['24.001', 'eur'],
      ['1800.5', 'jpy'],
      ['12.505', 'kwd'],
      ['1e5', 'eur'],
      ['-1', 'eur'],
      ['0', 'eur'],
      ['', 'eur'],
      ['NaN', 'eur'],
      ['1,000', 'eur'],
      ['1000000', 'eur'],
    ] as const) {
      expect(() => parseMoney(text, currency), `${text} ${currency}`).toThrow(RangeError)
    }
  })

  it('takes whole minor units in range only, and thousandths that end in 0', () => {
    expect(isChargeable(1, 'eur')).toBe(true)
    expect(isChargeable(MAX_AMOUNT_MINOR, 'eur')).toBe(true)
    for (const amount of [0, -1, 1.5, 1e21, Number.NaN, MAX_AMOUNT_MINOR + 1])
      expect(isChargeable(amount, 'eur')).toBe(false)
    expect(isChargeable(5120, 'kwd')).toBe(true)
    expect(isChargeable(5124, 'kwd')).toBe(false)
  })
})
