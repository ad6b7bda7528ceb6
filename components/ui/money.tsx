import { formatMoney } from '@/lib/money'
import { classNames } from './class-names'

type MoneyProps = {
  amountMinor: number
  currency: string
  /** Leave the currency out: for a column whose heading names it once. */
  bare?: boolean
  className?: string
}

/** An amount with its currency's own decimals. Figures are all of one width, so that columns line up. */
export function Money({ amountMinor, currency, bare = false, className }: MoneyProps) {
  const text = formatMoney(amountMinor, currency)
  return (
    <span className={classNames('whitespace-nowrap tabular-nums', className)}>
      {bare ? figuresOf(text, amountMinor) : text}
    </span>
  )
}

/** From the first digit to the last, with the sign kept: "−€1,200.50" → "−1,200.50". */
function figuresOf(text: string, amountMinor: number): string {
  const figures = text.match(/\d(?:.*\d)?/)?.[0] ?? text
  return amountMinor < 0 ? `−${figures}` : figures
}
