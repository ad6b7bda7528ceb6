import 'server-only'
import { AsyncLocalStorage } from 'node:async_hooks'

const FIRST_PAUSE_MS = 500
const MAX_PAUSES = { tooMany: 6, noAnswer: 2 } as const

type Pace = { spacingMs: number; nextAt: number }

const paces = new AsyncLocalStorage<Pace>()

/**
 * Do bulk work that leaves Stripe room for customers: at most so many requests in any second, retries included, and a pause
 * whenever Stripe says that they are too many. Everything `work` asks Stripe shares the one pace.
 */
export async function atPace<Result>(
  requestsPerSecond: number,
  work: () => Promise<Result>,
): Promise<Result> {
  // One step wider than needed, so that one late request does not make its second one too many.
  const spacingMs = 1000 / (requestsPerSecond - 1)
  return await paces.run({ spacingMs, nextAt: 0 }, work)
}

/** Wait for one's place in the pace; at once outside of bulk work. Called before every request that leaves. */
export async function ownTurn(): Promise<void> {
  const pace = paces.getStore()
  if (!pace) return
  const now = performance.now()
  const at = Math.max(now, pace.nextAt)
  pace.nextAt = at + pace.spacingMs
  // A timer may fire up to a millisecond early.
  if (at > now) await new Promise((resolve) => setTimeout(resolve, Math.ceil(at - now) + 1))
}

/**
 * In bulk work, ask again later when Stripe says 429 or does not answer; a customer's request is not kept waiting like that.
 * Bulk work only reads, so asking twice does nothing twice.
 */
export async function patiently<Result>(ask: () => Promise<Result>): Promise<Result> {
  const pace = paces.getStore()
  for (let pauses = 0; ; pauses++) {
    try {
      return await ask()
    } catch (error) {
      const trouble = troubleOf(error)
      if (!pace || !trouble || pauses >= MAX_PAUSES[trouble]) throw error
      // 0.5 s, 1 s … 16 s, and up to a quarter more.
      const pauseMs = FIRST_PAUSE_MS * 2 ** pauses * (1 + Math.random() / 4)
      pace.nextAt = performance.now() + pauseMs
    }
  }
}

function troubleOf(error: unknown): keyof typeof MAX_PAUSES | null {
  if (!(error instanceof Error) || !('type' in error)) return null
  if ('statusCode' in error && error.statusCode === 429) return 'tooMany'
  return error.type === 'StripeConnectionError' || error.type === 'StripeAPIError' ? 'noAnswer' : null
}
