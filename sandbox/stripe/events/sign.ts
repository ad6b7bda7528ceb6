import { createHmac } from 'node:crypto'

/**
 * The `Stripe-Signature` header (stripe.W1, stripe.W2): one `v1` for each secret that signs, and a `v0` that test mode sends along and
 * receivers must ignore. The key is the whole secret, `whsec_` included; `timestamp` is in unix seconds.
 */
export function signatureHeader(body: string, secrets: string[], timestamp: number): string {
  const signed = secrets.map((secret) => `v1=${hmac(secret, `${timestamp}.${body}`)}`)
  const fake = `v0=${hmac('v0', `${timestamp}.${body}`)}`
  return [`t=${timestamp}`, ...signed, fake].join(',')
}

function hmac(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex')
}
