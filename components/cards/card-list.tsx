import { CardLabel } from '@/components/payments/card-label'
import { Panel } from '@/components/ui/panel'
import { Bar, Skeleton } from '@/components/ui/skeleton'
import { Status } from '@/components/ui/status'
import type { SavedCard } from '@/lib/payment-methods/views'
import { CardActions } from './card-actions'

/** A person's saved cards, the newest first. */
export function CardList({ cards }: { cards: SavedCard[] }) {
  return (
    <Panel aria-label="Your cards" className="px-4 py-1 sm:px-6">
      <ul className="divide-y">
        {cards.map((card) => (
          <li key={card.id} className="flex flex-wrap items-center justify-between gap-x-6 py-3">
            <div className="text-14">
              <p className="font-medium">
                <CardLabel card={card} />
              </p>
              <p className="flex flex-wrap items-center gap-x-4">
                <span className="tabular-nums text-ink-soft">
                  {card.expiry === 'expired' ? 'Expired' : 'Expires'} {expiryText(card)}
                </span>
                <Notes card={card} />
              </p>
            </div>
            <CardActions card={card} />
          </li>
        ))}
      </ul>
    </Panel>
  )
}

function Notes({ card }: { card: SavedCard }) {
  return (
    <>
      {card.isDefault && (
        <Status
          tone="good"
          word="Default"
          explanation="What comes by itself, like a subscription, is charged to this card."
        />
      )}
      {card.expiry === 'soon' && (
        <Status
          tone="warn"
          word="Expires soon"
          explanation="Add the new card when you have it. Many banks let the new one take the place of the old by themselves."
        />
      )}
      {card.expiry === 'expired' && (
        <Status tone="bad" word="Expired" explanation="This card cannot pay any more. Add another." />
      )}
    </>
  )
}

/** As it is printed on the card. */
function expiryText({ expMonth, expYear }: SavedCard): string {
  return `${String(expMonth).padStart(2, '0')}/${String(expYear % 100).padStart(2, '0')}`
}

/** The shape of the list while it is fetched. */
export function CardListSkeleton() {
  return (
    <Skeleton label="Loading your cards" className="rounded border bg-raised px-4 py-1 shadow-flat sm:px-6">
      {['w-36', 'w-44'].map((width) => (
        <div key={width} className="flex min-h-17 items-center justify-between border-b last:border-b-0">
          <div className="space-y-2">
            <Bar className={`h-3.5 ${width}`} />
            <Bar className="h-3.5 w-24" />
          </div>
          <Bar className="h-3.5 w-20" />
        </div>
      ))}
    </Skeleton>
  )
}
