import { html } from 'hono/html'
import type Stripe from 'stripe'
import { DISPUTE_REASONS, isInquiry, isOpen, isUnderReview } from '../../disputes/dispute.ts'
import { FRAUD_TYPES } from '../../disputes/early-fraud-warnings.ts'
import type { Listed } from '../browse.ts'
import { FAILURE_REASONS, findCharge, REFUND_REASONS } from '../payment-actions.ts'
import { type Around, type Html, ownForm } from './layout.ts'

/** What banks and the dashboard can do with an object, as far as its state allows it. */
export function objectActions(around: Around, { id, kind }: Listed): Html {
  const { store } = around
  const forms = () => {
    if (kind === 'charge' || kind === 'payment_intent') return chargeForms(around, findCharge(store, id))
    if (kind === 'dispute') return disputeForms(around, store.find('dispute', id)?.object)
    if (kind === 'refund') return refundForms(around, store.find('refund', id)?.object)
    return []
  }
  const shown = forms()
  if (shown.length === 0) return html``
  return html`<section>
    <h2>What may happen to it</h2>
    <div class="cards">${shown}</div>
  </section>`
}

function chargeForms(around: Around, charge: Stripe.Charge | null): Html[] {
  if (!charge?.captured) return []
  const currency = charge.currency.toUpperCase()
  const address = `/charges/${encodeURIComponent(charge.id)}`
  const amount = (form: string) =>
    field(
      `${form}-amount`,
      `Amount in ${currency}`,
      html`<input id="${form}-amount" name="amount" inputmode="decimal" autocomplete="off" placeholder="all of it" />`,
    )
  return [
    ...(charge.refunded
      ? []
      : [
          card(
            around,
            `${address}/refund`,
            'Refund',
            'Somebody refunds it in the dashboard. The app hears of it by webhook only.',
            html`${amount('refund')}
            ${select('refund-reason', 'reason', 'Reason', [['', 'none given'], ...named(REFUND_REASONS)])}
            ${select('refund-ending', 'ending', 'How the bank takes it', [
              ['', 'as the card decides'],
              ['succeeds', 'at once'],
              ['succeedsLate', 'after a while'],
              ['fails', 'first, then not: it fails'],
            ])}
            <button>Refund</button>`,
          ),
        ]),
    card(
      around,
      `${address}/dispute`,
      'Raise a dispute',
      'The customer goes to their bank. An inquiry only asks and moves no money.',
      html`${amount('dispute')}
      ${select('dispute-reason', 'reason', 'Reason', named(['fraudulent', ...DISPUTE_REASONS]))}
      <label class="tick"><input type="checkbox" name="inquiry" value="true" /> As an inquiry</label>
      <button>Raise a dispute</button>`,
    ),
    card(
      around,
      `${address}/early_fraud_warning`,
      'Warn of fraud',
      'The card network suspects fraud before anybody disputes anything.',
      html`${select('fraud-type', 'fraudType', 'Kind', named(['made_with_stolen_card', ...FRAUD_TYPES]))}
      <button>Warn of fraud</button>`,
    ),
  ]
}

function disputeForms(around: Around, dispute: Stripe.Dispute | undefined): Html[] {
  if (!dispute) return []
  const address = `/disputes/${encodeURIComponent(dispute.id)}`
  const open = isOpen(dispute) || isUnderReview(dispute)
  const close = (status: 'won' | 'lost', title: string, text: string) =>
    card(
      around,
      `${address}/close`,
      title,
      text,
      html`<input type="hidden" name="status" value="${status}" /><button>${title}</button>`,
    )
  if (!open) return []
  if (isInquiry(dispute)) {
    return [
      card(
        around,
        `${address}/escalate`,
        'Escalate',
        'The inquiry becomes a dispute, and the money goes.',
        html`<button>Escalate</button>`,
      ),
      close('won', 'Close the inquiry', 'The bank asks no further. Nothing had moved.'),
    ]
  }
  return [
    close('won', 'Close as won', 'The shop was right: the money comes back.'),
    close('lost', 'Close as lost', 'The customer was right: the money stays with them.'),
  ]
}

function refundForms(around: Around, refund: Stripe.Refund | undefined): Html[] {
  if (!refund || refund.status === 'failed' || refund.balance_transaction === null) return []
  return [
    card(
      around,
      `/refunds/${encodeURIComponent(refund.id)}/fail`,
      'Let it fail',
      "The customer's bank sends the money back.",
      html`${select('failure-reason', 'reason', 'Reason', named(['unknown', ...FAILURE_REASONS]))}
      <button>Let it fail</button>`,
    ),
  ]
}

function card(around: Around, address: string, title: string, text: string, fields: Html): Html {
  return html`<div class="card">
    <h3>${title}</h3>
    <p class="soft">${text}</p>
    ${ownForm(around, address, fields, title)}
  </div>`
}

function field(id: string, label: string, control: Html): Html {
  return html`<div class="field"><label for="${id}">${label}</label>${control}</div>`
}

function select(id: string, name: string, label: string, options: (readonly [string, string])[]): Html {
  return field(
    id,
    label,
    html`<select id="${id}" name="${name}">${options.map(([value, text]) => html`<option value="${value}">${text}</option>`)}</select>`,
  )
}

/** The first is what is chosen at first; it may come a second time. */
function named(values: readonly string[]): [string, string][] {
  return [...new Set(values)].map((value) => [value, value.replaceAll('_', ' ')])
}
