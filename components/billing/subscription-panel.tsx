import { Instant } from '@/components/ui/instant'
import { Money } from '@/components/ui/money'
import { Facts, Panel } from '@/components/ui/panel'
import { Status } from '@/components/ui/status'
import type { MySubscription } from '@/lib/billing/my-subscriptions'
import { OwedNotice } from './owed-notice'
import { ProviderButton } from './provider-button'
import { isOver, subscriptionWords } from './subscription-words'

/** One subscription: how it stands, what is owed, and the way to change it. */
export function SubscriptionPanel({ subscription }: { subscription: MySubscription }) {
  const { amountMinor, currency, interval, cancelAt, currentPeriodEnd, endedAt } = subscription
  const over = isOver(subscription)
  const runs = !over && subscription.status !== 'incomplete'
  const facts = [
    amountMinor !== null &&
      currency !== null && {
        term: 'Price',
        value: (
          <>
            <Money amountMinor={amountMinor} currency={currency} /> a {interval}
          </>
        ),
      },
    { term: 'Since', value: <Instant at={subscription.beganAt} /> },
    runs && !cancelAt && currentPeriodEnd && { term: 'Renews', value: <Instant at={currentPeriodEnd} /> },
    runs && cancelAt && { term: 'Ends', value: <Instant at={cancelAt} /> },
    over && endedAt && { term: 'Ended', value: <Instant at={endedAt} /> },
  ]
  return (
    <Panel aria-label={subscription.plan ?? 'Subscription'} className="px-4 py-5 sm:px-6">
      <div className="flex items-center justify-between gap-4">
        <h2 className="text-20">{subscription.plan ?? 'Subscription'}</h2>
        <Status {...subscriptionWords(subscription)} />
      </div>
      {subscription.owed && !over && <OwedNotice owed={subscription.owed} />}
      <Facts facts={facts.filter((fact) => typeof fact === 'object' && fact !== null)} />
      {!over && (
        <ProviderButton action="/api/billing/portal-sessions" here="/subscription" className="mt-4">
          {cancelAt ? 'Resume or change' : 'Change, cancel or update card'}
        </ProviderButton>
      )}
    </Panel>
  )
}
