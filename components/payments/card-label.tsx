import { brandName } from '@/lib/payment-methods/brands'

/** "Visa •••• 4242", read out as "Visa ending in 4242". */
export function CardLabel({ card }: { card: { brand: string; last4: string } }) {
  return (
    <span className="whitespace-nowrap tabular-nums">
      {brandName(card.brand) ?? 'Card'} <span aria-hidden="true">••••</span>
      <span className="sr-only">ending in</span> {card.last4}
    </span>
  )
}
