import { html } from 'hono/html'
import type { ListedEvent, Page } from '../browse.ts'
import { type Around, type Html, layout, ownForm, table } from './layout.ts'
import { idLink, moment, status } from './words.ts'

export function eventsPage(around: Around, { rows, older }: Page<ListedEvent>): Html {
  return layout(
    around,
    '/admin/events',
    'Events',
    html`
      <h1>Events</h1>
      <p class="lead">What was told of, and how its delivery went.</p>
      ${endpoints(around)}
      ${rows.length > 0 ? eventTable(around, 'Latest events', rows) : empty()}
      ${older ? html`<p class="more"><a href="/admin/events?before=${older}">Older</a></p>` : ''}
    `,
  )
}

export function eventTable(around: Around, label: string, rows: readonly ListedEvent[]): Html {
  return table(
    label,
    [{ name: 'Event' }, { name: 'About' }, { name: 'Delivery' }, { name: 'Created' }, { name: 'Action' }],
    rows.map(({ id, type, subject, delivery, created }) => [
      html`<a href="/admin/events/${id}">${type}</a>`,
      idLink(subject),
      delivery
        ? html`${status('delivery', delivery.state)} <span class="soft">${attempted(delivery)}</span>`
        : html`<span class="soft">nobody wanted it</span>`,
      moment(created * 1000),
      ownForm(
        around,
        `/events/${id}/resend`,
        html`<button class="quiet" aria-label="Resend ${type} ${id}">Resend</button>`,
      ),
    ]),
  )
}

function attempted({ attempts, answer }: { attempts: number; answer: string }): string {
  const tries = `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`
  return attempts === 0 ? 'not tried yet' : `${tries}, last: ${answer}`
}

function endpoints({ store }: Around): Html {
  const all = store.select('webhook_endpoint').map(({ object }) => object)
  if (all.length === 0) return html``
  return html`<ul class="endpoints" aria-label="Webhook endpoints">
    ${all.map(
      ({ id, url, status: state }) =>
        html`<li>${status('webhook_endpoint', state)} <span class="url">${url}</span> ${idLink(id)}</li>`,
    )}
  </ul>`
}

function empty(): Html {
  return html`<p class="empty">Nothing yet. Every change your app makes appears here with its deliveries. To be told of them, start with <code>--webhook-url</code> or register a webhook endpoint through the API.</p>`
}
