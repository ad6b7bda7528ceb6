import 'server-only'
import { AppError } from '../errors'
import type { AuthError } from '../supabase/server'

/** What we say of an error of Supabase Auth. Nothing in the answer tells whether an account exists. */
export function authFailure(error: AuthError): AppError {
  if (error.status === 429) return new AppError('too_many_requests', { cause: error, retryAfterSeconds: 60 })
  if (error.code === 'weak_password' || error.code === 'same_password')
    return new AppError('weak_password', { cause: error })
  if (error.status === undefined || error.status === 0 || error.status >= 500) {
    return new AppError('unavailable', { cause: error, retryAfterSeconds: 5 })
  }
  return new AppError('wrong_credentials', { cause: error })
}
