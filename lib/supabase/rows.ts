import 'server-only'
import type { PostgrestError } from '@supabase/supabase-js'
import { z } from 'zod'
import { AppError } from '../errors'

/**
 * The rows of an answer, checked against what we asked for.
 * @throws AppError unavailable when Supabase did not answer with rows
 */
export function rowsOf<Row>(
  schema: z.ZodType<Row>,
  answer: { data: unknown; error: PostgrestError | null },
): Row[] {
  if (answer.error) throw new AppError('unavailable', { cause: answer.error, retryAfterSeconds: 5 })
  return z.array(schema).parse(answer.data)
}
