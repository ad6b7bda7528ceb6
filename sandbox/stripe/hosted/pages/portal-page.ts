import { html } from 'hono/html'
import type Stripe from 'stripe'
import { describePrice } from '../../billing/price.ts'
import type { PortalView } from '../portal.ts'
import { cardFields, day, type Html, layout, money } from './layout.ts'

type Subscription = Stripe.Subscription

/** What each status means to the customer. */
const STATUS: Record<string, string> = {
  active: 'Active',
  past_due: 'Payment overdue',
  paused: 'Paused',
  trialing: 'In trial',
  unpaid: 'Unpaid',
}

const INVOICE_STATUS: Record<string, string> = {
  open: 'Open',
  paid: 'Paid',
  uncollectible: 'Not paid',
  void: 'Void',
}

/** Everything on one page; names of products are looked up beforehand. */
export function portalPage(
  view: PortalView,
  nameOf: (price: Stripe.Price) => string,
  told: string | null,
): Html {
  const { session, customer, features, headline } = view
  return layout({
    title: 'Your subscriptions and invoices',
    script: 'portal.js',
    body: html`
      ${session.return_url ? html`<p class="back"><a href="${session.return_url}">Return to the shop</a></p>` : ''}
      <h1>${headline ?? 'Your subscriptions and invoices'}</h1>
      <p class="soft">${customer.email ?? customer.name ?? customer.id}</p>
      <p id="told" class="told" role="status">${told ?? ''}</p>
      <section class="card" aria-labelledby="subscriptions">
        <h2 id="subscriptions">Subscriptions</h2>
        ${
          view.subscriptions.length === 0
            ? html`<p class="soft">You have no subscription at the moment.</p>`
            : view.subscriptions.map((subscription) => subscriptionPart(view, subscription, nameOf))
        }
      </section>
      ${features.payment_method_update.enabled ? cardsPart(view) : ''}
      ${features.invoice_history.enabled ? invoicesPart(view.invoices) : ''}`,
  })
}

function subscriptionPart(
  { features, plans }: PortalView,
  subscription: Subscription,
  nameOf: (price: Stripe.Price) => string,
): Html {
  const { id, status, cancel_at } = subscription
  const [item] = subscription.items.data
  if (!item) return html``
  const others = plans.filter(
    (plan) => plan.id !== item.price.id && plan.currency === item.price.currency && plan.active,
  )
  return html`<article class="subscription" aria-label="${nameOf(item.price)}">
    <h3>${nameOf(item.price)}</h3>
    <p>${describePrice(item.price)}${item.quantity && item.quantity > 1 ? html` × ${item.quantity}` : ''}</p>
    <p><span class="status ${status === 'active' || status === 'trialing' ? 'good' : 'warn'}">${STATUS[status] ?? status}</span>
      ${cancel_at === null ? html`Renews on ${day(item.current_period_end)}` : html`Ends on ${day(cancel_at)}`}</p>
    <div class="actions">
      ${
        features.subscription_update.enabled && others.length > 0 && cancel_at === null
          ? html`<form method="post" action="?do=plan" class="inline">
              <input type="hidden" name="subscription" value="${id}" />
              <div class="field">
                <label for="plan-${id}">Change to</label>
                <select id="plan-${id}" name="price">
                  ${others.map((plan) => html`<option value="${plan.id}">${nameOf(plan)}, ${describePrice(plan)}</option>`)}
                </select>
              </div>
              <button type="submit">Change plan</button>
            </form>`
          : ''
      }
      ${features.subscription_cancel.enabled ? leaveOrStay(subscription, features) : ''}
    </div>
  </article>`
}

function leaveOrStay({ id, cancel_at }: Subscription, features: PortalView['features']): Html {
  if (cancel_at !== null) {
    return html`<form method="post" action="?do=keep">
      <input type="hidden" name="subscription" value="${id}" />
      <button type="submit">Keep subscription</button>
    </form>`
  }
  const label =
    features.subscription_cancel.mode === 'immediately' ? 'Cancel now' : 'Cancel at the end of the period'
  return html`<details>
    <summary>Cancel subscription</summary>
    <form method="post" action="?do=cancel">
      <input type="hidden" name="subscription" value="${id}" />
      <button class="danger" type="submit">${label}</button>
    </form>
  </details>`
}

function cardsPart({ cards, defaultCard }: PortalView): Html {
  return html`<section class="card" aria-labelledby="cards">
    <h2 id="cards">Cards</h2>
    ${cards.length === 0 ? html`<p class="soft">No card is saved yet.</p>` : ''}
    <ul class="cards">
      ${cards.map(
        ({ id, card }) => html`<li>
          <span><span class="brand">${card?.brand ?? 'card'}</span> ending in ${card?.last4 ?? ''}, expires
            ${String(card?.exp_month ?? '').padStart(2, '0')}/${card?.exp_year ?? ''}</span>
          ${
            id === defaultCard
              ? html`<span class="status good">In use</span>`
              : html`<form method="post" action="?do=card">
                  <input type="hidden" name="card" value="${id}" />
                  <button type="submit">Use this card<span class="hidden"> ending in ${card?.last4 ?? ''}</span></button>
                </form>`
          }
        </li>`,
      )}
    </ul>
    <details>
      <summary>Add a card</summary>
      <form id="add-card" method="post" novalidate>
        ${cardFields()}
        <p class="error" id="form-error" role="alert"></p>
        <button class="primary" type="submit" disabled>Save card</button>
        <p id="progress" role="status"></p>
      </form>
    </details>
  </section>`
}

function invoicesPart(invoices: Stripe.Invoice[]): Html {
  return html`<section class="card" aria-labelledby="invoices">
    <h2 id="invoices">Invoices</h2>
    ${invoices.length === 0 ? html`<p class="soft">There is no invoice yet.</p>` : ''}
    <ul class="invoices">
      ${invoices.map(
        (invoice) => html`<li>
          <span>${day(invoice.created)}</span>
          <span>${
            invoice.hosted_invoice_url
              ? html`<a href="${invoice.hosted_invoice_url}">${invoice.number ?? invoice.id}</a>`
              : invoice.id
          }</span>
          <span class="status ${invoice.status === 'paid' ? 'good' : 'warn'}">${INVOICE_STATUS[invoice.status ?? ''] ?? invoice.status}</span>
          <span class="amount">${money(invoice.total, invoice.currency)}</span>
        </li>`,
      )}
    </ul>
  </section>`
}
