import type { Context } from 'hono'
import type { z } from 'zod'
import { StripeError } from '../http/errors.ts'

/** The JSON of an admin request; no body is an empty object. @throws StripeError 400 that says what is wrong. */
export async function readBody<T extends z.ZodType>(c: Context, schema: T): Promise<z.infer<T>> {
  return checked(schema, await readJson(c))
}

export async function readJson(c: Context): Promise<unknown> {
  const text = await c.req.text()
  try {
    return text === '' ? {} : JSON.parse(text)
  } catch {
    throw refused('The body is not JSON')
  }
}

/** @throws StripeError 400 that says what is wrong. */
export function checked<T extends z.ZodType>(schema: T, value: unknown): z.infer<T> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`)
  throw refused(problems.join('; '))
}

export function refused(message: string): StripeError {
  return new StripeError(400, { type: 'invalid_request_error', message })
}
