import type { Observer } from './observer.ts'

/** How one local Stripe is set up. Everything that a test may want to change is a field here. */
export type StripeConfig = {
  /** 0 takes any free port. */
  port: number
  /** A file path, or `:memory:`. */
  databasePath: string
  secretKey: string
  publishableKey: string
  /** The shop's origin: the only page that may frame the card fields. */
  appOrigin: string
  /** An endpoint that exists from the start; its signing secret is known beforehand. */
  webhook?: { url: string; secret: string }
  /** Stripe fills in `balance_transaction` a little later than it answers (automatic_async capture). */
  settleDelayMs?: number
  /** What some test cards bring about by themselves (a dispute, a refund that fails) comes this much later. */
  aftermathDelayMs?: number
  /** The currency payments are exchanged to on their way to the balance; without it each stays in its own. */
  settlementCurrency?: string | null
  /** What becomes of a renewal that is not paid. */
  dunning?: Dunning
  /** Bearer token of the `/_local` addresses. Without one they are closed. */
  localSecret?: string
  /** What goes wrong from the start; later it is set through `/_local/chaos`. */
  chaos?: { profile: string; seed?: string }
  /** Waiting time before each repeated delivery of an event; its length is the number of retries. */
  retryDelaysMs?: readonly number[]
  deliveryTimeoutMs?: number
  /** Runs after an API call is admitted and before it does anything: the place for faults on purpose. */
  beforeExecution?: (request: { method: string; path: string; requestId: string }) => Promise<void>
  observer?: Observer
  log?: (line: string) => void
}

export type Dunning = {
  /** Days from each automatic try to the next. */
  retryAfterDays: readonly number[]
  /** What the last one leads to. */
  ending: 'cancel' | 'unpaid' | 'past_due'
}

export type ResolvedConfig = Omit<
  StripeConfig,
  'port' | 'webhook' | 'localSecret' | 'chaos' | 'beforeExecution'
> & {
  /** This server's own origin, e.g. `http://127.0.0.1:4010`, without a slash at the end. */
  baseUrl: string
  port: number
  settleDelayMs: number
  aftermathDelayMs: number
  settlementCurrency: string | null
  dunning: Dunning
  retryDelaysMs: readonly number[]
  deliveryTimeoutMs: number
  localSecret: string | null
  beforeExecution: NonNullable<StripeConfig['beforeExecution']>
  log: (line: string) => void
}

/** The API version of the pinned SDK. Objects of other versions cannot be produced here. */
export const API_VERSION = '2026-10-28.endive'

const RETRY_DELAYS_MS = [1_000, 5_000, 25_000, 120_000, 600_000] as const

export function resolveConfig(config: StripeConfig, port: number): ResolvedConfig {
  return {
    settleDelayMs: 2_000,
    aftermathDelayMs: 4_000,
    settlementCurrency: null,
    dunning: { retryAfterDays: [3, 5, 7], ending: 'cancel' },
    localSecret: null,
    retryDelaysMs: RETRY_DELAYS_MS,
    deliveryTimeoutMs: 20_000,
    beforeExecution: async () => {},
    log: () => {},
    ...config,
    port,
    baseUrl: `http://127.0.0.1:${port}`,
  }
}

/** Both spellings of this machine; a page may have been opened through either. */
export function ownOrigins(config: Pick<ResolvedConfig, 'port'>): string[] {
  return [`http://127.0.0.1:${config.port}`, `http://localhost:${config.port}`]
}
