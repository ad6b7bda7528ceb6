import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { OrderLines } from '@/components/orders/order-lines'
import { OrderNextStep } from '@/components/orders/order-next-step'
import { ORDER_WORDS } from '@/components/orders/order-words'
import { PageLink } from '@/components/site/page-link'
import { CopyId } from '@/components/ui/copy-id'
import { ArrowLeftIcon } from '@/components/ui/icons'
import { Instant } from '@/components/ui/instant'
import { PageHeader } from '@/components/ui/page-header'
import { Panel } from '@/components/ui/panel'
import { Status } from '@/components/ui/status'
import { requireUserOrSignIn } from '@/lib/auth/session'
import { isAppError } from '@/lib/errors'
import { findRequestedOrder } from '@/lib/orders/find-requested-order'
import { getOrder } from '@/lib/orders/get-order'

export const metadata: Metadata = { title: 'Order' }

type OrderPageProps = { params: Promise<{ orderId: string }> }

export default async function OrderPage({ params }: OrderPageProps) {
  const { orderId } = await params
  const user = await requireUserOrSignIn(`/orders/${orderId}`)
  const order = await getOrder({ user, orderId }).catch(async (error: unknown) => {
    if (isAppError(error, 'not_found')) return await findRequestedOrder({ user, orderId })
    throw error
  })
  if (!order) notFound()

  return (
    <div className="column">
      <PageLink
        href="/"
        className="-mt-4 mb-2 -ml-1 inline-flex min-h-11 items-center gap-2 rounded px-1 text-14 text-ink-soft hover:text-ink"
      >
        <ArrowLeftIcon /> Catalogue
      </PageLink>
      <PageHeader title="Your order" aside={<Status {...ORDER_WORDS[order.status]} />}>
        <span className="flex flex-wrap items-center gap-x-3 text-14">
          <CopyId value={order.reference} label="order reference" />
          <Instant at={order.createdAt} />
        </span>
      </PageHeader>
      <Panel aria-label="What is owed" className="px-4 pt-2 pb-5 sm:px-6">
        <OrderLines order={order} />
      </Panel>
      <OrderNextStep order={order} />
    </div>
  )
}
