import { html } from 'hono/html'
import { formatAmount } from '../../core/currencies.ts'

export type Html = ReturnType<typeof html>

/** What every page of this origin that a customer sees has around it. */
export function layout({
  title,
  script,
  wide = false,
  body,
}: {
  title: string
  script?: string
  wide?: boolean
  body: Html
}): Html {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="robots" content="noindex" />
    <title>${title}</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="/hosted/assets/hosted.css" />
    ${script ? html`<script type="module" src="/hosted/assets/${script}"></script>` : ''}
  </head>
  <body>
    <header class="banner"><p>Local test stand-in, not Stripe. No money moves. Use test cards only.</p></header>
    <main class="${wide ? 'wide' : 'narrow'}">${body}</main>
  </body>
</html>`
}

/** A page that says one thing. */
export function messagePage(title: string, text: string, link?: { href: string; label: string }): Html {
  return layout({
    title,
    body: html`<section class="card">
      <h1>${title}</h1>
      <p>${text}</p>
      ${link ? html`<p><a href="${link.href}">${link.label}</a></p>` : ''}
    </section>`,
  })
}

/** In the currency's own decimals, for people. */
export function money(amountMinor: number, currency: string): string {
  return formatAmount(amountMinor, currency)
}

/** The day, in words; with the exact instant for whoever wants to know. */
export function day(seconds: number): Html {
  const date = new Date(seconds * 1000)
  const words = date.toLocaleDateString('en', {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  })
  return html`<time datetime="${date.toISOString()}" title="${date.toISOString()}">${words}</time>`
}

/** The fields of a card, whose form sends nothing before its script is there: a card number must not end up in an address. As the card frame has them; `card-form.js` brings them to life by these ids. */
export function cardFields(): Html {
  return html`
    <noscript><p class="error">This page needs JavaScript.</p></noscript>
    <div class="field">
      <div class="above">
        <label for="number">Card number</label>
        <span class="hint" id="number-brand"></span>
      </div>
      <input id="number" name="number" inputmode="numeric" autocomplete="cc-number" placeholder="1234 1234 1234 1234"
        aria-describedby="number-error number-brand" />
      <p class="error" id="number-error" role="alert"></p>
    </div>
    <div class="pair">
      <div class="field">
        <label for="expiry">Expiration date</label>
        <input id="expiry" name="expiry" inputmode="numeric" autocomplete="cc-exp" placeholder="MM / YY"
          aria-describedby="expiry-error" />
        <p class="error" id="expiry-error" role="alert"></p>
      </div>
      <div class="field">
        <div class="above">
          <label for="cvc">Security code</label>
          <span class="hint" id="cvc-hint">3 digits</span>
        </div>
        <input id="cvc" name="cvc" inputmode="numeric" autocomplete="cc-csc" placeholder="CVC"
          aria-describedby="cvc-error cvc-hint" />
        <p class="error" id="cvc-error" role="alert"></p>
      </div>
    </div>
    <div class="field">
      <label for="name">Name on card</label>
      <input id="name" name="name" autocomplete="cc-name" maxlength="200" />
    </div>`
}
