import type { Metadata } from 'next'
import { Suspense } from 'react'
import { CardList, CardListSkeleton } from '@/components/cards/card-list'
import { PageLink } from '@/components/site/page-link'
import { buttonLook } from '@/components/ui/button'
import { EmptyState } from '@/components/ui/empty-state'
import { PageHeader } from '@/components/ui/page-header'
import { requireUserOrSignIn, type User } from '@/lib/auth/session'
import { listCards } from '@/lib/payment-methods/list-cards'

export const metadata: Metadata = { title: 'Cards' }

export default async function CardsPage() {
  const user = await requireUserOrSignIn('/cards')

  return (
    <div className="column">
      <PageHeader title="Cards">Saved at Stripe, so that you can pay in one step.</PageHeader>
      <Suspense fallback={<CardListSkeleton />}>
        <Cards user={user} />
      </Suspense>
    </div>
  )
}

async function Cards({ user }: { user: User }) {
  const cards = await listCards({ user })
  const add = (
    <PageLink href="/cards/new" className={buttonLook('primary')}>
      Add a card
    </PageLink>
  )

  if (cards.length === 0) {
    return (
      <EmptyState title="No saved cards" action={add}>
        A card you add appears here, and in the checkout. You can remove it at any time.
      </EmptyState>
    )
  }
  return (
    <>
      <CardList cards={cards} />
      <div className="mt-6">{add}</div>
    </>
  )
}
