import {
  AddressElement,
  Elements,
  ExpressCheckoutElement,
  LinkAuthenticationElement,
  PaymentElement,
  useElements,
  useStripe,
} from '@stripe/react-stripe-js'
import type {
  PaymentIntentOrSetupIntentResult,
  Stripe,
  StripeElements,
  StripeElementsOptions,
} from '@stripe/stripe-js'
import { loadStripe } from '@stripe/stripe-js/pure'
import { type FormEvent, StrictMode, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { ShopCheckout } from './shop-checkout.tsx'
import type { ShopSettings, ShopState } from './shop-settings.ts'

declare global {
  interface Window {
    shop: ShopState
  }
}

/*
 * A shop as a developer would write it: the unmodified SDKs, React's StrictMode, one form. What the tests want to look at
 * is kept on `window.shop`.
 */
const settings: ShopSettings = JSON.parse(new URLSearchParams(location.search).get('settings') ?? '{}')
window.shop = { calls: [], events: [], messages: [], violations: [], stripe: null, elements: null }
addEventListener('message', (event) => window.shop.messages.push(JSON.stringify(event.data)))
document.addEventListener('securitypolicyviolation', (event) => {
  window.shop.violations.push(`${event.violatedDirective} ${event.blockedURI}`)
})

function loadScript(): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script')
    script.src = settings.stripeJsUrl
    script.onload = () => resolve()
    script.onerror = () => reject(new Error('stripe.js did not load'))
    document.head.append(script)
  })
}

/** Counts what the SDKs call, without changing what they get. */
function watch(stripe: Stripe): Stripe {
  const target = stripe as unknown as Record<string, (...rest: unknown[]) => unknown>
  for (const name of ['elements', 'registerAppInfo']) {
    const original = target[name]
    target[name] = (...rest) => {
      window.shop.calls.push(name)
      return original?.(...rest)
    }
  }
  return stripe
}

const stripePromise = loadScript()
  .then(() => loadStripe(settings.publishableKey))
  .then((stripe) => stripe && watch(stripe))

const record = (name: string) => (detail?: unknown) => {
  window.shop.events.push({ name, detail: name === 'ready' ? typeof detail : detail })
}

async function pay(stripe: Stripe, elements: StripeElements): Promise<string> {
  if (settings.deferred && !settings.skipSubmit) {
    const { error } = await elements.submit()
    if (error) return `submit ${error.type} ${error.code}`
  }
  // The SDK types one overload for each redirect mode; which one is used here is the test's choice.
  type Confirm = (options: object) => Promise<PaymentIntentOrSetupIntentResult>
  const confirm = (settings.purpose === 'setup' ? stripe.confirmSetup : stripe.confirmPayment) as Confirm
  const result = await confirm({
    elements,
    ...(settings.deferred ? { clientSecret: settings.clientSecret } : {}),
    confirmParams: { return_url: `${location.origin}/return` },
    redirect: settings.redirect ?? 'if_required',
  })
  window.shop.lastResult = result
  const { error, paymentIntent, setupIntent } = result
  if (!error) return paymentIntent ? `paid ${paymentIntent.status}` : `kept ${setupIntent?.status}`
  return ['error', error.type, error.code, error.decline_code ?? '-', error.message].join(' ')
}

function Alongside() {
  const shown = settings.alongside ?? []
  return (
    <>
      {shown.includes('express') && (
        <ExpressCheckoutElement onReady={record('expressready')} onConfirm={() => {}} />
      )}
      {shown.includes('email') && <LinkAuthenticationElement onChange={record('emailchange')} />}
      {shown.includes('shipping') && (
        <AddressElement options={{ mode: 'shipping' }} onChange={record('addresschange')} />
      )}
      {shown.includes('billing') && (
        <AddressElement options={{ mode: 'billing' }} onChange={record('addresschange')} />
      )}
    </>
  )
}

function Form() {
  const stripe = useStripe()
  const elements = useElements()
  const [busy, setBusy] = useState(false)
  const [result, setResult] = useState('')
  window.shop.stripe = stripe
  window.shop.elements = elements

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (!stripe || !elements) return
    setBusy(true)
    setResult('')
    setResult(await pay(stripe, elements).catch((error: Error) => `thrown ${error.name} ${error.message}`))
    setBusy(false)
  }
  return (
    <form onSubmit={submit}>
      <Alongside />
      <PaymentElement
        options={settings.paymentElement}
        onReady={record('ready')}
        onChange={record('change')}
        onFocus={record('focus')}
        onBlur={record('blur')}
        onEscape={record('escape')}
        onLoaderStart={record('loaderstart')}
        onLoadError={record('loaderror')}
        onSavedPaymentMethodRemove={record('savedpaymentmethodremove')}
      />
      <button type="submit" disabled={!stripe || busy}>
        Pay
      </button>
      <output aria-label="Result">{result}</output>
    </form>
  )
}

// The SDK types each mode by itself; which one is used here is the test's choice.
const options = {
  ...(settings.deferred
    ? { mode: 'payment', ...settings.deferred }
    : { clientSecret: settings.clientSecret }),
  appearance: settings.appearance,
  customerSessionClientSecret: settings.customerSessionClientSecret,
  ...(settings.paymentMethodCreation ? { paymentMethodCreation: settings.paymentMethodCreation } : {}),
} as StripeElementsOptions

const root = document.getElementById('root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      {settings.checkout ? (
        <ShopCheckout settings={settings} stripe={stripePromise} record={record} />
      ) : (
        <Elements stripe={stripePromise} options={options}>
          <Form />
        </Elements>
      )}
    </StrictMode>,
  )
}
