import { Hono } from 'hono'
import { z } from 'zod'
import { intentOf, payWith } from '../billing/collect-invoice.ts'
import { getInvoice, type Invoice, inTimeOfInvoice } from '../billing/invoices.ts'
import type { StripeContext } from '../context.ts'
import type { Store } from '../core/store.ts'
import { noSuch, StripeError } from '../http/errors.ts'
import { createPaymentMethod } from '../payments/payment-methods.ts'
import { cardInput, toPaymentMethod } from './card-input.ts'
import { asCustomer, page, readJson, tell } from './page-context.ts'
import { invoicePage } from './pages/invoice-page.ts'
import { lastError, type PayOutcome } from './pay-session.ts'

const payment = z.strictObject({ card: cardInput, name: z.string().max(200).optional() })

/** `hosted_invoice_url`: an invoice to look at, and to pay while it is open. */
export function invoiceRoutes({ store }: StripeContext): Hono {
  const app = new Hono()

  app.get('/invoice/:id', (c) => {
    const invoice = opened(store, c.req.param('id'), c.req.query('t'))
    const complaint = invoice.status === 'open' ? lastError(intentOf(store, invoice)) : null
    return page(c, invoicePage(invoice, complaint))
  })

  app.post('/invoice/:id', async (c) => {
    const invoice = opened(store, c.req.param('id'), c.req.query('t'))
    const { card, name } = await readJson(c, payment)
    const back = invoice.hosted_invoice_url ?? ''
    const outcome = asCustomer(store, (call): PayOutcome => {
      const current = getInvoice(store, invoice.id)
      if (current.status !== 'open') return { kind: 'complete' }
      const given = toPaymentMethod(card, { email: current.customer_email, ...(name ? { name } : {}) })
      try {
        const method = createPaymentMethod(call, given)
        const options = { useStripeSdk: false, returnUrl: back }
        const intent = inTimeOfInvoice(store, current, () => payWith(call, current, method, options))
        const url = intent.next_action?.redirect_to_url?.url
        return url ? { kind: 'challenge', url } : { kind: 'complete' }
      } catch (error) {
        if (!(error instanceof StripeError) || error.status !== 402) throw error
        return { kind: 'declined', message: error.message }
      }
    })
    return tell(c, outcome, back)
  })

  return app
}

/** The invoice whose address this is. @throws StripeError 404 for any other. */
function opened(store: Store, id: string, token: string | undefined): Invoice {
  const invoice = getInvoice(store, id)
  const right = new URL(invoice.hosted_invoice_url ?? 'none:').searchParams.get('t')
  if (right === null || token !== right) throw noSuch('invoice', id, 'invoice', 404)
  return invoice
}
