import { buttonLook } from '@/components/ui/button'
import { Instant } from '@/components/ui/instant'
import { Notice } from '@/components/ui/notice'
import type { MySubscription } from '@/lib/billing/my-subscriptions'

type Owed = NonNullable<MySubscription['owed']>

/** A payment that did not go through: until when that changes nothing, and the way to put it right. */
export function OwedNotice({ owed }: { owed: Owed }) {
  const isRunning = owed.grace === 'running'
  return (
    <Notice
      className="my-4"
      tone={isRunning ? 'warn' : 'bad'}
      title={owed.needsAction ? 'Your bank wants you to confirm a payment' : 'A payment did not go through'}
      action={
        // A plain link on purpose, as to every page that takes cards.
        <a href={`/checkout/invoices/${owed.invoiceId}`} className={buttonLook('primary')}>
          {owed.needsAction ? 'Confirm the payment' : 'Pay now'}
        </a>
      }
    >
      {isRunning && owed.graceEndsAt ? (
        <>
          You keep everything until <Instant at={owed.graceEndsAt} />. Pay by then and nothing changes.
        </>
      ) : (
        'What belongs to this plan is closed until the payment is made.'
      )}
    </Notice>
  )
}
