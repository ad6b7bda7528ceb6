import { html } from 'hono/html'
import { formatAmount } from '../core/currencies.ts'
import type { Challenge } from '../payments/challenge.ts'

export type Html = ReturnType<typeof html>

const ANSWERED = {
  passed: 'This check is finished: it was passed.',
  failed: 'This check is finished: it was not passed.',
  superseded: 'This check is no longer needed. The shop went on another way.',
} as const

export function paymentPage(appOrigin: string): Html {
  return frame({
    appOrigin,
    title: 'Secure payment input frame',
    name: 'payment',
    styles: 'payment',
    busy: true,
    body: html`
    <p class="error" id="load-error" role="alert"></p>
    <form id="payment-form" novalidate>
      <fieldset id="saved-cards" hidden>
        <legend>Payment method</legend>
        <div id="saved-rows"></div>
      </fieldset>
      <p class="hint status" id="saved-status" role="status"></p>
      <div id="new-card">
      <div>
        <div class="above">
          <label for="number">Card number</label>
          <span class="hint" id="number-brand"></span>
        </div>
        <input id="number" name="number" inputmode="numeric" autocomplete="cc-number"
          placeholder="1234 1234 1234 1234" aria-describedby="number-error number-brand" />
        <p class="error" id="number-error" role="alert"></p>
      </div>
      <div class="pair">
        <div>
          <label for="expiry">Expiration date</label>
          <input id="expiry" name="expiry" inputmode="numeric" autocomplete="cc-exp"
            placeholder="MM / YY" aria-describedby="expiry-error" />
          <p class="error" id="expiry-error" role="alert"></p>
        </div>
        <div>
          <div class="above">
            <label for="cvc">Security code</label>
            <span class="hint" id="cvc-hint">3 digits</span>
          </div>
          <input id="cvc" name="cvc" inputmode="numeric" autocomplete="cc-csc"
            placeholder="CVC" aria-describedby="cvc-error cvc-hint" />
          <p class="error" id="cvc-error" role="alert"></p>
        </div>
      </div>
      <div id="country-field">
        <label for="country">Country</label>
        <select id="country" name="country" autocomplete="billing country"></select>
      </div>
      <div id="save-field" class="tick" hidden>
        <input type="checkbox" id="save" name="save" />
        <label for="save">Save this card for later payments</label>
      </div>
      </div>
      <p class="stand-in">Local test stand-in, not Stripe. Use test cards only.</p>
    </form>`,
  })
}

export function controllerPage(appOrigin: string): Html {
  return frame({ appOrigin, title: 'Stripe controller', name: 'controller', body: html`` })
}

/** The bank's question. An answered challenge says so and offers nothing. Only as a page of its own does it have a main landmark. */
export function challengePage(appOrigin: string, challenge: Challenge): Html {
  const { amount } = challenge
  const open = challenge.state === 'open'
  return frame({
    appOrigin,
    title: '3D Secure test page',
    name: 'challenge',
    styles: 'challenge',
    body: html`
    <div id="challenge" data-state="${challenge.state}"${challenge.returnUrl ? html` role="main"` : ''}>
      <header>
        <p class="stand-in">Local test stand-in, not Stripe</p>
        <button type="button" id="close" hidden>Close</button>
      </header>
      <h1 tabindex="-1">${amount ? 'Confirm this payment' : 'Confirm this card'}</h1>
      <dl>
        ${amount ? html`<div><dt>Amount</dt><dd>${formatAmount(amount.minor, amount.currency)}</dd></div>` : ''}
        <div><dt>Card</dt><dd><span class="brand">${challenge.card.brand}</span> ending in ${challenge.card.last4}</dd></div>
      </dl>
      ${open ? question() : ''}
      <p id="status" role="status">${challenge.state === 'open' ? '' : ANSWERED[challenge.state]}</p>
    </div>`,
  })
}

export function unknownChallengePage(appOrigin: string): Html {
  return frame({
    appOrigin,
    title: '3D Secure test page',
    name: 'challenge',
    styles: 'challenge',
    body: html`
    <div id="challenge" data-state="unknown">
      <header>
        <p class="stand-in">Local test stand-in, not Stripe</p>
        <button type="button" id="close" hidden>Close</button>
      </header>
      <h1 tabindex="-1">This check does not exist</h1>
      <p id="status" role="status">The address may be incomplete, or the sandbox was reset. Nothing was charged by opening it.</p>
    </div>`,
  })
}

function question(): Html {
  return html`
      <div id="question" hidden>
        <p>Your bank would ask you here to prove that it is you. Choose how that ends.</p>
        <div class="answers">
          <button type="button" id="test-source-authorize-3ds" data-answer="pass">Complete authentication</button>
          <button type="button" id="test-source-fail-3ds" data-answer="fail">Fail authentication</button>
        </div>
      </div>`
}

type Frame = {
  appOrigin: string
  title: string
  /** Of its script, below `/frame/assets/frame/`. */
  name: 'address' | 'challenge' | 'controller' | 'link-authentication' | 'payment'
  styles?: 'challenge' | 'payment'
  busy?: boolean
  body: Html
}

export function frame({ appOrigin, title, name, styles, busy = false, body }: Frame): Html {
  return html`<!doctype html>
<html lang="en" data-app-origin="${appOrigin}">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${title}</title>
    ${styles ? html`<link rel="stylesheet" href="/frame/assets/frame/${styles}.css" />` : ''}
    <script type="module" src="/frame/assets/frame/${name}.js"></script>
  </head>
  <body${busy ? html` aria-busy="true"` : ''}>${body}
  </body>
</html>`
}
