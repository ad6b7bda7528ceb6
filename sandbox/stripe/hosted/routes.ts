import { readFileSync } from 'node:fs'
import { Hono } from 'hono'
import { COMMON_HEADERS } from '../browser/headers.ts'
import type { StripeContext } from '../context.ts'
import { checkoutRoutes } from './checkout-routes.ts'
import { invoiceRoutes } from './invoice-routes.ts'
import { answerError, ownPagesPost } from './page-context.ts'
import { portalRoutes } from './portal-routes.ts'

const ASSETS = {
  'checkout.js': 'text/javascript; charset=utf-8',
  'hosted.css': 'text/css; charset=utf-8',
  'portal.js': 'text/javascript; charset=utf-8',
  'send.js': 'text/javascript; charset=utf-8',
} as const

/** The pages that customers of the shop see here instead of there. */
export function hostedRoutes(context: StripeContext): Hono {
  const app = new Hono()
  app.onError(answerError)
  app.use('/c/*', ownPagesPost(context.config))
  app.use('/p/*', ownPagesPost(context.config))
  app.use('/invoice/*', ownPagesPost(context.config))
  for (const [name, type] of Object.entries(ASSETS)) {
    const body = readFileSync(new URL(`assets/${name}`, import.meta.url), 'utf8')
    app.get(`/hosted/assets/${name}`, (c) =>
      c.body(body, 200, {
        ...COMMON_HEADERS,
        'content-type': type,
        'cross-origin-resource-policy': 'same-origin',
      }),
    )
  }
  app.route('/', checkoutRoutes(context))
  app.route('/', portalRoutes(context))
  app.route('/', invoiceRoutes(context))
  return app
}
