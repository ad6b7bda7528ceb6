import 'server-only'
import { z } from 'zod'
import { AppError, isAppError } from '../errors'
import { log } from '../log'
import { callService } from './sql'

/** A holder that has died or is frozen keeps others waiting for no longer than this. */
const LEASE_SECONDS = 20
const RENEW_EVERY_MS = 5_000

const Taken = z.object({ token: z.uuid(), fencing: z.number().int() }).nullable()

/** `fencing` goes with every write of the job: the database refuses it once the lease is somebody else's or has run out. */
export type Lease = { fencing: number }

/**
 * Run a job of which one may run at a time. The lease is renewed while `work` goes on, and given back at its end.
 * @throws AppError already_running when somebody else holds the lease, or the job failed after it had lost it
 */
export async function withLease<Result>(
  name: string,
  work: (lease: Lease) => Promise<Result>,
): Promise<Result> {
  const taken = Taken.parse(await callService('take_lease', { p_name: name, p_seconds: LEASE_SECONDS }))
  if (!taken) throw new AppError('already_running', { retryAfterSeconds: LEASE_SECONDS })
  const { token, fencing } = taken
  const renewing = setInterval(() => void renew(name, token), RENEW_EVERY_MS)
  const release = async () => {
    clearInterval(renewing)
    // Not given back, it runs out by itself.
    return await callService('release_lease', { p_name: name, p_token: token }).catch(() => null)
  }
  try {
    const result = await work({ fencing })
    await release()
    return result
  } catch (error) {
    const wasHeld = (await release()) !== false
    throw wasHeld ? error : new AppError('already_running', { cause: error })
  }
}

/** A renewal that fails needs no answer here: the next write is refused. */
async function renew(name: string, token: string): Promise<void> {
  try {
    const held = await callService('renew_lease', { p_name: name, p_token: token, p_seconds: LEASE_SECONDS })
    if (held !== true) log.warn('lease_lost', { name })
  } catch (error) {
    log.warn('lease_not_renewed', { name, code: isAppError(error) ? error.code : 'internal' })
  }
}
