import 'server-only'
import { env } from '../env'
import { AppError } from '../errors'

/** A page people are sent to has to be Stripe's own, or the stand-in's. @throws AppError provider_unavailable */
export function providersPage(url: string): string {
  const { origin, hostname, protocol } = new URL(url)
  const { apiBase } = env().stripe
  const isStripes = apiBase
    ? origin === new URL(apiBase).origin
    : protocol === 'https:' && (hostname === 'stripe.com' || hostname.endsWith('.stripe.com'))
  if (!isStripes) throw new AppError('provider_unavailable')
  return url
}
