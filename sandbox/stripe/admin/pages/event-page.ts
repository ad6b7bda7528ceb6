import { html } from 'hono/html'
import type Stripe from 'stripe'
import { type DeliveryView, deliveriesOf } from '../deliveries.ts'
import { jsonBlock } from './json.ts'
import { type Around, type Html, layout, ownForm, table } from './layout.ts'
import { explained, fact, heading } from './object-page.ts'
import { idLink, meaningOf, moment, status } from './words.ts'

export function eventPage(around: Around, event: Stripe.Event): Html {
  const { store } = around
  const { id, type, created, request } = event
  const deliveries = deliveriesOf(store, id)
  const about = (event.data.object as { id?: string }).id
  return layout(
    around,
    '/admin/events',
    type,
    html`
      <p class="kind">${type}</p>
      ${heading(id)}
      <dl class="facts">
        ${about ? fact('About', idLink(about)) : ''}
        ${fact('Caused by', request?.id ?? 'nobody’s request')}
        ${fact('Created', moment(created * 1000))}
      </dl>
      <section>
        <h2>Deliveries</h2>
        ${
          deliveries.length > 0
            ? deliveries.map((delivery, index) => deliveryBlock(delivery, index))
            : html`<p class="empty">No webhook endpoint wanted it.</p>`
        }
        <div class="row">
          ${ownForm(around, `/events/${id}/resend`, html`<button>Resend</button>`)}
          <a href="/admin/events/${id}">Reload</a>
        </div>
      </section>
      <section>
        <h2>JSON</h2>
        ${jsonBlock(store, `JSON of ${id}`, event)}
      </section>
    `,
  )
}

function deliveryBlock({ url, state, nextAttemptAt, attempts }: DeliveryView, index: number): Html {
  return html`<div class="delivery">
    <p>
      ${status('delivery', state)}${explained(meaningOf('delivery', state))}
      <span class="url">${url ?? 'a former endpoint'}</span>
      ${nextAttemptAt === null ? '' : html`<span class="soft">Next attempt ${moment(nextAttemptAt)}</span>`}
    </p>
    ${
      attempts.length > 0
        ? table(
            `Attempts of delivery ${index + 1}`,
            [{ name: 'Attempt' }, { name: 'Answer' }, { name: 'Took', money: true }, { name: 'At' }],
            attempts.map(({ at, status: code, error, durationMs }, n) => [
              String(n + 1),
              String(code ?? error ?? ''),
              `${durationMs} ms`,
              moment(at),
            ]),
          )
        : ''
    }
  </div>`
}
