import { html } from 'hono/html'
import { type Around, type Html, layout, ownForm } from './layout.ts'
import { fact } from './object-page.ts'
import { duration, moment, secondsAhead } from './words.ts'

const STEPS = [
  [3_600, '1 hour'],
  [86_400, '1 day'],
  [7 * 86_400, '7 days'],
  [31 * 86_400, '31 days'],
] as const

export function clockPage(around: Around): Html {
  const { clock, db } = around.store
  const ahead = secondsAhead(around.store)
  const waiting = db.prepare('select count(*) as count, min(due_at) as due from jobs').get()
  return layout(
    around,
    '/admin/clock',
    'Clock',
    html`
      <h1>Clock</h1>
      <p class="lead">Time goes forward only. What falls due meanwhile happens at once, in its order.</p>
      <dl class="facts">
        ${fact('Now', moment(clock.systemNowMs()))}
        ${fact('Ahead of this machine', ahead >= 60 ? duration(ahead) : 'no')}
        ${fact(
          'Waiting to happen',
          waiting?.count && waiting.due
            ? html`${waiting.count}, the next one <span class="soft">${moment(Number(waiting.due))}</span>`
            : 'nothing',
        )}
      </dl>
      <section>
        <h2>Go forward</h2>
        ${ownForm(
          around,
          '/clock',
          html`<div class="row">
            ${STEPS.map(([seconds, name]) => html`<button name="seconds" value="${seconds}">${name}</button>`)}
          </div>`,
          'Go forward by a step',
        )}
        ${ownForm(
          around,
          '/clock',
          html`<div class="row">
            <div class="field short">
              <label for="count">How far</label>
              <input id="count" name="count" type="number" min="1" max="5000" step="1" value="1" required />
            </div>
            <div class="field short">
              <label for="unit">Unit</label>
              <select id="unit" name="unit">
                <option value="minutes">minutes</option>
                <option value="hours">hours</option>
                <option value="days" selected>days</option>
              </select>
            </div>
            <button class="primary">Advance</button>
          </div>`,
          'Go forward by any time',
        )}
        <p class="soft">Customers of a test clock of the API live in that clock's time instead.</p>
      </section>
    `,
  )
}
