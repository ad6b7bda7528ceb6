import 'server-only'
import Stripe from 'stripe'
import { AppError } from '../errors'

/** Stripe's own recommendation, and not a setting: 0 would switch replay protection off. */
const TOLERANCE_SECONDS = 300

/** Which of our two secrets signed a body; two, so that a secret can be rolled without losing an event. */
export type SecretName = 'current' | 'previous'

/**
 * Verify the raw bytes against each secret.
 * @throws AppError invalid_signature, the same whatever is wrong.
 */
export async function verifyWebhook(
  rawBody: Uint8Array,
  signature: string | null,
  secrets: { current: string; previous?: string },
): Promise<{ event: Stripe.Event; verifiedWith: SecretName }> {
  if (!signature) throw new AppError('invalid_signature')
  const body = Buffer.from(rawBody)
  for (const name of ['current', 'previous'] as const) {
    const secret = secrets[name]
    if (!secret) continue
    try {
      const event = await Stripe.webhooks.constructEventAsync(body, signature, secret, TOLERANCE_SECONDS)
      return { event, verifiedWith: name }
    } catch {
      // Try the next secret; what exactly did not fit is nobody's business.
    }
  }
  throw new AppError('invalid_signature')
}
