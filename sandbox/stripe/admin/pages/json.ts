import { html } from 'hono/html'
import type { Store } from '../../core/store.ts'
import { addressOf } from '../browse.ts'
import type { Html } from './layout.ts'

/** What only the shop's own page should hold. A screenshot of this page must be harmless. */
const SECRET_FIELDS = ['client_secret', 'secret']
const ID = /"([a-z]+_[A-Za-z0-9_]{6,})"/

/** An object as the API tells it, its ids as links and its secrets hidden. */
export function jsonBlock(store: Store, label: string, value: unknown): Html {
  const text = JSON.stringify(value, hidden, 2)
  const known = new Map<string, string | null>()
  // Splitting by a group puts what it caught at every second place.
  const parts = text.split(ID).map((part, index) => {
    if (index % 2 === 0) return part
    if (!known.has(part)) known.set(part, addressOf(store, part))
    const address = known.get(part)
    return address ? html`"<a href="${address}">${part}</a>"` : `"${part}"`
  })
  return html`<pre class="json" tabindex="0" aria-label="${label}">${parts}</pre>`
}

function hidden(name: string, value: unknown): unknown {
  return SECRET_FIELDS.includes(name) && typeof value === 'string' ? '(hidden)' : value
}
