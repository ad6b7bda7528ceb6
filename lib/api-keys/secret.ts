import 'server-only'
import { createHash, randomBytes } from 'node:crypto'

const PREFIX_LENGTH = 14

/** A new key: 256 random bits. `secret` is shown once and kept nowhere. */
export function newApiKey(livemode: boolean): { secret: string; prefix: string; hash: string } {
  const secret = `pwk_${livemode ? 'live' : 'test'}_${randomBytes(32).toString('base64url')}`
  return { secret, prefix: secret.slice(0, PREFIX_LENGTH), hash: hashOfApiKey(secret) }
}

/** What the database knows a key by. So many random bits need no slow hash. */
export function hashOfApiKey(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}
