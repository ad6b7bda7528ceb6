'use client'

import { PaymentElement, useElements, useStripe } from '@stripe/react-stripe-js'
import type { Stripe, StripeElements, StripeError } from '@stripe/stripe-js'
import { type FormEvent, useEffect, useId, useRef, useState } from 'react'
import { CardFieldsSkeleton } from '@/components/payments/card-fields-skeleton'
import { declineWords } from '@/components/payments/decline-words'
import { StartFailureNotice } from '@/components/payments/start-failure-notice'
import { Button } from '@/components/ui/button'
import { classNames } from '@/components/ui/class-names'
import { Notice } from '@/components/ui/notice'
import { startCardSetup } from './start-card-setup'

export type CardConsent = { version: string; text: string }

const LOST_CONNECTION = 'The connection broke before we had an answer. Press the button again.'
const TOO_MANY = 'Several cards were not accepted. Please wait before you try another.'
const NOT_AGREED = 'Please tick the box: without your consent we may not keep the card.'

/** Stripe's fields, the words to agree to, and the one button. */
export function SaveCardFields({ consent }: { consent: CardConsent }) {
  const stripe = useStripe()
  const elements = useElements()
  const [loaded, setLoaded] = useState<'no' | 'yes' | 'failed'>('no')
  const [busy, setBusy] = useState(false)
  const [message, setMessage] = useState<string | null>(null)
  const [isAgreed, setAgreed] = useState(false)
  const box = useRef<HTMLInputElement>(null)
  const saving = useRef(false)
  // One key for as long as the page lives: another try goes on with the same SetupIntent, until that one is over.
  const key = useRef<string>(undefined)
  const boxId = useId()

  useEffect(() => {
    // Coming back with the browser's own button can show this page as it was, half way through saving.
    const startAfresh = (event: PageTransitionEvent) => event.persisted && window.location.reload()
    window.addEventListener('pageshow', startAfresh)
    return () => window.removeEventListener('pageshow', startAfresh)
  }, [])

  async function save(event: FormEvent) {
    event.preventDefault()
    if (!stripe || !elements || saving.current) return
    if (!isAgreed) {
      setMessage(NOT_AGREED)
      box.current?.focus()
      return
    }
    saving.current = true
    setBusy(true)
    setMessage(null)
    key.current ??= crypto.randomUUID()

    const failure = await saveCard({ stripe, elements, consent: consent.version, key: key.current })
    if (failure === null) {
      window.location.assign('/cards')
      return
    }
    if (failure.isOver) key.current = undefined
    setMessage(failure.problem || null)
    saving.current = false
    setBusy(false)
  }

  if (loaded === 'failed')
    return <StartFailureNotice failure={{ kind: 'no-stripe' }} retry={() => window.location.reload()} />
  return (
    <form onSubmit={save} className="space-y-6">
      <div className="grid grid-cols-1">
        {loaded === 'no' && (
          <div className="col-start-1 row-start-1">
            <CardFieldsSkeleton />
          </div>
        )}
        <div
          className={classNames(
            'col-start-1 row-start-1 min-w-0 transition-opacity',
            loaded === 'no' && 'pointer-events-none opacity-0',
          )}
        >
          <PaymentElement onReady={() => setLoaded('yes')} onLoadError={() => setLoaded('failed')} />
        </div>
      </div>
      <label htmlFor={boxId} className="flex min-h-11 cursor-pointer items-start gap-3 text-14">
        <input
          ref={box}
          id={boxId}
          type="checkbox"
          checked={isAgreed}
          onChange={(event) => setAgreed(event.target.checked)}
          className="mt-0.5 size-4.5 shrink-0 accent-accent"
        />
        {consent.text}
      </label>
      {message && (
        <Notice tone="bad" urgent>
          {message}
        </Notice>
      )}
      <Button
        type="submit"
        kind="primary"
        className="w-full"
        busy={busy}
        disabled={!stripe || !elements || loaded === 'no'}
      >
        Save card
      </Button>
    </form>
  )
}

type Saving = { stripe: Stripe; elements: StripeElements; consent: string; key: string }
/** What to say, or '' where Stripe's fields say it themselves. */
type Failure = { problem: string; isOver?: boolean }

/** @returns null when the card is kept */
async function saveCard({ stripe, elements, consent, key }: Saving): Promise<Failure | null> {
  const { error: mistake } = await elements.submit()
  if (mistake) return { problem: wordsFor(mistake) }
  const setup = await startCardSetup(consent, key)
  if ('problem' in setup) return setup
  const { error } = await stripe
    .confirmSetup({
      elements,
      clientSecret: setup.clientSecret,
      redirect: 'if_required',
      confirmParams: {
        return_url: `${window.location.origin}/cards`,
        // What the person has just agreed to: the checkout may offer it.
        payment_method_data: { allow_redisplay: 'always' },
      },
    })
    .catch(() => ({ error: { type: 'api_connection_error' } as StripeError }))
  if (error?.setup_intent?.status === 'canceled') return { problem: TOO_MANY, isOver: true }
  // Saved by a press of the button whose answer was lost.
  if (!error || error.code === 'setup_intent_unexpected_state') return null
  return { problem: wordsFor(error) }
}

function wordsFor(error: StripeError): string {
  if (error.type === 'validation_error') return ''
  if (error.type === 'api_connection_error') return LOST_CONNECTION
  if (error.code === 'setup_intent_authentication_failure')
    return 'Your bank could not confirm that it is you. Try again or use another card.'
  return declineWords({ code: error.code, declineCode: error.decline_code })
}
