import { Hono } from 'hono'
import type { StripeContext } from '../context.ts'
import { rollSecret } from '../events/endpoints.ts'
import { StripeError } from '../http/errors.ts'
import { localSecretOnly, ownPagesOnly } from '../http/guard.ts'
import { accountRoutes } from './account.ts'
import { chaosRoutes } from './chaos.ts'
import { listDeliveries, resendEvent } from './deliveries.ts'
import { homePage } from './home-page.ts'
import { paymentRoutes } from './payments.ts'

const SHOWN_DELIVERIES = 500

/** Not Stripe's: what a developer and a test need to see and do. */
export function adminRoutes(context: StripeContext): Hono {
  const { store, config } = context
  const app = new Hono()

  app.onError((error, c) => {
    if (error instanceof StripeError) return c.json({ error: error.body }, error.status === 404 ? 404 : 400)
    throw error
  })
  app.use('/_local/*', ownPagesOnly(config))
  app.get('/_local/health', (c) => c.json({ ready: true }))

  app.use('/_local/*', localSecretOnly(config))
  app.route('/_local', accountRoutes(context))
  app.route('/_local', paymentRoutes(context))
  app.route('/_local', chaosRoutes(context))

  app.get('/_local/contract', (c) => {
    const report = config.observer?.report?.()
    return report ? c.json(report) : c.json({ error: { message: 'SANDBOX_STRIPE_CONTRACT is not set' } }, 404)
  })

  app.get('/_local/deliveries', (c) => c.json({ deliveries: listDeliveries(store, SHOWN_DELIVERIES) }))

  app.post('/_local/events/:id/resend', (c) => {
    const known = resendEvent(store, c.req.param('id'))
    return known ? c.json({ resent: true }) : c.json({ error: { message: 'No such event' } }, 404)
  })

  app.post('/_local/webhook_endpoints/:id/roll_secret', (c) => {
    const secret = store.transaction(() => rollSecret(store, c.req.param('id')))
    return c.json({ secret })
  })

  app.get('/', (c) => {
    c.header(
      'Content-Security-Policy',
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    )
    c.header('Cache-Control', 'no-store')
    return c.html(homePage(store))
  })

  return app
}
