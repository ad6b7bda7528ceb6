import { isSecure } from '@/lib/edge/https'
import { env } from '@/lib/env'
import { AppError } from '@/lib/errors'
import { json, readBody, route } from '@/lib/http'
import { applyEvent } from '@/lib/payments/apply-event'
import { eventFacts, sha256 } from '@/lib/payments/facts'
import { verifyWebhook } from '@/lib/stripe/webhook'

/** Stripe speaks here. 200 means that the event is committed; anything else asks Stripe to send it again. */
export const POST = route(async (request) => {
  if (!isSecure(request.headers, env())) throw new AppError('forbidden')
  if (!/^application\/json\s*(;|$)/i.test(request.headers.get('content-type') ?? ''))
    throw new AppError('unsupported_type')
  const body = await readBody(request)
  const { event, verifiedWith } = await verifyWebhook(
    body,
    request.headers.get('stripe-signature'),
    env().stripe.webhookSecrets,
  )

  await applyEvent({
    event: await eventFacts(event),
    payloadHash: await sha256(body),
    verifiedWith,
    source: 'webhook',
  })

  return json({ received: true })
})
