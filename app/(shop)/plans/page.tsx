import type { Metadata } from 'next'
import { PlanList } from '@/components/billing/plan-list'
import { isOver } from '@/components/billing/subscription-words'
import { PageHeader } from '@/components/ui/page-header'
import { findUserOfPage } from '@/lib/auth/session'
import { listPlans } from '@/lib/billing/list-plans'
import { mySubscriptions } from '@/lib/billing/my-subscriptions'

export const metadata: Metadata = { title: 'Plans' }

export default async function PlansPage() {
  const user = await findUserOfPage()
  const [plans, mine] = await Promise.all([listPlans(), user ? mySubscriptions(user) : null])
  const running = (mine?.subscriptions ?? []).filter((one) => !isOver(one) && one.status !== 'incomplete')

  return (
    <div className="column">
      <PageHeader title="Plans">
        Paid by the month, with a card. You can change or cancel whenever you like.
      </PageHeader>
      <PlanList
        plans={plans}
        mine={running.flatMap(({ planId, group }) => (group === null ? [] : [{ planId, group }]))}
      />
    </div>
  )
}
