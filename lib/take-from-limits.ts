import 'server-only'
import type { LimitName } from './edge/limits'
import type { Outage } from './edge/route-table'
import { type Subject, type Taken, takeLimits } from './edge/take-limits'
import { AppError } from './errors'

/**
 * Count against limits where only the domain knows that this one counts: `takeFromLimits(['sign-in'], { account: email })`.
 * The gates take those that the route table lists under `limits` by themselves.
 * @param member what is counted; the same again passes a rolling limit without counting
 * @throws AppError too_many_requests with when to come back; unavailable while Redis is away, where `outage` is `closed`
 */
export async function takeFromLimits(
  names: readonly LimitName[],
  subject: Subject,
  { outage, member }: { outage: Outage; member?: string },
): Promise<Taken> {
  const taken = await takeLimits(names, subject, outage, member)
  if (taken.outcome === 'allowed') return taken
  throw new AppError(taken.outcome === 'refused' ? 'too_many_requests' : 'unavailable', {
    retryAfterSeconds: taken.retryAfterSeconds,
  })
}
