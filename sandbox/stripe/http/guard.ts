import type { MiddlewareHandler } from 'hono'
import { hasSecret, isLocalHost } from '../../local-only.ts'
import { ownOrigins, type ResolvedConfig } from '../config.ts'
import { forbidden, StripeError, unauthorized } from './errors.ts'

/**
 * A foreign name that points at this machine (DNS rebinding) would make another site's page "same origin" with us. The port
 * does not matter: a proxy on this machine may stand before us.
 */
export function assertOwnHost(host: string | undefined): void {
  if (!isLocalHost(host)) throw forbidden('local stand-in: requests must be addressed to this machine')
}

/** Servers send no Origin, our own frames send ours; any other page has no business here (cross-site forms are executed otherwise). */
export function assertOwnOrigin(config: ResolvedConfig, origin: string | undefined): void {
  if (origin === undefined || ownOrigins(config).includes(origin.toLowerCase())) return
  throw forbidden('local stand-in: this address does not answer pages of another origin')
}

/** For pages and scripts, which other origins may load or frame: only the name they are asked for under is checked. */
export function ownHostOnly(): MiddlewareHandler {
  return refusing((header) => assertOwnHost(header('host')))
}

/** For the admin addresses: nobody but this machine's own pages and programs. */
export function ownPagesOnly(config: ResolvedConfig): MiddlewareHandler {
  return refusing((header) => assertOwnOrigin(config, header('origin')))
}

/** For the admin addresses: who knows the local secret. Without one in the settings nobody does. */
export function localSecretOnly({ localSecret }: ResolvedConfig): MiddlewareHandler {
  return refusing((header) => {
    if (localSecret && hasSecret(header('authorization'), localSecret)) return
    throw unauthorized('local stand-in: the addresses under /_local need the local secret as a bearer token')
  })
}

function refusing(check: (header: (name: string) => string | undefined) => void): MiddlewareHandler {
  return async (c, next) => {
    try {
      check((name) => c.req.header(name))
    } catch (error) {
      if (error instanceof StripeError) return c.json({ error: error.body }, error.status === 401 ? 401 : 403)
      throw error
    }
    await next()
  }
}
