import 'server-only'
import { callService } from './db/sql'
import { env } from './env'
import { redisAnswers } from './redis/client'
import { askStripe } from './stripe/server'
import { withDeadline } from './supabase/with-deadline'

export type Health = {
  status: 'ready' | 'degraded' | 'down'
  checks: Record<'database' | 'auth' | 'stripe' | 'redis', boolean>
}

/** How long an answer is reused: anybody may ask, and each check asks four other services. */
const REUSE_MS = 2_000

let latest: { at: number; health: Promise<Health> } | undefined

/** Whether a payment could be made now. Without Redis it could: limits are then counted by each process for itself. */
export async function readiness(): Promise<Health> {
  if (!latest || Date.now() - latest.at > REUSE_MS) latest = { at: Date.now(), health: check() }
  return await latest.health
}

async function check(): Promise<Health> {
  const [database, auth, stripe, redis] = await Promise.all([
    answers(callService('health', {})),
    answers(authAnswers()),
    answers(askStripe((client) => client.paymentIntents.list({ limit: 1 }))),
    redisAnswers(),
  ])
  const canPay = database && auth && stripe
  return {
    status: canPay ? (redis ? 'ready' : 'degraded') : 'down',
    checks: { database, auth, stripe, redis },
  }
}

async function answers(check: Promise<unknown>): Promise<boolean> {
  return await check.then(
    () => true,
    () => false,
  )
}

async function authAnswers(): Promise<void> {
  const { url, publishableKey } = env().supabase
  const response = await withDeadline(3_000)(`${url}/auth/v1/.well-known/jwks.json`, {
    headers: { apikey: publishableKey },
  })
  if (!response.ok) throw new Error('auth is not ready')
}
