import { html } from 'hono/html'
import type Stripe from 'stripe'
import { cardFields, day, type Html, layout, money } from './layout.ts'

/** An invoice as its customer sees it; one that is open can be paid here. */
export function invoicePage(invoice: Stripe.Invoice, complaint: string | null): Html {
  const { currency, status } = invoice
  return layout({
    title: `Invoice ${invoice.number ?? invoice.id}`,
    ...(status === 'open' ? { script: 'checkout.js' } : {}),
    body: html`<section class="card" aria-labelledby="heading">
      <h1 id="heading">Invoice ${invoice.number ?? ''}</h1>
      <p class="soft">${day(invoice.created)} · ${invoice.customer_email ?? invoice.customer_name ?? ''}</p>
      <ul class="lines">
        ${invoice.lines.data.map(
          (line) => html`<li>
            <span>${line.description} <small>${day(line.period.start)} to ${day(line.period.end)}</small></span>
            <span class="amount">${money(line.amount, currency)}</span>
          </li>`,
        )}
      </ul>
      <dl class="totals">
        <div class="total"><dt>Total</dt><dd class="amount">${money(invoice.total, currency)}</dd></div>
        <div><dt>${status === 'paid' ? 'Paid' : 'Due'}</dt>
          <dd class="amount">${money(status === 'paid' ? invoice.amount_paid : invoice.amount_remaining, currency)}</dd></div>
      </dl>
      ${status === 'open' ? payment(invoice, complaint) : html`<p>${ENDED[status ?? ''] ?? ''}</p>`}
    </section>`,
  })
}

const ENDED: Record<string, string> = {
  draft: 'This invoice is not final yet.',
  paid: 'Paid. Thank you.',
  uncollectible: 'Nobody asks for this money any more.',
  void: 'This invoice is void. There is nothing to pay.',
}

function payment({ amount_remaining, currency }: Stripe.Invoice, complaint: string | null): Html {
  return html`<form id="checkout" method="post" novalidate data-needs-card="true">
    ${cardFields()}
    <p class="error" id="form-error" role="alert">${complaint ?? ''}</p>
    <button class="primary" type="submit" disabled>Pay ${money(amount_remaining, currency)}</button>
    <p id="progress" role="status"></p>
  </form>`
}
