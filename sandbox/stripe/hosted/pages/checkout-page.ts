import { html } from 'hono/html'
import type Stripe from 'stripe'
import { describePrice } from '../../billing/price.ts'
import { cardFields, type Html, layout, money } from './layout.ts'

type Session = Stripe.Checkout.Session

export type CheckoutView = {
  session: Session
  items: Stripe.LineItem[]
  trialDays: number | null
  /** Minor units to be paid now. */
  dueMinor: number
  needsCard: boolean
  /** What became of an earlier try, for instance at the bank. */
  complaint: string | null
}

/** One thing at a time: what is bought on the one side, the card on the other. */
export function checkoutPage(view: CheckoutView): Html {
  const { session, complaint, needsCard } = view
  return layout({
    title: TITLES[session.mode] ?? 'Checkout',
    script: 'checkout.js',
    wide: session.mode !== 'setup',
    body: html`
      ${session.mode === 'setup' ? '' : summary(view)}
      <section class="card" aria-labelledby="heading">
        <h1 id="heading">${TITLES[session.mode] ?? 'Checkout'}</h1>
        <form id="checkout" method="post" novalidate data-needs-card="${String(needsCard)}">
          ${email(session)}
          ${needsCard ? cardFields() : html`<p>Nothing is due now, so no card is needed.</p>`}
          <p class="error" id="form-error" role="alert">${complaint ?? ''}</p>
          <button class="primary" type="submit" disabled>${buttonLabel(view)}</button>
          <p id="progress" role="status"></p>
        </form>
        ${session.cancel_url ? html`<p class="back"><a href="${session.cancel_url}">Go back without paying</a></p>` : ''}
      </section>`,
  })
}

const TITLES: Record<string, string> = {
  payment: 'Pay by card',
  setup: 'Save a card',
  subscription: 'Subscribe',
}

function summary({ session, items, trialDays, dueMinor }: CheckoutView): Html {
  const currency = session.currency ?? 'usd'
  const discount = session.total_details?.amount_discount ?? 0
  return html`<section class="summary" aria-labelledby="summary-heading">
    <h2 id="summary-heading">Your order</h2>
    <ul class="lines">
      ${items.map(
        (item) => html`<li>
          <span>${item.description} <small>${detail(item)}</small></span>
          <span class="amount">${money(item.amount_subtotal, currency)}</span>
        </li>`,
      )}
    </ul>
    <dl class="totals">
      ${
        discount > 0
          ? html`<div><dt>Discount</dt><dd class="amount">-${money(discount, currency)}</dd></div>`
          : ''
      }
      ${trialDays ? html`<div><dt>Free for ${trialDays} days, then</dt><dd class="amount">${money(session.amount_total ?? 0, currency)}</dd></div>` : ''}
      <div class="total"><dt>Due today</dt><dd class="amount">${money(dueMinor, currency)}</dd></div>
    </dl>
    ${session.allow_promotion_codes ? promotion() : ''}
  </section>`
}

function promotion(): Html {
  return html`<form id="promotion" class="inline" method="post" novalidate>
    <div class="field">
      <label for="code">Promotion code</label>
      <input id="code" name="code" autocomplete="off" aria-describedby="code-error" />
      <p class="error" id="code-error" role="alert"></p>
    </div>
    <button type="submit" disabled>Apply</button>
  </form>`
}

function email({ customer_details }: Session): Html {
  if (customer_details?.email)
    return html`<p class="known">Receipt to <strong>${customer_details.email}</strong></p>`
  return html`<div class="field">
    <label for="email">Email</label>
    <input id="email" name="email" type="email" autocomplete="email" aria-describedby="email-error" />
    <p class="error" id="email-error" role="alert"></p>
  </div>`
}

function detail({ price, quantity }: Stripe.LineItem): string {
  if (!price) return ''
  return quantity === 1 && !price.recurring ? '' : `${quantity} × ${describePrice(price)}`
}

function buttonLabel({ session, dueMinor, trialDays }: CheckoutView): string {
  if (session.mode === 'setup') return 'Save card'
  if (session.mode === 'subscription' && trialDays) return 'Start trial'
  const amount = money(dueMinor, session.currency ?? 'usd')
  return session.mode === 'subscription' ? `Subscribe for ${amount}` : `Pay ${amount}`
}
