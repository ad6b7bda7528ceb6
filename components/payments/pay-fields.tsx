'use client'

import { PaymentElement, useElements, useStripe } from '@stripe/react-stripe-js'
import type { StripeError } from '@stripe/stripe-js'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { Button } from '@/components/ui/button'
import { classNames } from '@/components/ui/class-names'
import { Notice } from '@/components/ui/notice'
import { formatMoney } from '@/lib/money'
import { CardFieldsSkeleton } from './card-fields-skeleton'
import { declineWords } from './decline-words'
import { StartFailureNotice } from './start-failure-notice'
import type { StartedPayment } from './start-payment'

const LOST_CONNECTION =
  'The connection broke before we had an answer. Press the button again: the same payment cannot be charged twice.'

/** Stripe's fields and the one button. The card number is typed into Stripe's own frame and never reaches this page. */
export function PayFields({ payment }: { payment: StartedPayment }) {
  const stripe = useStripe()
  const elements = useElements()
  const [loaded, setLoaded] = useState<'no' | 'yes' | 'failed'>('no')
  const [busy, setBusy] = useState(false)
  const [message, setMessage] = useState<string | null>(null)
  const paying = useRef(false)
  const button = useRef<HTMLButtonElement>(null)
  const resultPath = `/payments/${payment.id}/result`

  useEffect(() => {
    // A disabled button loses the focus to something around it; give it back to whoever pays by keyboard.
    if (!busy && message && document.activeElement?.contains(button.current)) button.current?.focus()
  }, [busy, message])

  async function pay(event: FormEvent) {
    event.preventDefault()
    // The ref answers at once; the disabled button only after the next paint, which a double click can beat.
    if (!stripe || !elements || paying.current) return
    paying.current = true
    setBusy(true)
    setMessage(null)

    const { error } = await stripe
      .confirmPayment({
        elements,
        redirect: 'if_required',
        confirmParams: { return_url: `${window.location.origin}${resultPath}` },
      })
      .catch(() => ({ error: { type: 'api_connection_error' } as StripeError }))

    if (!error || error.code === 'payment_intent_unexpected_state') {
      // Done, or ended some other way meanwhile. Either way the result page asks the server what is true.
      window.location.assign(resultPath)
      return
    }
    setMessage(wordsFor(error))
    paying.current = false
    setBusy(false)
  }

  if (loaded === 'failed') {
    return <StartFailureNotice failure={{ kind: 'no-stripe' }} retry={() => window.location.reload()} />
  }
  return (
    <form onSubmit={pay} className="space-y-6">
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
      {message && (
        <Notice tone="bad" urgent>
          {message}
        </Notice>
      )}
      <Button
        ref={button}
        type="submit"
        kind="primary"
        className="w-full"
        busy={busy}
        disabled={!stripe || !elements || loaded === 'no'}
      >
        Pay {formatMoney(payment.amountMinor, payment.currency)}
      </Button>
    </form>
  )
}

/** What to say about a try that did not work; null where Stripe's fields say it themselves. */
function wordsFor(error: StripeError): string | null {
  if (error.type === 'validation_error') return null
  if (error.type === 'api_connection_error') return LOST_CONNECTION
  return declineWords({ code: error.code, declineCode: error.decline_code })
}
