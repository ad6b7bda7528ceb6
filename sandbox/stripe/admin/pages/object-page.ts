import { html } from 'hono/html'
import { type Listed, relatedTo } from '../browse.ts'
import { eventTable } from './events-page.ts'
import { jsonBlock } from './json.ts'
import { type Around, type Html, layout } from './layout.ts'
import { objectActions } from './object-actions.ts'
import { objectTable } from './objects-page.ts'
import { kindName, meaningOf, moment, stateOf, status, sumOf } from './words.ts'

export function objectPage(around: Around, found: Listed): Html {
  const { store } = around
  const { id, kind, object, created, deleted } = found
  const related = relatedTo(store, id)
  const state = stateOf(object)
  return layout(
    around,
    '/',
    id,
    html`
      <p class="kind">${kindName(kind)}</p>
      ${heading(id)}
      <dl class="facts">
        ${sumOf(object) ? fact('Amount', sumOf(object)) : ''}
        ${state ? fact('State', html`${status(kind, state)}${explained(meaningOf(kind, state))}`) : ''}
        ${deleted ? fact('Deleted', 'yes') : ''}
        ${fact('Created', moment(created * 1000))}
      </dl>
      ${objectActions(around, found)}
      <section>
        <h2>JSON</h2>
        ${jsonBlock(store, `JSON of ${id}`, object)}
      </section>
      ${
        related.objects.length > 0
          ? html`<section><h2>What names it</h2>${objectTable('Objects that name it', related.objects)}</section>`
          : ''
      }
      ${
        related.events.length > 0
          ? html`<section><h2>Its events</h2>${eventTable(around, 'Its events', related.events)}</section>`
          : ''
      }
    `,
  )
}

/** An id in full, with a button that copies it once the script is there. */
export function heading(id: string): Html {
  return html`<div class="heading">
    <h1 class="id">${id}</h1>
    <button type="button" class="quiet" data-copy="${id}" hidden>Copy</button>
  </div>`
}

export function fact(name: string, value: Html | string): Html {
  return html`<div><dt>${name}</dt><dd>${value}</dd></div>`
}

export function explained(meaning: string | null): Html {
  return meaning ? html` <span class="soft">${meaning}</span>` : html``
}
