import { type Context, Hono } from 'hono'
import { ownOrigins } from '../config.ts'
import type { StripeContext } from '../context.ts'
import { completeChallenge, findChallenge } from '../payments/challenge.ts'
import { buildStripeJs, loadFrameAssets } from './assets.ts'
import { addressPage, linkAuthenticationPage } from './element-pages.ts'
import { COMMON_HEADERS, pageHeaders } from './headers.ts'
import { challengePage, controllerPage, paymentPage, unknownChallengePage } from './pages.ts'

const STRIPE_JS_PATH = '/endive/stripe.js'

/** The pages and scripts a browser loads from Stripe's origin. */
export function browserRoutes({ store, config }: StripeContext): Hono {
  const routes = new Hono()
  const { appOrigin } = config
  const headers = pageHeaders(appOrigin)
  const stripeJs = buildStripeJs()
  const assets = loadFrameAssets()

  routes.get(STRIPE_JS_PATH, (c) =>
    c.body(stripeJs, 200, {
      ...COMMON_HEADERS,
      'content-type': 'text/javascript; charset=utf-8',
      'cross-origin-resource-policy': 'cross-origin',
    }),
  )
  routes.get('/frame/assets/:folder/:file', (c) => {
    const asset = assets.get(`${c.req.param('folder')}/${c.req.param('file')}`)
    if (!asset) return c.notFound()
    return c.body(asset.body, 200, {
      ...COMMON_HEADERS,
      'content-type': asset.contentType,
      'cross-origin-resource-policy': 'same-origin',
    })
  })
  routes.get('/frame/payment', (c) => c.html(paymentPage(appOrigin), 200, headers))
  routes.get('/frame/address', (c) => c.html(addressPage(appOrigin), 200, headers))
  routes.get('/frame/link-authentication', (c) => c.html(linkAuthenticationPage(appOrigin), 200, headers))
  routes.get('/frame/controller', (c) => c.html(controllerPage(appOrigin), 200, headers))

  routes.get('/3ds/:token', (c) => {
    const challenge = findChallenge(store, c.req.param('token'))
    if (!challenge) return c.html(unknownChallengePage(appOrigin), 404, headers)
    return c.html(challengePage(appOrigin, challenge), 200, headers)
  })
  /** The answer of the page above, `{"answer":"pass"|"fail"}`. A second answer changes nothing and is told the first one's outcome. */
  routes.post('/3ds/:token', async (c) => {
    if (!isOwnPage(c, ownOrigins(config))) return c.json({ error: 'wrong_origin' }, 403, COMMON_HEADERS)
    const answer = await readAnswer(c)
    if (!answer) return c.json({ error: 'invalid_answer' }, 400, COMMON_HEADERS)
    const completed = completeChallenge(store, c.req.param('token'), answer)
    if (!completed) return c.json({ error: 'unknown_challenge' }, 404, COMMON_HEADERS)
    return c.json({ redirectTo: completed.redirectTo }, 200, COMMON_HEADERS)
  })
  return routes
}

/** No other site may answer for the bank, not even one that knows the token. */
function isOwnPage(c: Context, origins: readonly string[]): boolean {
  return origins.includes(c.req.header('origin') ?? '')
}

async function readAnswer(c: Context): Promise<'pass' | 'fail' | null> {
  const body: unknown = await c.req.json().catch(() => null)
  const answer = typeof body === 'object' && body !== null && 'answer' in body ? body.answer : null
  return answer === 'pass' || answer === 'fail' ? answer : null
}
