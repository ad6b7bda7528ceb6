/**
 * What Stripe takes in each currency (stripe.A1-A6). Amounts are integers in the currency's minor unit as Stripe counts it:
 * `exponent` says how many of them make one (10 to that power).
 */
export type Currency = {
  exponent: 0 | 2 | 3
  /** Smallest charge, minor units. Where no published figure is known this is the smallest step, so nothing right is refused. */
  minimum: number
  /** Amounts must be a multiple of this: ISK and UGX have no fractions but keep two digits; three-digit currencies end in 0. */
  step: number
}

const ZERO_DECIMAL = 'bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'
const THREE_DECIMAL = 'bhd jod kwd omr tnd'
const WHOLE_WITH_TWO_DIGITS = 'isk ugx'
const TWO_DECIMAL = `
  aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc cve czk dkk dop
  dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr jmd kes kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd
  mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle
  sos srd std szl thb tjs top try ttd twd tzs uah usd uyu uzs wst xcd yer zar zmw`

const MINIMUMS: Record<string, number> = {
  usd: 50,
  aud: 50,
  brl: 50,
  cad: 50,
  chf: 50,
  eur: 50,
  nzd: 50,
  sgd: 50,
  inr: 50,
  gbp: 30,
  bgn: 100,
  aed: 200,
  myr: 200,
  pln: 200,
  ron: 200,
  dkk: 250,
  nok: 300,
  sek: 300,
  hkd: 400,
  mxn: 1000,
  thb: 1000,
  czk: 1500,
  huf: 17500,
  jpy: 50,
}

const MAXIMUM = 99_999_999

const CURRENCIES = new Map<string, Currency>([
  ...group(ZERO_DECIMAL, 0, 1),
  ...group(TWO_DECIMAL, 2, 1),
  ...group(WHOLE_WITH_TWO_DIGITS, 2, 100),
  ...group(THREE_DECIMAL, 3, 10),
])

function group(codes: string, exponent: Currency['exponent'], step: number): [string, Currency][] {
  return codes
    .trim()
    .split(/\s+/)
    .map((code) => [code, { exponent, step, minimum: MINIMUMS[code] ?? step }])
}

export function findCurrency(code: string): Currency | null {
  return CURRENCIES.get(code) ?? null
}

export type AmountProblem = { code: string; message: string }

/** Why Stripe would not charge this amount; null when it would. */
export function checkAmount(amountMinor: number, code: string, currency: Currency): AmountProblem | null {
  if (amountMinor > MAXIMUM) {
    return {
      code: 'amount_too_large',
      message: `Amount must be no more than ${formatAmount(MAXIMUM, code)}`,
    }
  }
  if (amountMinor < currency.minimum) {
    const least = `${formatAmount(currency.minimum, code)} ${code}`
    return { code: 'amount_too_small', message: `Amount must be at least ${least}` }
  }
  if (amountMinor % currency.step === 0) return null
  if (currency.exponent === 2) {
    return {
      code: 'invalid_charge_amount',
      message: `Invalid amount. Currency ${code.toUpperCase()} has become effectively zero-decimal and charged amounts must be evenly divisible by ${currency.step}.`,
    }
  }
  return {
    code: 'parameter_invalid_integer',
    message: `Invalid amount. Amounts in ${code.toUpperCase()} must end in 0: the last of the three decimal places cannot be charged.`,
  }
}

/** As Stripe writes amounts in messages: `$0.50`, `¥50`. */
export function formatAmount(amountMinor: number, code: string): string {
  const exponent = findCurrency(code)?.exponent ?? 2
  return new Intl.NumberFormat('en-US', {
    style: 'currency',
    currency: code,
    currencyDisplay: 'narrowSymbol',
    minimumFractionDigits: exponent,
    maximumFractionDigits: exponent,
  }).format(amountMinor / 10 ** exponent)
}
