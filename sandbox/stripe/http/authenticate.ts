import type { ResolvedConfig } from '../config.ts'
import { unauthorized } from './errors.ts'
import type { FormFields } from './form.ts'

export type KeyKind = 'secret' | 'publishable'

/**
 * Who is calling. A secret key counts in the Authorization header only: a form on another site can send a body, not that header.
 * A publishable key may also be the parameter `key`, which is taken out of `fields`.
 */
export function authenticate(
  config: ResolvedConfig,
  authorization: string | undefined,
  fields: FormFields,
): KeyKind {
  const parameter = fields.key
  delete fields.key
  const inHeader = keyFromHeader(authorization)
  const key = inHeader ?? (typeof parameter === 'string' ? parameter : null)

  for (const given of [inHeader, parameter]) {
    if (typeof given === 'string' && /^(sk|pk|rk)_live_/.test(given)) throw refuseLiveKey()
  }
  if (!key) {
    throw unauthorized(
      'You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. "Authorization: Bearer YOUR_SECRET_KEY").',
    )
  }
  if (key === config.publishableKey) return 'publishable'
  if (key !== config.secretKey) throw unauthorized(`Invalid API Key provided: ${masked(key)}`)
  if (inHeader === null) {
    throw unauthorized('local stand-in: a secret key is taken from the Authorization header only')
  }
  return 'secret'
}

export function assertSecretKey(kind: KeyKind): void {
  if (kind === 'secret') return
  throw unauthorized(
    'This API call cannot be made with a publishable API key. Please use a secret API key.',
    'secret_key_required',
  )
}

/** `Bearer <key>`, or Basic with the key as the user name. */
function keyFromHeader(authorization: string | undefined): string | null {
  const [, scheme = '', value = ''] = /^(\w+)\s+(\S+)$/.exec(authorization ?? '') ?? []
  if (scheme.toLowerCase() === 'bearer') return value
  if (scheme.toLowerCase() !== 'basic') return null
  return Buffer.from(value, 'base64').toString().split(':')[0] ?? null
}

function refuseLiveKey() {
  return unauthorized(
    'LIVE KEY REFUSED: this is a local stand-in, not Stripe. A live key must never be sent to it. Check which address your settings point to, and roll the key if it left your machine.',
  )
}

function masked(key: string): string {
  return key.length > 12 ? `${key.slice(0, 8)}${'*'.repeat(8)}${key.slice(-4)}` : '*'.repeat(key.length)
}
