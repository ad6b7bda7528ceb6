import 'server-only'
import { AppError } from '../errors'
import { beginSession } from './begin-session'
import { authFailure } from './failure'

/**
 * Use up the token of a mail's link and sign in.
 * @returns where to go next: on to a new password after a recovery link
 * @throws AppError link_expired when the token is unknown, used or too old
 */
export async function confirmEmail(input: {
  tokenHash: string
  type: 'email' | 'recovery'
}): Promise<{ next: string }> {
  const { error } = await beginSession((client) =>
    client.auth.verifyOtp({ token_hash: input.tokenHash, type: input.type }),
  )
  if (error && (error.status ?? 500) < 500 && error.status !== 429)
    throw new AppError('link_expired', { cause: error })
  if (error) throw authFailure(error)
  return { next: input.type === 'recovery' ? '/new-password' : '/' }
}
