'use client'

import { useEffect } from 'react'
import { PageLink } from '@/components/site/page-link'
import { Button, buttonLook } from '@/components/ui/button'
import { classNames } from '@/components/ui/class-names'
import { CopyId } from '@/components/ui/copy-id'
import { AlertIcon, BusyIcon, CheckIcon, ClockIcon } from '@/components/ui/icons'
import { Money } from '@/components/ui/money'
import { Notice, type Tone } from '@/components/ui/notice'
import { Facts, Panel } from '@/components/ui/panel'
import type { PaymentDetail } from '@/lib/payments/views'
import { CardLabel } from './card-label'
import { type ResultView, resultView } from './result-words'
import { type PaymentWatch, usePaymentWatch } from './use-payment-watch'

const SIGN = { busy: BusyIcon, done: CheckIcon, waiting: ClockIcon, attention: AlertIcon }

const SIGN_LOOK: Record<Tone, string> = {
  plain: 'bg-sunken text-ink-soft',
  good: 'bg-good/12 text-good',
  warn: 'bg-warn/14 text-warn',
  bad: 'bg-bad/10 text-bad',
}

/** How a payment ended, as our server tells it. */
export function PaymentResult({ initial }: { initial: PaymentDetail }) {
  const watch = usePaymentWatch(initial)
  const view = resultView(watch)
  const { payment } = watch
  const Sign = SIGN[view.sign]

  useEffect(() => {
    // What Stripe put into the address decides nothing here, and should not be shared or bookmarked.
    if (window.location.search) window.history.replaceState(null, '', window.location.pathname)
  }, [])

  return (
    <Panel aria-label="Result" className="p-6 sm:p-8">
      <div role="status" aria-atomic="true">
        <div key={view.title} className="rise-in">
          <span
            className={classNames(
              'mb-4 flex size-10 items-center justify-center rounded-full',
              SIGN_LOOK[view.tone],
            )}
          >
            <Sign width={20} height={20} />
          </span>
          <h1 className="text-20">{view.title}</h1>
          <p className="mt-1 text-16 text-ink-soft">{view.text}</p>
        </div>
      </div>
      <div className="mt-6 border-t pt-2">
        <Facts
          facts={[
            {
              term: 'Amount',
              value: (
                <Money
                  amountMinor={payment.amountMinor}
                  currency={payment.currency}
                  className="text-16 font-semibold"
                />
              ),
            },
            ...(payment.card ? [{ term: 'Card', value: <CardLabel card={payment.card} /> }] : []),
            { term: 'Reference', value: <CopyId value={payment.reference} label="payment reference" /> },
          ]}
        />
      </div>
      {watch.unreachable && (
        <Notice tone="warn" urgent className="mt-4" title="We cannot reach the server">
          Your payment is not affected. We keep trying.
        </Notice>
      )}
      <NextStep view={view} watch={watch} />
    </Panel>
  )
}

function NextStep({ view, watch }: { view: ResultView; watch: PaymentWatch }) {
  const { payment, again } = watch
  const detail = (kind: 'secondary' | 'quiet') => (
    <PageLink href={`/payments/${payment.id}`} className={buttonLook(kind, 'w-full')}>
      See the payment
    </PageLink>
  )
  switch (view.next) {
    case 'none':
      return null
    case 'receipt':
      return <div className="mt-6">{detail('secondary')}</div>
    case 'check':
      return (
        <div className="mt-6 space-y-2">
          <Button className="w-full" onClick={again}>
            Check again
          </Button>
          {detail('quiet')}
        </div>
      )
    case 'order':
      return (
        <div className="mt-6 space-y-2">
          {payment.orderId && (
            <PageLink href={`/orders/${payment.orderId}`} className={buttonLook('secondary', 'w-full')}>
              Go to the order
            </PageLink>
          )}
          {detail('quiet')}
        </div>
      )
    case 'pay':
      return (
        <div className="mt-6 space-y-2">
          {payment.orderId && (
            <a href={`/checkout/${payment.orderId}`} className={buttonLook('primary', 'w-full')}>
              {payment.status === 'requires_action' ? 'Continue' : 'Try again'}
            </a>
          )}
          {detail('quiet')}
        </div>
      )
  }
}
