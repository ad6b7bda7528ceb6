import { timingSafeEqual } from 'node:crypto'

/**
 * The sandbox listens on loopback only; this keeps out what a browser could still be tricked into: a foreign
 * name that points to 127.0.0.1 (DNS rebinding).
 */
export function isLocalHost(host: string | null | undefined): boolean {
  const name = (host ?? '').replace(/:\d+$/, '').toLowerCase()
  return name === '127.0.0.1' || name === 'localhost' || name === '[::1]'
}

/** Compare a bearer secret in constant time. */
export function hasSecret(authorization: string | null | undefined, secret: string): boolean {
  const given = Buffer.from(authorization ?? '')
  const wanted = Buffer.from(`Bearer ${secret}`)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}
