/**
 * What can be made to go wrong, by where it is decided:
 * - `request`: for each API call that is admitted. `before.*` leaves the call undone, `after.*` only hides that it was done.
 * - `event`: for each event that is written. - `refund`, `challenge`: for each of these that begins.
 */
export const FAULT_POINTS = {
  'before.error500': 'request',
  'before.error503': 'request',
  'before.notJson': 'request',
  'before.rateLimit': 'request',
  'before.keyInUse': 'request',
  'before.reset': 'request',
  'before.slow': 'request',
  'after.reset': 'request',
  'after.truncated': 'request',
  'after.hang': 'request',
  'after.error500': 'request',
  'after.webhookFirst': 'request',
  'webhook.duplicate': 'event',
  'webhook.twin': 'event',
  'webhook.delay': 'event',
  'webhook.reorder': 'event',
  'webhook.dropFirst': 'event',
  'webhook.dropForever': 'event',
  'webhook.badSignature': 'event',
  'webhook.wrongSecret': 'event',
  'webhook.staleTimestamp': 'event',
  'webhook.truncated': 'event',
  'webhook.unknownType': 'event',
  'webhook.olderVersion': 'event',
  'webhook.secondEndpoint': 'event',
  'domain.refundFails': 'refund',
  'domain.disputeAfterRefund': 'refund',
  'domain.challengeAbandoned': 'challenge',
  'domain.clockJump': 'request',
} as const satisfies Record<string, 'request' | 'event' | 'refund' | 'challenge'>

export type FaultName = keyof typeof FAULT_POINTS
export type FaultPoint = (typeof FAULT_POINTS)[FaultName]

export const FAULT_NAMES = Object.keys(FAULT_POINTS) as FaultName[]

/** A fault that happens now. */
export type Fault = {
  name: FaultName
  /** How long to wait or to delay; for `webhook.reorder` already drawn. */
  ms: number
  /** Attempts of a delivery that go wrong before one is let through. */
  attempts: number
  /** Additional deliveries of a `webhook.duplicate`. */
  copies: number
  /** How far `domain.clockJump` goes, how old `webhook.staleTimestamp` is. */
  seconds: number
}

/** Sensible measures where a rule gives none. */
export const DEFAULT_MS: Partial<Record<FaultName, number>> = {
  'before.slow': 1000,
  'after.hang': 120_000,
  'after.webhookFirst': 5000,
  'webhook.duplicate': 200,
  'webhook.delay': 2000,
  'webhook.reorder': 1000,
}

export const DEFAULT_SECONDS: Partial<Record<FaultName, number>> = {
  'domain.clockJump': 8 * 24 * 60 * 60,
  'webhook.staleTimestamp': 600,
}

export function findFault(faults: readonly Fault[], name: FaultName): Fault | undefined {
  return faults.find((fault) => fault.name === name)
}
