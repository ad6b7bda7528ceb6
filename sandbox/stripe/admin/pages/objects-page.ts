import { html } from 'hono/html'
import { kindsOf, type Listed, type Page } from '../browse.ts'
import { type Around, type Html, layout, table } from './layout.ts'
import { idLink, kindName, moment, stateOf, status, sumOf } from './words.ts'

export function objectsPage(around: Around, kind: string | null, { rows, older }: Page<Listed>): Html {
  return layout(
    around,
    '/',
    'Objects',
    html`
      <h1>Objects</h1>
      <p class="lead">
        This is not Stripe. Never give it a live key or a real card.
      </p>
      ${kinds(around, kind)}
      ${rows.length > 0 ? objectTable('Latest objects', rows) : empty(around, kind)}
      ${older ? html`<p class="more"><a href="/?${kind ? `kind=${encodeURIComponent(kind)}&` : ''}before=${older}">Older</a></p>` : ''}
    `,
  )
}

export function objectTable(label: string, rows: readonly Listed[]): Html {
  return table(
    label,
    [
      { name: 'Object' },
      { name: 'Kind' },
      { name: 'Amount', money: true },
      { name: 'State' },
      { name: 'Created' },
    ],
    rows.map(({ id, kind, object, created }) => {
      const state = stateOf(object)
      return [
        idLink(id),
        kindName(kind),
        sumOf(object),
        state ? status(kind, state) : '',
        moment(created * 1000),
      ]
    }),
  )
}

function kinds({ store }: Around, chosen: string | null): Html {
  const all = kindsOf(store)
  if (all.length === 0) return html``
  const link = (address: string, name: string, count: number, current: boolean) => html`<li>
    <a href="${address}"${current ? html` aria-current="true"` : ''}>${name} <span class="count">${count}</span></a>
  </li>`
  const total = all.reduce((sum, { count }) => sum + count, 0)
  return html`<nav class="kinds" aria-label="Kinds">
    <ul>
      ${link('/', 'all', total, chosen === null)}
      ${all.map(({ kind, count }) => link(`/?kind=${encodeURIComponent(kind)}`, kindName(kind), count, kind === chosen))}
    </ul>
  </nav>`
}

function empty({ store }: Around, kind: string | null): Html {
  if (kind) return html`<p class="empty">Nothing of this kind yet. <a href="/">All objects</a></p>`
  const { hostname, port } = new URL(store.config.baseUrl)
  return html`<div class="empty">
    <p>Nothing yet. Customers, payments and all the rest appear here as soon as your app makes them. Point its stripe-node here:</p>
    <pre tabindex="0" aria-label="Settings for stripe-node">new Stripe(key, { host: '${hostname}', port: ${port}, protocol: 'http' })</pre>
  </div>`
}
