import { html } from 'hono/html'
import type { Decision, StandingRule } from '../../chaos/chaos.ts'
import { PROFILES } from '../../chaos/profiles.ts'
import { type Around, type Html, layout, ownForm, table } from './layout.ts'
import { fact } from './object-page.ts'
import { moment } from './words.ts'

const LOGGED = 100

const MEANINGS: Record<string, string> = {
  default: 'A normal day: webhooks late, twice and out of order.',
  'created-last': 'The creation of a payment is told of after its success.',
  'unreliable-network': 'Calls fail before and after they were done, or their answers are cut off.',
  'hostile-webhooks': 'Wrong signatures, old timestamps, cut bodies and types nobody knows.',
  'lost-webhooks': 'Some are let through at the third attempt, some never.',
  'early-webhooks': 'The webhook comes before the answer of the call that caused it.',
  'late-webhooks': 'Every webhook comes 15 seconds late.',
  'unhappy-money': 'Refunds fail, customers dispute what was refunded, challenges are left.',
  'no-answers': 'Calls are done and never answered, or a proxy answers in Stripe’s place.',
  'time-jumps': 'Eight days pass in the middle of it.',
  everything: 'All of this at once.',
}

export function chaosPage(around: Around): Html {
  const { store } = around
  const { seed, profile, rules } = store.chaos.state()
  const log = store.chaos.log(LOGGED).toReversed()
  return layout(
    around,
    '/admin/chaos',
    'Chaos',
    html`
      <h1>Chaos</h1>
      <p class="lead">What goes wrong on purpose. The same calls with the same seed go wrong in the same way.</p>
      <dl class="facts">
        ${fact('State', rules.length > 0 ? html`<span class="status warn">on</span>` : html`<span class="status calm">off</span>`)}
        ${rules.length > 0 ? fact('Profile', profile ?? 'own rules') : ''}
        ${rules.length > 0 ? fact('Seed', seed) : ''}
      </dl>
      ${
        rules.length > 0
          ? ownForm(
              around,
              '/chaos',
              html`<input type="hidden" name="profile" value="" /><button>Switch off</button>`,
              'Switch off',
            )
          : ''
      }
      <section>
        <h2>${rules.length > 0 ? 'Switch to another profile' : 'Switch on'}</h2>
        ${switchForm(around, profile)}
      </section>
      ${rules.length > 0 ? html`<section><h2>Rules</h2>${ruleTable(rules)}</section>` : ''}
      <section>
        <h2>Log</h2>
        ${log.length > 0 ? logTable(log) : html`<p class="empty">Nothing was decided yet. With rules on, each chance for a fault is written here, taken or not.</p>`}
      </section>
    `,
  )
}

function switchForm(around: Around, current: string | null): Html {
  return ownForm(
    around,
    '/chaos',
    html`<fieldset>
        <legend>Profile</legend>
        ${Object.keys(PROFILES).map((name, index) => {
          const chosen = current ? name === current : index === 0
          return html`<label class="option">
            <input type="radio" name="profile" value="${name}" required${chosen ? html` checked` : ''} />
            <span><b>${name}</b> <span class="soft">${MEANINGS[name] ?? ''}</span></span>
          </label>`
        })}
      </fieldset>
      <div class="field short">
        <label for="seed">Seed</label>
        <input id="seed" name="seed" maxlength="100" autocomplete="off" placeholder="a new one" aria-describedby="seed-hint" />
        <p class="hint" id="seed-hint">Give the seed of an earlier run to repeat it.</p>
      </div>
      <button class="primary">Switch on</button>
      <p class="hint">This replaces all rules and begins a new log.</p>`,
    'Switch chaos on',
  )
}

function ruleTable(rules: readonly StandingRule[]): Html {
  return table(
    'Rules',
    [
      { name: 'Rule' },
      { name: 'Fault' },
      { name: 'For' },
      { name: 'Chance', money: true },
      { name: 'Happened', money: true },
    ],
    rules.map(({ id, fault, method, path, eventType, probability, matched, fired }) => [
      String(id),
      fault,
      [method, path, eventType].filter(Boolean).join(' ') || 'all',
      `${Math.round(probability * 100)} %`,
      `${fired} of ${matched}`,
    ]),
  )
}

function logTable(log: readonly Decision[]): Html {
  return table(
    'Chaos log',
    [{ name: 'Fault' }, { name: 'On' }, { name: 'Outcome' }, { name: 'Rule' }, { name: 'At' }],
    log.map(({ fault, subject, fired, rule, n, at }) => [
      fault,
      html`<span class="url">${subject}</span>`,
      fired
        ? html`<span class="status warn">happened</span>`
        : html`<span class="status calm">let pass</span>`,
      rule === null ? 'header' : `${rule}, match ${n}`,
      moment(at),
    ]),
  )
}
