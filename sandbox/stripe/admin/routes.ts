import { Hono } from 'hono'
import type { StripeContext } from '../context.ts'
import { rollSecret } from '../events/endpoints.ts'
import { StripeError } from '../http/errors.ts'
import { localSecretOnly, ownPagesOnly } from '../http/guard.ts'
import { accountRoutes } from './account.ts'
import { chaosRoutes } from './chaos.ts'
import { listDeliveries, resendEvent } from './deliveries.ts'
import { pageRoutes } from './page-routes.ts'
import { paymentRoutes } from './payment-actions.ts'

const SHOWN_DELIVERIES = 500

/** Not Stripe's: what a developer and a test need to see and do. `/_local` is for programs, the pages are for people. */
export function adminRoutes(context: StripeContext): Hono {
  const app = new Hono()
  app.route('/_local', localRoutes(context))
  app.route('/', pageRoutes(context))
  return app
}

function localRoutes(context: StripeContext): Hono {
  const { store, config } = context
  const app = new Hono()

  app.onError((error, c) => {
    if (error instanceof StripeError) return c.json({ error: error.body }, error.status === 404 ? 404 : 400)
    throw error
  })
  app.use(ownPagesOnly(config))
  app.get('/health', (c) => c.json({ ready: true }))

  app.use(localSecretOnly(config))
  app.route('/', accountRoutes(context))
  app.route('/', paymentRoutes(context))
  app.route('/', chaosRoutes(context))

  app.get('/contract', async (c) => {
    const report = await config.observer?.report?.()
    return report ? c.json(report) : c.json({ error: { message: 'SANDBOX_STRIPE_CONTRACT is not set' } }, 404)
  })

  app.get('/deliveries', (c) => c.json({ deliveries: listDeliveries(store, SHOWN_DELIVERIES) }))

  app.post('/events/:id/resend', (c) => {
    const known = resendEvent(store, c.req.param('id')) !== null
    return known ? c.json({ resent: true }) : c.json({ error: { message: 'No such event' } }, 404)
  })

  app.post('/webhook_endpoints/:id/roll_secret', (c) => {
    const secret = store.transaction(() => rollSecret(store, c.req.param('id')))
    return c.json({ secret })
  })

  return app
}
