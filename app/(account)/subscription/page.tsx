import type { Metadata } from 'next'
import { SubscriptionPanel } from '@/components/billing/subscription-panel'
import { isOver } from '@/components/billing/subscription-words'
import { WaitForSubscription } from '@/components/billing/wait-for-subscription'
import { PageLink } from '@/components/site/page-link'
import { buttonLook } from '@/components/ui/button'
import { EmptyState } from '@/components/ui/empty-state'
import { PageHeader } from '@/components/ui/page-header'
import { requireUserOrSignIn } from '@/lib/auth/session'
import { mySubscriptions } from '@/lib/billing/my-subscriptions'

export const metadata: Metadata = { title: 'Subscription' }

type SubscriptionPageProps = { searchParams: Promise<{ from?: string | string[] }> }

export default async function SubscriptionPage({ searchParams }: SubscriptionPageProps) {
  const user = await requireUserOrSignIn('/subscription')
  const [{ from }, { subscriptions, isSubscribing }] = await Promise.all([
    searchParams,
    mySubscriptions(user),
  ])
  const isWaiting = from === 'checkout' && isSubscribing && !subscriptions.some((one) => !isOver(one))

  return (
    <div className="column">
      <PageHeader title="Subscription">What you have, what it costs, and how to change it.</PageHeader>
      {isWaiting && <WaitForSubscription />}
      {subscriptions.length === 0 && !isWaiting && (
        <EmptyState
          title="No subscription yet"
          action={
            <PageLink href="/plans" className={buttonLook('primary')}>
              See the plans
            </PageLink>
          }
        >
          Once you subscribe to a plan, it appears here with its price and when it renews.
        </EmptyState>
      )}
      <div className="space-y-6">
        {subscriptions.map((subscription) => (
          <SubscriptionPanel key={subscription.id} subscription={subscription} />
        ))}
      </div>
    </div>
  )
}
