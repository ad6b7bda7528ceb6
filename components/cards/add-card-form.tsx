'use client'

import { Elements } from '@stripe/react-stripe-js'
import type { Stripe } from '@stripe/stripe-js'
import { useEffect, useState } from 'react'
import { CardFieldsSkeleton } from '@/components/payments/card-fields-skeleton'
import { elementAppearance, onSchemeChange } from '@/components/payments/element-appearance'
import { StartFailureNotice } from '@/components/payments/start-failure-notice'
import { Button } from '@/components/ui/button'
import { getStripe } from '@/lib/stripe/browser'
import { type CardConsent, SaveCardFields } from './save-card-fields'

type AddCardFormProps = {
  stripe: { stripePublishableKey: string; stripeJsUrl: string | null }
  consent: CardConsent
}

/** Loads Stripe's fields. What Stripe needs of us is asked for when the person has agreed, and not before. */
export function AddCardForm({ stripe: { stripePublishableKey, stripeJsUrl }, consent }: AddCardFormProps) {
  const [stripe, setStripe] = useState<Stripe | 'loading' | 'failed'>('loading')
  const [appearance, setAppearance] = useState(() =>
    typeof window === 'undefined' ? {} : elementAppearance(),
  )

  useEffect(() => {
    let gone = false
    getStripe({ stripePublishableKey, stripeJsUrl })
      .catch(() => null)
      .then((loaded) => {
        if (!gone) setStripe(loaded ?? 'failed')
      })
    return () => {
      gone = true
    }
  }, [stripePublishableKey, stripeJsUrl])

  useEffect(() => {
    setAppearance(elementAppearance())
    return onSchemeChange(() => setAppearance(elementAppearance()))
  }, [])

  if (stripe === 'failed')
    return <StartFailureNotice failure={{ kind: 'no-stripe' }} retry={() => window.location.reload()} />
  if (stripe === 'loading') {
    return (
      <div className="space-y-6">
        <CardFieldsSkeleton />
        <Button kind="primary" className="w-full" disabled>
          Save card
        </Button>
      </div>
    )
  }
  return (
    <Elements stripe={stripe} options={{ mode: 'setup', currency: 'eur', appearance }}>
      <SaveCardFields consent={consent} />
    </Elements>
  )
}
