import { html } from 'hono/html'
import { formatAmount } from '../core/currencies.ts'
import type { Store } from '../core/store.ts'
import { listDeliveries } from './deliveries.ts'

const SHOWN = 12

const STYLE = `
  :root { color-scheme: light dark; --ink: #1f2733; --dim: #5c6675; --line: #dfe3e8; --paper: #fbfbfa; --note: #fff4d6 }
  @media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --dim: #9aa4b2; --line: #2c333d; --paper: #14181d; --note: #3a3113 } }
  body { margin: 0 auto; max-width: 60rem; padding: 2rem 1rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
  h1 { font-size: 1.4rem; margin: 0 } h2 { font-size: 1rem; margin: 2rem 0 .5rem }
  .note { background: var(--note); border-radius: .5rem; padding: .5rem .75rem; margin: 1rem 0 }
  .scroll { overflow-x: auto } table { border-collapse: collapse; width: 100%; font-size: .9rem }
  th, td { text-align: left; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); white-space: nowrap }
  th, p.empty { color: var(--dim); font-weight: 500 } code { font-size: .85rem }`

/** What this server is, and what happened in it lately. */
export function homePage(store: Store) {
  const intents = store.select('payment_intent', [], { limit: SHOWN }).map(({ object }) => object)
  const deliveries = listDeliveries(store, SHOWN)
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Local test stand-in for Stripe</title>
        <style>
          ${STYLE}
        </style>
      </head>
      <body>
        <main>
          <h1>Local test stand-in for Stripe</h1>
          <p class="note">This is not Stripe. It runs on this machine only and moves no money. Never give it a live key or a real card.</p>
          <h2>Latest payments</h2>
          ${table(
            ['Payment', 'Amount', 'Status'],
            intents.map(({ id, amount, currency, status }) => [id, formatAmount(amount, currency), status]),
            'No payment was started yet.',
          )}
          <h2>Latest webhook deliveries</h2>
          ${table(
            ['Event', 'Type', 'To', 'State', 'Attempts', 'Last answer'],
            deliveries.map(({ event, type, url, state, attempts }) => {
              const last = attempts.at(-1)
              return [
                event,
                type,
                url ?? '',
                state,
                String(attempts.length),
                String(last?.status ?? last?.error ?? ''),
              ]
            }),
            'Nothing was sent yet.',
          )}
        </main>
      </body>
    </html>`
}

function table(columns: string[], rows: string[][], whenEmpty: string) {
  if (rows.length === 0) return html`<p class="empty">${whenEmpty}</p>`
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${columns[0] ?? ''} list">
    <table>
      <thead>
        <tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr>
      </thead>
      <tbody>
        ${rows.map((cells) => html`<tr>${cells.map((cell) => html`<td><code>${cell}</code></td>`)}</tr>`)}
      </tbody>
    </table>
  </div>`
}
