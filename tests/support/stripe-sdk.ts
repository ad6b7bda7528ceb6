import Stripe from 'stripe'
import { stack } from './stack-in-test'

let client: Stripe | undefined

/** Stripe as an operator would look at it: the real SDK against the local stand-in. */
export function stripeSdk(): Stripe {
  const { env } = stack()
  const base = new URL(env.STRIPE_API_BASE ?? '')
  client ??= new Stripe(env.STRIPE_SECRET_KEY ?? '', {
    host: base.hostname,
    port: base.port,
    protocol: 'http',
  })
  return client
}
