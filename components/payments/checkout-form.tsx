'use client'

import { Elements } from '@stripe/react-stripe-js'
import type { Stripe } from '@stripe/stripe-js'
import { useCallback, useEffect, useRef, useState } from 'react'
import { Button } from '@/components/ui/button'
import { formatMoney } from '@/lib/money'
import { isFinal } from '@/lib/payments/status'
import { getStripe } from '@/lib/stripe/browser'
import { CardFieldsSkeleton } from './card-fields-skeleton'
import { elementAppearance, onSchemeChange } from './element-appearance'
import { PayFields } from './pay-fields'
import { startCardChoice } from './start-card-choice'
import { StartFailureNotice } from './start-failure-notice'
import { type StartedPayment, type StartFailure, startPayment } from './start-payment'

type CheckoutFormProps = {
  orderId: string
  /** For the label of the button before the payment exists. What is charged is decided by the server alone. */
  amountMinor: number
  currency: string
  stripe: { stripePublishableKey: string; stripeJsUrl: string | null }
}

type Payable = StartedPayment & { clientSecret: string }

type Stage =
  | { name: 'preparing' }
  | { name: 'failed'; failure: StartFailure }
  | { name: 'paying'; stripe: Stripe; payment: Payable; cardChoice: string | null }

const PREPARING: Stage = { name: 'preparing' }

/** Opens the payment of one order, then hands over to Stripe's fields. */
export function CheckoutForm({ orderId, amountMinor, currency, stripe }: CheckoutFormProps) {
  const [stage, setStage] = useState<Stage>(PREPARING)
  const [attempt, setAttempt] = useState(1)
  const running = useRef<{ attempt: number; stage: Promise<Stage> }>(undefined)
  const key = useRef<string>(undefined)
  const { stripePublishableKey, stripeJsUrl } = stripe

  useEffect(() => {
    let gone = false
    if (running.current?.attempt !== attempt) {
      // One key for as long as the page lives: whatever is asked again can only find the same payment.
      key.current ??= crypto.randomUUID()
      running.current = {
        attempt,
        stage: prepare(orderId, key.current, { stripePublishableKey, stripeJsUrl }),
      }
    }
    running.current.stage.then((next) => {
      if (!gone) setStage(next)
    })
    return () => {
      gone = true
    }
  }, [attempt, orderId, stripePublishableKey, stripeJsUrl])

  useEffect(() => {
    // Coming back with the browser's own button can show this page as it was, half way through paying.
    const startAfresh = (event: PageTransitionEvent) => event.persisted && window.location.reload()
    window.addEventListener('pageshow', startAfresh)
    return () => window.removeEventListener('pageshow', startAfresh)
  }, [])

  const tryAgain = useCallback(() => {
    setStage(PREPARING)
    setAttempt((count) => count + 1)
  }, [])

  if (stage.name === 'failed') {
    return <StartFailureNotice key={attempt} failure={stage.failure} orderId={orderId} retry={tryAgain} />
  }
  if (stage.name === 'preparing') {
    return (
      <div className="space-y-6">
        <CardFieldsSkeleton />
        <Button kind="primary" className="w-full" disabled>
          Pay {formatMoney(amountMinor, currency)}
        </Button>
      </div>
    )
  }
  return <StripeFields {...stage} />
}

function StripeFields({ stripe, payment, cardChoice }: Extract<Stage, { name: 'paying' }>) {
  const [appearance, setAppearance] = useState(elementAppearance)

  useEffect(() => onSchemeChange(() => setAppearance(elementAppearance())), [])

  return (
    <Elements
      stripe={stripe}
      options={{
        clientSecret: payment.clientSecret,
        appearance,
        ...(cardChoice && { customerSessionClientSecret: cardChoice }),
      }}
    >
      <PayFields payment={payment} />
    </Elements>
  )
}

async function prepare(orderId: string, key: string, config: CheckoutFormProps['stripe']): Promise<Stage> {
  if (!arrivedAsDocument()) {
    // A client-side navigation brought another page's security policy along, under which Stripe may not load.
    window.location.reload()
    return PREPARING
  }
  const [stripe, answer, cardChoice] = await Promise.all([
    getStripe(config).catch(() => null),
    startPayment(orderId, key),
    startCardChoice(),
  ])
  if ('failure' in answer) return { name: 'failed', failure: answer.failure }

  const { payment } = answer
  if (isFinal(payment.status) || payment.status === 'processing' || payment.status === 'requires_capture') {
    window.location.assign(`/payments/${payment.id}/result`)
    return PREPARING
  }
  if (!stripe) return { name: 'failed', failure: { kind: 'no-stripe' } }
  if (!payment.clientSecret) return { name: 'failed', failure: { kind: 'unavailable', requestId: null } }
  return { name: 'paying', stripe, payment: { ...payment, clientSecret: payment.clientSecret }, cardChoice }
}

function arrivedAsDocument(): boolean {
  const [entry] = performance.getEntriesByType('navigation')
  return !entry || new URL(entry.name).pathname === window.location.pathname
}
