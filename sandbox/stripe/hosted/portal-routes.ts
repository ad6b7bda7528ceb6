import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { inTimeOf } from '../billing/clock-time.ts'
import { productName } from '../billing/price.ts'
import type { StripeContext } from '../context.ts'
import type { Call } from '../http/call.ts'
import { StripeError } from '../http/errors.ts'
import { cardInput, toPaymentMethod } from './card-input.ts'
import { asCustomer, page, readJson, tell } from './page-context.ts'
import { messagePage } from './pages/layout.ts'
import { portalPage } from './pages/portal-page.ts'
import {
  addCardInPortal,
  cancelInPortal,
  changePlanInPortal,
  chooseCardInPortal,
  keepInPortal,
  type PortalView,
  portalView,
} from './portal.ts'

type Fields = Record<string, string>
type Action = { told: string; run: (call: Call, view: PortalView, fields: Fields) => void }

const ACTIONS: Record<string, Action> = {
  cancel: {
    told: 'Your subscription is cancelled.',
    run: (call, view, { subscription = '' }) => cancelInPortal(call, view, subscription),
  },
  keep: {
    told: 'Your subscription goes on.',
    run: (call, view, { subscription = '' }) => keepInPortal(call, view, subscription),
  },
  plan: {
    told: 'Your plan is changed.',
    run: (call, view, { subscription = '', price = '' }) =>
      changePlanInPortal(call, view, subscription, price),
  },
  card: {
    told: 'This card is used from now on.',
    run: (call, view, { card = '' }) => chooseCardInPortal(call, view, card),
  },
}
const CARD_TOLD = 'The new card is used from now on.'

const newCard = z.strictObject({ card: cardInput, name: z.string().max(200).optional() })

/** The customer portal. Its forms work without scripts, but for the card. */
export function portalRoutes({ store }: StripeContext): Hono {
  const app = new Hono()

  app.get('/p/session/:token', (c) => {
    const view = portalView(store, c.req.param('token'))
    if (!view) return gone(c)
    return page(
      c,
      portalPage(view, (price) => productName(store, price), toldBefore(c)),
    )
  })

  app.post('/p/session/:token', async (c) => {
    const name = c.req.query('do') ?? ''
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined
    const form = await c.req.parseBody()
    const fields = Object.fromEntries(Object.entries(form).map(([key, value]) => [key, String(value)]))
    const address = `/p/session/${c.req.param('token')}`
    const known = asCustomer(store, (call) => {
      const view = portalView(store, c.req.param('token'))
      if (!view || !action) return false
      inTimeOf(store, view.customer.test_clock, () => action.run(call, view, fields))
      return true
    })
    return known ? c.redirect(`${address}?told=${name}`, 303) : gone(c)
  })

  app.post('/p/session/:token/cards', async (c) => {
    const { card, name } = await readJson(c, newCard)
    const address = `/p/session/${c.req.param('token')}`
    const outcome = asCustomer(store, (call) => {
      const view = portalView(store, c.req.param('token'))
      if (!view)
        throw new StripeError(404, { type: 'invalid_request_error', message: 'This page has expired.' })
      const given = toPaymentMethod(card, { email: view.customer.email, ...(name ? { name } : {}) })
      const back = `${store.config.baseUrl}${address}`
      return inTimeOf(store, view.customer.test_clock, () => addCardInPortal(call, view, given, back))
    })
    return tell(c, outcome, `${address}?told=new_card`)
  })

  return app
}

function toldBefore(c: Context): string | null {
  const name = c.req.query('told') ?? ''
  if (name === 'new_card' || c.req.query('redirect_status') === 'succeeded') return CARD_TOLD
  if (c.req.query('redirect_status') === 'failed') return 'The card was not confirmed, and is not used.'
  return Object.hasOwn(ACTIONS, name) ? (ACTIONS[name]?.told ?? null) : null
}

function gone(c: Context) {
  const text = 'For your safety these addresses work for an hour. Open the portal again from the shop.'
  return page(c, messagePage('This page has expired', text), 410)
}
