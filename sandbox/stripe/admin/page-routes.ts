import { readFileSync } from 'node:fs'
import { type Context, Hono } from 'hono'
import { COMMON_HEADERS } from '../browser/headers.ts'
import type { StripeContext } from '../context.ts'
import { findEvent } from '../events/events.ts'
import { StripeError } from '../http/errors.ts'
import { addressOf, findObject, listEvents, listObjects } from './browse.ts'
import { Flashes } from './flashes.ts'
import { FORM_ACTIONS } from './form-actions.ts'
import { OwnForms } from './own-forms.ts'
import { chaosPage } from './pages/chaos-page.ts'
import { clockPage } from './pages/clock-page.ts'
import { eventPage } from './pages/event-page.ts'
import { eventsPage } from './pages/events-page.ts'
import { type Around, type Html, messagePage } from './pages/layout.ts'
import { objectPage } from './pages/object-page.ts'
import { objectsPage } from './pages/objects-page.ts'

/**
 * Framed by nobody, run by nothing but their own file. A form that is posted without any referrer would hide where it came from, so
 * this origin may know.
 */
const HEADERS = {
  ...COMMON_HEADERS,
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    'img-src data:',
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'same-origin',
  'x-frame-options': 'DENY',
}

const ASSETS = {
  'admin.css': 'text/css; charset=utf-8',
  'admin.js': 'text/javascript; charset=utf-8',
} as const

/** What a developer looks at and does by hand. Works without scripts. */
export function pageRoutes(context: StripeContext): Hono {
  const { store, config } = context
  const app = new Hono()
  const forms = new OwnForms(config)
  const flashes = new Flashes()

  const around = (c: Context): Around => ({
    store,
    token: forms.token,
    flash: flashes.take(c.req.query('told')),
  })
  const show = (c: Context, body: Html, status: 200 | 403 | 404 = 200) => c.html(body, status, HEADERS)
  const notFound = (c: Context) => {
    const text = 'Nothing has this id. It may be mistyped, or the sandbox was reset.'
    return show(c, messagePage(around(c), 'Not here', text), 404)
  }
  /** To a page of ours that says `text` once. */
  const tell = (c: Context, address: string, tone: 'good' | 'bad', text: string) =>
    c.redirect(`${address}?told=${flashes.add({ tone, text })}`, 303)

  for (const [name, type] of Object.entries(ASSETS)) {
    const body = readFileSync(new URL(`assets/${name}`, import.meta.url), 'utf8')
    app.get(`/admin/assets/${name}`, (c) =>
      c.body(body, 200, {
        ...COMMON_HEADERS,
        'content-type': type,
        'cross-origin-resource-policy': 'same-origin',
      }),
    )
  }

  app.get('/', (c) => {
    const kind = c.req.query('kind') || null
    return show(c, objectsPage(around(c), kind, listObjects(store, kind, before(c))))
  })
  app.get('/admin/find', (c) => {
    const address = addressOf(store, (c.req.query('id') ?? '').trim())
    return address ? c.redirect(address, 303) : notFound(c)
  })
  app.get('/admin/objects/:id', (c) => {
    const found = findObject(store, c.req.param('id'))
    return found ? show(c, objectPage(around(c), found)) : notFound(c)
  })
  app.get('/admin/events', (c) => show(c, eventsPage(around(c), listEvents(store, before(c)))))
  app.get('/admin/events/:id', (c) => {
    const event = findEvent(store, c.req.param('id'))
    return event ? show(c, eventPage(around(c), event)) : notFound(c)
  })
  app.get('/admin/clock', (c) => show(c, clockPage(around(c))))
  app.get('/admin/chaos', (c) => show(c, chaosPage(around(c))))

  for (const { path, run, backTo } of FORM_ACTIONS) {
    app.post(`/admin${path}`, async (c) => {
      const id = c.req.param('id') ?? ''
      let fields: Record<string, string>
      try {
        fields = await forms.read(c)
      } catch (error) {
        if (!(error instanceof StripeError)) throw error
        return show(c, messagePage(around(c), 'Refused', error.message), 403)
      }
      try {
        const { told, goTo } = await run(context, id, fields)
        return tell(c, goTo, 'good', told)
      } catch (error) {
        if (!(error instanceof StripeError)) throw error
        return tell(c, backTo(id), 'bad', error.message)
      }
    })
  }

  return app
}

/** Where a page of a list begins. */
function before(c: Context): number | null {
  const seq = Number(c.req.query('before'))
  return Number.isSafeInteger(seq) && seq > 0 ? seq : null
}
