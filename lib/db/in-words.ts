import 'server-only'
import { AppError, type ErrorCode } from '../errors'
import { databaseCode } from './sql'

/** What the functions for staff raise, whatever they are about. */
const COMMON: Readonly<Record<string, ErrorCode>> = {
  '42501': 'forbidden',
  P0002: 'not_found',
  '22023': 'bad_request',
}

/** What a function of the database raised, in the words of lib/errors.ts. What is not listed stays a fault of ours. */
export async function inWords<Result>(
  call: Promise<Result>,
  words: Readonly<Record<string, ErrorCode>> = {},
): Promise<Result> {
  try {
    return await call
  } catch (error) {
    const raised = databaseCode(error)
    const code = raised && ({ ...COMMON, ...words }[raised] ?? null)
    if (code) throw new AppError(code, { cause: error })
    throw error
  }
}
