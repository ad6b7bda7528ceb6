/**
 * Money is whole minor units. How many of them make one unit is Stripe's to say, and it differs from `Intl` for a few
 * currencies (ISK and UGX count two decimals at Stripe and none in Intl), so this table serves input, display and limits.
 * Source: docs.stripe.com/currencies, read for API version 2026-10-28.endive.
 */
const ZERO_DECIMAL = new Set('bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' '))
const THREE_DECIMAL = new Set('bhd jod kwd omr tnd'.split(' '))

/** Stripe takes at most eight digits. */
export const MAX_AMOUNT_MINOR = 99_999_999

/** Decimals Stripe counts in for a currency: 0, 2 or 3. */
export function currencyExponent(currency: string): 0 | 2 | 3 {
  const code = currency.toLowerCase()
  if (ZERO_DECIMAL.has(code)) return 0
  return THREE_DECIMAL.has(code) ? 3 : 2
}

/** Whether an amount can be asked of Stripe: a positive whole number in range; thousandths end in 0. */
export function isChargeable(amountMinor: number, currency: string): boolean {
  if (!Number.isSafeInteger(amountMinor) || amountMinor < 1 || amountMinor > MAX_AMOUNT_MINOR) return false
  return currencyExponent(currency) !== 3 || amountMinor % 10 === 0
}

/** "€24.00", "¥1,800", "ISK 7,800": the currency's own decimals, from whole minor units and without floating point. */
export function formatMoney(amountMinor: number, currency: string, locale = 'en'): string {
  const exponent = currencyExponent(currency)
  const whole = decimalString(amountMinor, exponent)
  const format = new Intl.NumberFormat(locale, { style: 'currency', currency: currency.toUpperCase() })
  const shown = format.resolvedOptions().maximumFractionDigits ?? exponent
  // Stripe may count in hundredths what people write without (ISK): never round money away, show them when there are some.
  const digits = Math.max(shown, hasFraction(whole) ? exponent : 0)
  return new Intl.NumberFormat(locale, {
    style: 'currency',
    currency: currency.toUpperCase(),
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(whole as Intl.StringNumericLiteral)
}

/**
 * Whole minor units from what a person typed, like "24", "24.5" or "1800".
 * @throws RangeError when it is no plain decimal, has more decimals than the currency, or is out of range.
 */
export function parseMoney(text: string, currency: string): number {
  const exponent = currencyExponent(currency)
  const match = /^(\d{1,8})(?:\.(\d+))?$/.exec(text.trim())
  const fraction = match?.[2] ?? ''
  if (!match || fraction.length > exponent) throw new RangeError('not an amount in this currency')
  const amountMinor = Number(`${match[1]}${fraction.padEnd(exponent, '0')}`)
  if (!isChargeable(amountMinor, currency)) throw new RangeError('amount out of range')
  return amountMinor
}

/** "24.00", "1800": for machines, with Stripe's decimals and no sign of the currency. */
export function formatDecimal(amountMinor: number, currency: string): string {
  return decimalString(amountMinor, currencyExponent(currency))
}

function decimalString(amountMinor: number, exponent: number): string {
  if (!Number.isSafeInteger(amountMinor)) throw new RangeError('amounts are whole minor units')
  const digits = String(Math.abs(amountMinor)).padStart(exponent + 1, '0')
  const sign = amountMinor < 0 ? '-' : ''
  return exponent === 0 ? sign + digits : `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`
}

function hasFraction(decimal: string): boolean {
  return /\.\d*[1-9]/.test(decimal)
}
