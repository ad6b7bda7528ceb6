const BRANDS: Readonly<Record<string, string>> = {
  amex: 'American Express',
  cartes_bancaires: 'Cartes Bancaires',
  diners: 'Diners Club',
  discover: 'Discover',
  eftpos_au: 'Eftpos',
  jcb: 'JCB',
  mastercard: 'Mastercard',
  unionpay: 'UnionPay',
  visa: 'Visa',
}

/** "Visa •••• 4242", read out as "Visa ending in 4242". */
export function CardLabel({ card }: { card: { brand: string; last4: string } }) {
  return (
    <span className="whitespace-nowrap tabular-nums">
      {BRANDS[card.brand] ?? 'Card'} <span aria-hidden="true">••••</span>
      <span className="sr-only">ending in</span> {card.last4}
    </span>
  )
}
