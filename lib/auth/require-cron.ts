import 'server-only'
import { createHash, timingSafeEqual } from 'node:crypto'
import { env } from '../env'
import { AppError } from '../errors'

/**
 * @throws AppError not_authorized unless the request carries the jobs' own secret, or the one before while it is being rolled;
 * compared in constant time.
 */
export function requireCron(request: Request): void {
  const given = digest(request.headers.get('authorization') ?? '')
  const { current, previous } = env().cronSecrets
  const isRight = [current, previous].map(
    (secret) => secret !== undefined && timingSafeEqual(given, digest(`Bearer ${secret}`)),
  )
  if (!isRight.includes(true)) throw new AppError('not_authorized')
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
