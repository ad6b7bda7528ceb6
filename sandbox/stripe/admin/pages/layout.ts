import { html } from 'hono/html'
import type { Store } from '../../core/store.ts'
import type { Flash } from '../flashes.ts'
import { duration, secondsAhead } from './words.ts'

export type Html = ReturnType<typeof html>

/** What every page needs to know besides its own matter. */
export type Around = {
  store: Store
  /** Goes into each form; proves that it is ours. */
  token: string
  flash: Flash | null
}

const SECTIONS = [
  ['/', 'Objects'],
  ['/admin/events', 'Events'],
  ['/admin/clock', 'Clock'],
  ['/admin/chaos', 'Chaos'],
] as const

type Section = (typeof SECTIONS)[number][0]

/** `section` is where the page belongs; null for none. */
export function layout(around: Around, section: Section | null, title: string, body: Html): Html {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="robots" content="noindex" />
    <title>${title} – Local test stand-in for Stripe</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="/admin/assets/admin.css" />
    <script type="module" src="/admin/assets/admin.js"></script>
  </head>
  <body>
    <a class="skip" href="#content">Skip to the content</a>
    <header>
      <p class="banner">Local test stand-in, not Stripe. It moves no money.</p>
      <div class="bar">
      <nav aria-label="Sections">
        <ul>
          ${SECTIONS.map(
            ([address, name]) => html`<li>
              <a href="${address}"${address === section ? html` aria-current="page"` : ''}>${name}</a>
            </li>`,
          )}
        </ul>
      </nav>
      ${unusual(around.store)}
      <form class="find" method="get" action="/admin/find" role="search">
        <label for="find">Find by id</label>
        <input id="find" name="id" autocomplete="off" spellcheck="false" placeholder="pi_…, ch_…, evt_…" />
        <button>Find</button>
      </form>
      </div>
    </header>
    <main id="content">
      ${around.flash ? flashed(around.flash) : ''}
      ${body}
    </main>
  </body>
</html>`
}

/** A page that says one thing. */
export function messagePage(around: Around, title: string, text: string): Html {
  return layout(
    around,
    null,
    title,
    html`<h1>${title}</h1>
      <p class="lead">${text}</p>
      <p><a href="/">All objects</a></p>`,
  )
}

/** A form of ours; `address` is below `/admin`. */
export function ownForm({ token }: Around, address: string, body: Html, name = ''): Html {
  return html`<form method="post" action="/admin${address}"${name ? html` aria-label="${name}"` : ''}>
    <input type="hidden" name="token" value="${token}" />
    ${body}
  </form>`
}

type Column = { name: string; money?: boolean }

/** Rows that become stacks where the screen is narrow. Browsers forget what a table is when it is not laid out as one: roles say it. */
export function table(label: string, columns: Column[], rows: (Html | string)[][]): Html {
  return html`<table role="table" aria-label="${label}">
    <thead role="rowgroup">
      <tr role="row">
        ${columns.map(({ name, money }) => html`<th role="columnheader" scope="col"${money ? html` class="money"` : ''}>${name}</th>`)}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map(
        (cells) => html`<tr role="row">
          ${cells.map((cell, index) => {
            const { name = '', money } = columns[index] ?? {}
            return html`<td role="cell" data-column="${name}"${money ? html` class="money"` : ''}>${cell}</td>`
          })}
        </tr>`,
      )}
    </tbody>
  </table>`
}

/** What is not as on a normal day, on every page: nobody should look for a bug that was switched on. */
function unusual(store: Store): Html {
  const { profile, rules } = store.chaos.state()
  const ahead = secondsAhead(store)
  if (ahead < 60 && rules.length === 0) return html``
  return html`<ul class="unusual" aria-label="Not as usual">
    ${ahead >= 60 ? html`<li><a href="/admin/clock">Clock ahead by ${duration(ahead)}</a></li>` : ''}
    ${rules.length > 0 ? html`<li><a href="/admin/chaos">Chaos is on: ${profile ?? 'own rules'}</a></li>` : ''}
  </ul>`
}

function flashed({ tone, text }: Flash): Html {
  const role = tone === 'good' ? 'status' : 'alert'
  return html`<p class="flash ${tone}" role="${role}" tabindex="-1" autofocus>${text}</p>`
}
