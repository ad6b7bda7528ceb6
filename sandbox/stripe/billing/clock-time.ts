import { idOf } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import { noSuch } from '../http/errors.ts'

/**
 * Do something in the time of a test clock; without one in the time of this Stripe (stripe.E20).
 * @throws StripeError when there is no such clock.
 */
export function inTimeOf<T>(
  store: Store,
  testClock: string | { id: string } | null | undefined,
  work: () => T,
): T {
  const id = idOf(testClock)
  if (id === null) return work()
  const clock = store.find('test_helpers.test_clock', id)
  if (!clock || clock.deleted) throw noSuch('test clock', id, 'test_clock', 400)
  return store.clock.at(clock.object.frozen_time, work)
}
