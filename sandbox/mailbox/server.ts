import { Hono } from 'hono'
import { createFaults, type Faults } from '../faults.ts'
import { type Listening, listen } from '../listen.ts'
import { hasSecret, isLocalHost } from '../local-only.ts'
import { listPage, MAIL_CSP, mailPage, notFoundPage, PAGE_CSP, STYLE } from './pages.ts'
import { listenForMail, SMTP_FAULTS } from './smtp.ts'
import { type IncomingMail, type MailStore, openMailStore } from './store.ts'

export type MailboxConfig = { port: number; smtpPort: number; file: string; secret: string }
export type Mailbox = Listening & { smtpPort: number }

/** Shows what was sent. Takes mails by SMTP and at `POST /api/messages`, from whoever knows the secret. */
export async function startMailbox(config: MailboxConfig): Promise<Mailbox> {
  const store = openMailStore(config.file)
  const faults = createFaults({ secret: config.secret, modes: SMTP_FAULTS })
  const mailbox = createMailbox(store, config.secret, faults)
  const pages = await listen((request) => mailbox.fetch(request), config.port)
  const smtp = await listenForMail({ port: config.smtpPort, secret: config.secret, store, faults })
  return {
    port: pages.port,
    smtpPort: smtp.port,
    close: async () => void (await Promise.all([pages.close(), smtp.close()])),
  }
}

/** @param faults of SMTP only: the pages stay there for whoever wants to see what has arrived */
function createMailbox(store: MailStore, secret: string, faults: Faults): Hono {
  const mailbox = new Hono()

  mailbox.use(async (context, next) => {
    if (!isLocalHost(context.req.header('host'))) return context.text('Not a local address', 421)
    await next()
    context.header('X-Content-Type-Options', 'nosniff')
    context.header('Referrer-Policy', 'no-referrer')
    context.header('Cache-Control', 'no-store')
    if (!context.res.headers.has('Content-Security-Policy'))
      context.header('Content-Security-Policy', PAGE_CSP)
  })

  mailbox.all(
    '/_local/fault',
    async (context) => (await faults.control(context.req.raw)) ?? context.notFound(),
  )

  mailbox.get('/', (context) => {
    const to = context.req.query('to') ?? ''
    return context.html(listPage(store.list(to), to))
  })

  mailbox.get('/messages/:id', (context) => {
    const mail = store.find(context.req.param('id'))
    return mail ? context.html(mailPage(mail)) : context.html(notFoundPage(), 404)
  })

  mailbox.get('/messages/:id/html', (context) => {
    const mail = store.find(context.req.param('id'))
    if (!mail) return context.html(notFoundPage(), 404)
    return context.html(mail.html, 200, { 'Content-Security-Policy': MAIL_CSP })
  })

  mailbox.get('/style.css', (context) =>
    context.body(STYLE, 200, { 'Content-Type': 'text/css; charset=utf-8' }),
  )

  mailbox.get('/api/messages', (context) => context.json({ messages: store.list(context.req.query('to')) }))

  mailbox.post('/api/messages', async (context) => {
    if (!hasSecret(context.req.header('authorization'), secret))
      return context.json({ error: 'unauthorized' }, 401)
    const mail = parseMail(await context.req.json().catch(() => null))
    if (!mail) return context.json({ error: 'to, subject, text and html must be texts' }, 400)
    return context.json(store.add(mail), 201)
  })

  return mailbox
}

function parseMail(body: unknown): IncomingMail | null {
  const { to, subject, text, html } = (body ?? {}) as Record<string, unknown>
  if (typeof to !== 'string' || typeof subject !== 'string') return null
  if (typeof text !== 'string' || typeof html !== 'string') return null
  return { to, subject, text, html }
}
