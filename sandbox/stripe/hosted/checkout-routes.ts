import { Hono } from 'hono'
import { z } from 'zod'
import { findActiveCode } from '../billing/promotion-codes.ts'
import type { StripeContext } from '../context.ts'
import { idOf } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import { StripeError } from '../http/errors.ts'
import { createPaymentMethod } from '../payments/payment-methods.ts'
import { cardInput, toPaymentMethod } from './card-input.ts'
import { checkoutView } from './checkout-view.ts'
import { pricedItems, totals } from './line-items.ts'
import { asCustomer, page, readJson, tell } from './page-context.ts'
import { checkoutPage } from './pages/checkout-page.ts'
import { messagePage } from './pages/layout.ts'
import { paySession } from './pay-session.ts'
import { getSession, successUrl } from './sessions.ts'
import { waitUntilTold } from './wait-for-shop.ts'

const payment = z.strictObject({
  email: z.email().max(512).optional(),
  name: z.string().max(200).optional(),
  card: cardInput.optional(),
})
const promotion = z.strictObject({ code: z.string().min(1).max(200) })

/** The page of a Checkout Session. */
export function checkoutRoutes({ store }: StripeContext): Hono {
  const app = new Hono()

  app.get('/c/pay/:id', async (c) => {
    const view = checkoutView(store, c.req.param('id'))
    const { session } = view
    if (session.status === 'complete') {
      await waitUntilTold(store, session.id)
      const url = successUrl(session)
      return url ? c.redirect(url, 303) : page(c, messagePage('All done', 'You can close this page.'))
    }
    if (session.status === 'open' && session.url !== null) return page(c, checkoutPage(view))
    const back = session.cancel_url
    return page(
      c,
      messagePage(
        'This page has expired',
        'Nothing was charged. Start again from the shop.',
        back ? { href: back, label: 'Return to the shop' } : undefined,
      ),
      410,
    )
  })

  app.post('/c/pay/:id', async (c) => {
    const id = c.req.param('id')
    const { email, name, card } = await readJson(c, payment)
    const outcome = asCustomer(store, (call) => {
      const { session, needsCard } = checkoutView(store, id)
      const payer = { email: session.customer_details?.email ?? email ?? null, name: name ?? null }
      if (needsCard && !card) throw incomplete()
      const method = card ? createPaymentMethod(call, toPaymentMethod(card, payerDetails(payer))) : null
      return paySession(call, id, { ...payer, card: method })
    })
    if (outcome.kind === 'complete') await waitUntilTold(store, id)
    return tell(c, outcome, successUrl(getSession(store, id).object) ?? `/c/pay/${id}`)
  })

  app.post('/c/pay/:id/promotion_code', async (c) => {
    const id = c.req.param('id')
    const { code } = await readJson(c, promotion)
    const known = store.transaction(() => applyCode(store, id, code))
    return c.json(known ? { redirectTo: `/c/pay/${id}` } : { message: 'This code cannot be used.' })
  })

  return app
}

/** A code replaces what was given off before. False when it cannot be used. */
function applyCode(store: Store, id: string, typed: string): boolean {
  const { object: session, hidden } = getSession(store, id)
  const found = findActiveCode(store, typed)
  const coupon = idOf(found?.promotion.coupon)
  if (!session.allow_promotion_codes || session.status !== 'open' || !found || !coupon) return false
  const discounts = [{ coupon, promotionCode: found.id }]
  const lineItems = pricedItems(store, hidden.lineItems, discounts)
  const shown = [{ coupon, promotion_code: found.id }]
  store.save(
    'checkout.session',
    { ...session, ...totals(lineItems), discounts: shown },
    { ...hidden, lineItems, discounts },
  )
  return true
}

function payerDetails({ email, name }: { email: string | null; name: string | null }) {
  return { email, ...(name === null ? {} : { name }) }
}

function incomplete(): StripeError {
  return new StripeError(400, { type: 'invalid_request_error', message: 'A card is needed.' })
}
