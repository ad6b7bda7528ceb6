import 'server-only'
import { env, type Mode } from './env'

/** Not settings but facts of where this runs. Written out in full, since the build for Edge puts the values in their place. */
export const isDevelopment = process.env.NODE_ENV === 'development'
export const isOnPlatform = process.env.VERCEL !== undefined

export type PublicConfig = {
  mode: Mode
  stripePublishableKey: string
  /** Where Stripe.js comes from when it is not Stripe's own address. */
  stripeJsUrl: string | null
}

/**
 * What a page may tell the browser. Handed down as props at request time, not inlined by the build, so that one build
 * serves every mode.
 */
export function publicConfig(): PublicConfig {
  const { mode, stripe } = env()
  return {
    mode,
    stripePublishableKey: stripe.publishableKey,
    stripeJsUrl: stripe.apiBase ? `${stripe.apiBase}/endive/stripe.js` : null,
  }
}
