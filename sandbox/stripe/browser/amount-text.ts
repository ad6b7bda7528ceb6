const ZERO_DECIMAL = new Set('BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'.split(' '))
const THREE_DECIMAL = new Set('BHD JOD KWD OMR TND'.split(' '))

/** An amount in Stripe's minor units (ISK and UGX count as two-decimal there) for a person to read. */
export function amountText(amountMinor: number, currency: string): string {
  const code = currency.toUpperCase()
  const decimals = ZERO_DECIMAL.has(code) ? 0 : THREE_DECIMAL.has(code) ? 3 : 2
  return new Intl.NumberFormat('en', { style: 'currency', currency: code }).format(
    amountMinor / 10 ** decimals,
  )
}
