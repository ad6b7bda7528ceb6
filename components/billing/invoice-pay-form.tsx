'use client'

import { Elements } from '@stripe/react-stripe-js'
import type { Stripe } from '@stripe/stripe-js'
import { useEffect, useRef, useState } from 'react'
import { CardFieldsSkeleton } from '@/components/payments/card-fields-skeleton'
import { declineWords } from '@/components/payments/decline-words'
import { elementAppearance, onSchemeChange } from '@/components/payments/element-appearance'
import { PayFields } from '@/components/payments/pay-fields'
import { StartFailureNotice } from '@/components/payments/start-failure-notice'
import {
  type StartedPayment,
  type StartFailure,
  startInvoicePayment,
} from '@/components/payments/start-payment'
import { Button } from '@/components/ui/button'
import { Notice } from '@/components/ui/notice'
import { isFinal } from '@/lib/payments/status'
import { getStripe } from '@/lib/stripe/browser'

type InvoicePayFormProps = {
  invoiceId: string
  stripe: { stripePublishableKey: string; stripeJsUrl: string | null }
}

type Payment = StartedPayment & { clientSecret: string }
type Stage =
  | { name: 'preparing' }
  | { name: 'failed'; failure: StartFailure }
  | { name: 'paying'; stripe: Stripe; payment: Payment }

/** The bank's question where it has one, and Stripe's fields for another card. */
export function InvoicePayForm({ invoiceId, stripe: keys }: InvoicePayFormProps) {
  const [stage, setStage] = useState<Stage>({ name: 'preparing' })
  const running = useRef<Promise<Stage>>(undefined)
  const { stripePublishableKey, stripeJsUrl } = keys

  useEffect(() => {
    let gone = false
    running.current ??= prepare(invoiceId, { stripePublishableKey, stripeJsUrl })
    running.current.then((next) => {
      if (!gone) setStage(next)
    })
    return () => {
      gone = true
    }
  }, [invoiceId, stripePublishableKey, stripeJsUrl])

  if (stage.name === 'preparing') return <CardFieldsSkeleton />
  if (stage.name === 'failed')
    return <StartFailureNotice failure={stage.failure} retry={() => window.location.reload()} />
  const { stripe, payment } = stage
  return payment.status === 'requires_action' ? (
    <AskBank stripe={stripe} payment={payment} />
  ) : (
    <AnotherCard stripe={stripe} payment={payment} />
  )
}

/** The card is known and the amount is fixed: only the bank's question is open. */
function AskBank({ stripe, payment }: { stripe: Stripe; payment: Payment }) {
  const [state, setState] = useState<'idle' | 'busy' | 'refused'>('idle')

  async function ask() {
    setState('busy')
    const { error } = await stripe
      .handleNextAction({ clientSecret: payment.clientSecret })
      .catch(() => ({ error: { code: 'unknown' } }))
    if (error) return setState('refused')
    window.location.assign(`/payments/${payment.id}/result`)
  }

  if (state === 'refused') {
    return (
      <div className="space-y-6">
        <Notice tone="bad" urgent>
          {declineWords({ code: 'authentication_failed' })}
        </Notice>
        <AnotherCard stripe={stripe} payment={payment} />
      </div>
    )
  }
  return (
    <Button kind="primary" className="w-full" busy={state === 'busy'} onClick={ask}>
      Confirm with your bank
    </Button>
  )
}

function AnotherCard({ stripe, payment }: { stripe: Stripe; payment: Payment }) {
  const [appearance, setAppearance] = useState(elementAppearance)
  useEffect(() => onSchemeChange(() => setAppearance(elementAppearance())), [])
  return (
    <Elements stripe={stripe} options={{ clientSecret: payment.clientSecret, appearance }}>
      <PayFields payment={payment} />
    </Elements>
  )
}

async function prepare(invoiceId: string, keys: InvoicePayFormProps['stripe']): Promise<Stage> {
  const [stripe, answer] = await Promise.all([
    getStripe(keys).catch(() => null),
    startInvoicePayment(invoiceId),
  ])
  if ('failure' in answer) return { name: 'failed', failure: answer.failure }
  const { payment } = answer
  if (isFinal(payment.status) || payment.status === 'processing') {
    window.location.assign(`/payments/${payment.id}/result`)
    return { name: 'preparing' }
  }
  if (!stripe) return { name: 'failed', failure: { kind: 'no-stripe' } }
  if (!payment.clientSecret) return { name: 'failed', failure: { kind: 'unavailable', requestId: null } }
  return { name: 'paying', stripe, payment: { ...payment, clientSecret: payment.clientSecret } }
}
