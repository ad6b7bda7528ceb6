import 'server-only'
import { AsyncLocalStorage } from 'node:async_hooks'
import Stripe from 'stripe'
import { env, STRIPE_API_VERSION } from '../env'
import { log } from '../log'
import { ownTurn, patiently } from './pace'

/** For one call with all its retries. The SDK's own timeout counts per try and it ignores a signal. */
const TOTAL_DEADLINE_MS = 5_000

const deadlines = new AsyncLocalStorage<AbortSignal>()
let client: Stripe | undefined

/** The one Stripe client of this process, at the pinned API version. */
function stripe(): Stripe {
  if (client) return client
  const { secretKey, apiBase } = env().stripe
  const base = apiBase ? new URL(apiBase) : null
  client = new Stripe(secretKey, {
    apiVersion: STRIPE_API_VERSION,
    maxNetworkRetries: 2,
    timeout: TOTAL_DEADLINE_MS,
    telemetry: false,
    appInfo: { name: 'paywright' },
    httpClient: Stripe.createFetchHttpClient(fetchBeforeDeadline),
    ...(base && {
      host: base.hostname,
      port: base.port,
      protocol: base.protocol === 'https:' ? 'https' : 'http',
    }),
  })
  return client
}

/**
 * Ask Stripe, with one deadline over all tries.
 * @throws Stripe.errors.StripeError as Stripe answered, or StripeConnectionError when no whole answer came in time: what
 * was asked for may or may not have happened.
 */
export async function askStripe<Result>(ask: (stripe: Stripe) => Promise<Result>): Promise<Result> {
  return await patiently(async () => {
    const signal = AbortSignal.timeout(TOTAL_DEADLINE_MS)
    return await deadlines
      .run(signal, () => Promise.race([ask(stripe()), outOfTime(signal)]))
      .catch(tellMissingPermission)
  })
}

/** A restricted key that lacks a permission: whoever runs this has to learn which, and Stripe's message alone says it. */
function tellMissingPermission(error: unknown): never {
  if (error instanceof Stripe.errors.StripePermissionError) {
    const [name = 'not_named'] = /\brak_[a-z_]+/.exec(error.message) ?? []
    log.error('stripe_permission_missing', { name, providerRequestId: error.requestId })
  }
  throw error
}

function outOfTime(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener(
      'abort',
      () => reject(new Stripe.errors.StripeConnectionError({ message: 'deadline', type: 'api_error' })),
      { once: true },
    )
  })
}

const fetchBeforeDeadline: typeof fetch = async (input, init) => {
  await ownTurn()
  const deadline = deadlines.getStore()
  const signals = [init?.signal, deadline].filter((signal) => signal instanceof AbortSignal)
  return await fetch(input, { ...init, signal: AbortSignal.any(signals), redirect: 'error' })
}

/** Stripe knows no such object. */
export function isNotFound(error: unknown): boolean {
  return error instanceof Stripe.errors.StripeError && error.code === 'resource_missing'
}

/** What an error of a create call says about the world. */
export type CreateFailure = 'unknown' | 'key_spent' | 'refused'

/**
 * `refused`: nothing was made. `key_spent`: this idempotency key can only repeat a saved failure. `unknown`: it may have
 * been made.
 */
export function createFailure(error: unknown): CreateFailure {
  if (!(error instanceof Stripe.errors.StripeError)) return 'unknown'
  if (error instanceof Stripe.errors.StripeIdempotencyError || error.rawType === 'idempotency_error') {
    // 409 means that the first request with this key is still running: its outcome is open.
    return error.statusCode === 409 ? 'unknown' : 'key_spent'
  }
  const status = error.statusCode ?? 0
  if (status >= 500) return error.headers?.['idempotent-replayed'] === 'true' ? 'key_spent' : 'unknown'
  if (error instanceof Stripe.errors.StripeInvalidRequestError) return 'refused'
  return 'unknown'
}

/** Stripe could not be reached, is in trouble, wants us to slow down or does not take our key: nothing about what was asked. */
export function isStripeOutage(error: unknown): boolean {
  if (!(error instanceof Stripe.errors.StripeError)) return false
  const status = error.statusCode ?? 0
  return (
    error instanceof Stripe.errors.StripeConnectionError || status >= 500 || [401, 403, 429].includes(status)
  )
}

/** When to ask Stripe again: as it says itself when it says so, up to a minute. */
export function retryAfterSeconds(error: unknown): number {
  const said = error instanceof Stripe.errors.StripeError ? Number(error.headers?.['retry-after']) : 0
  return said > 0 ? Math.min(Math.ceil(said), 60) : 5
}

/** Whether Stripe refused because it does not know the customer we named. */
export function isUnknownCustomer(error: unknown): boolean {
  return (
    error instanceof Stripe.errors.StripeError &&
    error.code === 'resource_missing' &&
    error.param === 'customer'
  )
}

/** Why Stripe refused, for our records: its code, never its message. */
export function stripeErrorCode(error: unknown): string {
  if (!(error instanceof Stripe.errors.StripeError)) return error instanceof Error ? error.name : 'unknown'
  return error.code ?? error.type
}

export { Stripe }
