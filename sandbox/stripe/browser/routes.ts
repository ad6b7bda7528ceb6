import { Hono } from 'hono'
import type { StripeContext } from '../context.ts'

/** The pages and scripts a browser loads from Stripe's origin. */
export function browserRoutes(_context: StripeContext): Hono {
  return new Hono()
}
