import type { Stripe } from '@stripe/stripe-js'
import { loadStripe } from '@stripe/stripe-js/pure'

type Keys = { stripePublishableKey: string; stripeJsUrl: string | null }

let loading: Promise<Stripe | null> | undefined

/**
 * Stripe.js, loaded once a page. With a local address its script has to be there before loadStripe is called: loadStripe
 * uses a `window.Stripe` it finds, and fetches js.stripe.com otherwise.
 * @throws Error when the script cannot be loaded; calling again tries again.
 */
export function getStripe(keys: Keys): Promise<Stripe | null> {
  loading ??= localScript(keys)
    .then(() => loadStripe(keys.stripePublishableKey))
    .catch((error: unknown) => {
      loading = undefined
      throw error
    })
  return loading
}

async function localScript({ stripePublishableKey, stripeJsUrl }: Keys): Promise<void> {
  if (!stripeJsUrl || 'Stripe' in window) return
  if (!stripePublishableKey.startsWith('pk_test_')) throw new Error('a local Stripe.js takes test keys only')
  await new Promise<void>((resolve, reject) => {
    const script = document.createElement('script')
    script.src = stripeJsUrl
    script.onload = () => resolve()
    script.onerror = () => reject(new Error('Stripe.js could not be loaded'))
    document.head.append(script)
  })
}
