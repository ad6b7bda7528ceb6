import { PageLink } from '@/components/site/page-link'
import { buttonLook } from '@/components/ui/button'
import { EmptyState } from '@/components/ui/empty-state'
import { Money } from '@/components/ui/money'
import { Status } from '@/components/ui/status'
import type { Plan } from '@/lib/billing/list-plans'
import { ProviderButton } from './provider-button'

/** What can be subscribed to. Of each group of plans a person has one: where they have it, the way on is their own page. */
export function PlanList({
  plans,
  mine,
}: {
  plans: Plan[]
  mine: { planId: string | null; group: string }[]
}) {
  if (plans.length === 0) {
    return (
      <EmptyState title="No plans yet">
        Plans appear here with their prices as soon as there are any. Please come back later.
      </EmptyState>
    )
  }
  return (
    <ul className="divide-y border-y">
      {plans.map((plan) => (
        <li
          key={plan.id}
          className="grid grid-cols-[1fr_auto] items-center gap-x-6 py-5 sm:grid-cols-[1fr_auto_9rem]"
        >
          <div className="min-w-0">
            <h2 className="text-16 font-medium">{plan.name}</h2>
            <p className="mt-0.5 max-w-[48ch] text-14 text-ink-soft">{plan.description}</p>
          </div>
          <p className="text-right">
            <Money amountMinor={plan.amountMinor} currency={plan.currency} className="text-16" />
            <span className="block text-13 text-ink-soft">a {plan.interval}</span>
          </p>
          <div className="col-span-2 mt-3 sm:col-span-1 sm:mt-0 sm:text-right">
            <PlanStep plan={plan} mine={mine.find(({ group }) => group === plan.group)} />
          </div>
        </li>
      ))}
    </ul>
  )
}

function PlanStep({ plan, mine }: { plan: Plan; mine: { planId: string | null } | undefined }) {
  if (!mine) {
    return (
      <ProviderButton action="/api/billing/checkouts" body={{ planId: plan.id }} here="/plans">
        Subscribe<span className="sr-only"> to {plan.name}</span>
      </ProviderButton>
    )
  }
  if (mine.planId === plan.id) return <Status tone="good" word="Your plan" />
  return (
    <PageLink href="/subscription" className={buttonLook('quiet')}>
      Change<span className="sr-only"> to {plan.name}</span>
    </PageLink>
  )
}
