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
  const askedAt = Date.now()
  const taken = Taken.parse(await callService('take_lease', { p_name: name, p_seconds: LEASE_SECONDS }))
  if (!taken) throw new AppError('already_running', { retryAfterSeconds: LEASE_SECONDS })
  const { token, fencing } = taken
  let runsOutAt = askedAt + LEASE_SECONDS * 1000
  const renewing = setInterval(async () => {
    const renewedAt = Date.now()
    if (await renew(name, token)) runsOutAt = renewedAt + LEASE_SECONDS * 1000
  }, RENEW_EVERY_MS)
  /** Whether it was still ours to give back. Not given back, it runs out by itself. */
  const release = async (): Promise<boolean> => {
    clearInterval(renewing)
    const released = await callService('release_lease', { p_name: name, p_token: token }).catch(() => null)
    return released === null ? Date.now() < runsOutAt : released === true
  }
  try {
    const result = await work({ fencing })
    await release()
    return result
  } catch (error) {
    throw (await release()) ? error : new AppError('already_running', { cause: error })
  }
}

/** Answers whether it worked. If not, nothing needs to be done here: the next write is refused. */
async function renew(name: string, token: string): Promise<boolean> {
  try {
    const held = await callService('renew_lease', { p_name: name, p_token: token, p_seconds: LEASE_SECONDS })
    if (held !== true) log.warn('lease_lost', { name })
    return held === true
  } catch (error) {
    log.warn('lease_not_renewed', { name, code: isAppError(error) ? error.code : 'internal' })
    return false
  }
}
