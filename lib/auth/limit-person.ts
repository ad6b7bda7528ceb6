import 'server-only'
import { countRequest, type Window } from '../edge/fixed-window'
import { AppError } from '../errors'
import type { User } from './session'

/** Each of these asks Auth and Stripe: one person must not use up what is there for all. */
export const STARTING: Window = { name: 'starting', limit: 60, seconds: 60 }
export const SYNCING: Window = { name: 'syncing', limit: 30, seconds: 60 }
export const REFUNDING: Window = { name: 'refunding', limit: 120, seconds: 60 }

/** @throws AppError too_many_requests */
export async function limitPerson(user: User, window: Window): Promise<void> {
  const { allowed, retryAfterSeconds } = await countRequest(window, user.id)
  if (!allowed) throw new AppError('too_many_requests', { retryAfterSeconds })
}
