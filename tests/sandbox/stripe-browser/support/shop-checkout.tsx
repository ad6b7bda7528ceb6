import {
  CheckoutElementsProvider,
  PaymentElement,
  useCheckoutElements,
} from '@stripe/react-stripe-js/checkout'
import type { Stripe } from '@stripe/stripe-js'
import { type FormEvent, useState } from 'react'
import type { ShopSettings, ShopState } from './shop-settings.ts'

type Props = {
  settings: ShopSettings
  stripe: Promise<Stripe | null>
  record(name: string): (detail?: unknown) => void
}

type Confirm = NonNullable<ShopState['checkout']>['confirm']

/** The shop that sells with a Checkout Session whose fields are in its own page. */
export function ShopCheckout({ settings, stripe, record }: Props) {
  const [options] = useState(() => ({
    clientSecret: Promise.resolve(settings.clientSecret),
    elementsOptions: settings.appearance ? { appearance: settings.appearance } : {},
  }))
  return (
    <CheckoutElementsProvider stripe={stripe} options={options}>
      <CheckoutForm settings={settings} record={record} />
    </CheckoutElementsProvider>
  )
}

function CheckoutForm({ settings, record }: Pick<Props, 'settings' | 'record'>) {
  const state = useCheckoutElements()
  const [email, setEmail] = useState('')
  const [busy, setBusy] = useState(false)
  const [result, setResult] = useState('')
  if (state.type === 'loading') return <p>Loading</p>
  if (state.type === 'error') return <p role="alert">{state.error.message}</p>
  const { checkout } = state
  window.shop.checkout = checkout

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    setResult('')
    setResult(await confirm(checkout.confirm, settings))
    setBusy(false)
  }
  return (
    <form onSubmit={submit}>
      <output aria-label="Status">{checkout.status.type}</output>
      <output aria-label="Total">{checkout.total.total.amount}</output>
      <output aria-label="Known email">{checkout.email ?? 'none'}</output>
      <output aria-label="Can confirm">{String(checkout.canConfirm)}</output>
      <label>
        Email
        <input
          type="email"
          value={email}
          onChange={(event) => setEmail(event.target.value)}
          onBlur={() => checkout.updateEmail(email).then(record('emailanswer'))}
        />
      </label>
      <PaymentElement onReady={record('ready')} />
      <button type="submit" disabled={busy}>
        Pay
      </button>
      <output aria-label="Result">{result}</output>
    </form>
  )
}

async function confirm(send: Confirm, { redirect = 'if_required' }: ShopSettings): Promise<string> {
  try {
    const answer = await send({ redirect })
    window.shop.lastResult = answer
    if (answer.type === 'success') return `done ${answer.session.status.type}`
    const { error } = answer
    const reason = error.code === 'paymentFailed' ? (error.paymentFailed.declineCode ?? '-') : '-'
    return `error ${error.code} ${reason} ${error.message}`
  } catch (error) {
    return `thrown ${String(error)}`
  }
}
