import { findCurrency } from './currencies.ts'

/** How many of each currency one US dollar buys. Plausible and fixed, so that a run repeats exactly; no market was asked. */
const PER_DOLLAR: Record<string, number> = {
  aed: 3.6725,
  aud: 1.52,
  bgn: 1.8,
  brl: 5.45,
  cad: 1.37,
  chf: 0.88,
  czk: 23.1,
  dkk: 6.87,
  eur: 0.92,
  gbp: 0.79,
  hkd: 7.8,
  huf: 362,
  inr: 84,
  isk: 137,
  jpy: 152,
  krw: 1375,
  kwd: 0.307,
  mxn: 18.4,
  myr: 4.45,
  nok: 10.7,
  nzd: 1.66,
  pln: 3.95,
  ron: 4.58,
  sek: 10.5,
  sgd: 1.34,
  thb: 34.5,
  usd: 1,
}

const SIGNIFICANT_DIGITS = 6

export function canExchange(from: string, to: string): boolean {
  return from === to || (from in PER_DOLLAR && to in PER_DOLLAR)
}

/** What one unit of `from` is in `to`, both in major units, as `exchange_rate` of a balance transaction. Null for the same currency. */
export function exchangeRate(from: string, to: string): number | null {
  if (from === to) return null
  const rate = (PER_DOLLAR[to] ?? Number.NaN) / (PER_DOLLAR[from] ?? Number.NaN)
  if (Number.isNaN(rate)) throw new Error(`No exchange rate from ${from} to ${to}`)
  return Number(rate.toPrecision(SIGNIFICANT_DIGITS))
}

/** Minor units of `from` in minor units of `to`, rounded half away from zero so that a payment and its refund are the same amount. */
export function convert(amountMinor: number, from: string, to: string): number {
  const rate = exchangeRate(from, to)
  if (rate === null) return amountMinor
  const shift = 10 ** ((findCurrency(to)?.exponent ?? 2) - (findCurrency(from)?.exponent ?? 2))
  return Math.sign(amountMinor) * Math.round(Math.abs(amountMinor) * rate * shift)
}
