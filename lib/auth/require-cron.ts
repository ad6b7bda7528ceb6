import 'server-only'
import { createHash, timingSafeEqual } from 'node:crypto'
import { env } from '../env'
import { AppError } from '../errors'

/** @throws AppError not_authorized unless the request carries the jobs' own secret; compared in constant time. */
export function requireCron(request: Request): void {
  const given = request.headers.get('authorization') ?? ''
  if (!timingSafeEqual(digest(given), digest(`Bearer ${env().cronSecret}`)))
    throw new AppError('not_authorized')
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
