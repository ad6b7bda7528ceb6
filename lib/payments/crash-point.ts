import 'server-only'
import { env } from '../env'

/**
 * The places between two phases where a process can die and leave something half-done. Tests kill a server at each of them
 * and check that nothing is lost, nothing is doubled, and the rest happens by itself. Whoever adds a phase adds its point.
 */
export const CRASH_POINTS = [
  'customer.made',
  'payment.opened',
  'payment.made',
  'payment.linked',
  'refund.reserved',
  'refund.made',
  'checkout.opened',
  'checkout.made',
  'decision.claimed',
  'decision.asked',
  'event.verified',
  'event.kept',
  'event.fetched',
  'event.applied',
  'reconcile.noted',
  'reconcile.found',
  'reconcile.repaired',
  'mail.claimed',
  'mail.handed',
  'erasure.begun',
  'erasure.rows_erased',
  'erasure.asked',
  'audit.sealed',
  'audit.told',
] as const

export type CrashPoint = (typeof CRASH_POINTS)[number]

/**
 * Dies here, without a goodbye, when a test has asked for it; or is frozen until it is woken. The settings exist with the local
 * providers only.
 */
export function crashPoint(point: CrashPoint): void {
  const { crashAt, crashBy } = env()
  if (crashAt === point) process.kill(process.pid, crashBy)
}
