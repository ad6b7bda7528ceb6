import type { Context } from 'hono'
import type { z } from 'zod'
import { StripeError } from '../http/errors.ts'

/** The JSON of an admin request; no body is an empty object. @throws StripeError 400 that says what is wrong. */
export async function readBody<T extends z.ZodType>(c: Context, schema: T): Promise<z.infer<T>> {
  const text = await c.req.text()
  const parsed = schema.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`)
  throw refused(problems.join('; '))
}

export function refused(message: string): StripeError {
  return new StripeError(400, { type: 'invalid_request_error', message })
}

function parseJson(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text)
  } catch {
    throw refused('The body is not JSON')
  }
}
