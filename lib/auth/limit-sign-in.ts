import 'server-only'
import { headers } from 'next/headers'
import { clientAddress } from '../edge/client-address'
import { forgetLimit, type Taken } from '../edge/take-limits'
import { env } from '../env'
import { AppError, isAppError } from '../errors'
import { takeFromLimits } from '../take-from-limits'

/**
 * Count an attempt before it is made, so that many at once cannot slip by; what went well is given back. The link in a
 * recovery mail signs in past this limit: nobody can lock an owner out by failing in their name.
 * @throws AppError too_many_sign_ins
 */
export async function limitSignIn(email: string): Promise<Taken> {
  const address = clientAddress(await headers(), env().trustedProxyHops)
  try {
    return await takeFromLimits(
      ['sign-in-address', 'sign-in'],
      { address, account: email },
      { outage: 'local' },
    )
  } catch (error) {
    if (!isAppError(error, 'too_many_requests') || error.retryAfterSeconds === null) throw error
    throw new AppError('too_many_sign_ins', { retryAfterSeconds: error.retryAfterSeconds })
  }
}

/** The owner has come in by a mail's link: what others did in their name is forgotten. */
export async function forgetFailedSignIns(email: string): Promise<void> {
  await forgetLimit('sign-in', { account: email })
}
