import tls from 'node:tls'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { handOver } from '@/lib/mails/smtp'
import { selfSigned } from '../support/certificate'

/** What lib/env.ts makes of SMTP_URL: smtps:// is encrypted from the start; outside this machine a line has to become so. */
const settings = vi.hoisted(() => ({
  appOrigin: 'https://pay.example.com',
  smtp: {
    host: 'localhost',
    port: 0,
    isEncrypted: false,
    mustEncrypt: true,
    user: 'paywright',
    password: 'canary',
    from: 'a@example.com',
  },
}))
vi.mock('@/lib/env', () => ({ env: () => settings }))

const MAIL = { id: '1', to: 'ada@example.test', subject: 'Hello', text: 'Hello', html: '<p>Hello</p>' }
const [known, elsewhere] = [selfSigned('localhost'), selfSigned('mail.example.com')]
const defaults = tls.getCACertificates()

let running: SMTPServer | undefined
/** What the mail server was told, each word with how: in the clear, or encrypted. */
let heard: string[]

/** A mail server that takes anything, also in the clear. */
async function mailServer(options: SMTPServerOptions): Promise<void> {
  const note = (word: string, { secure }: { secure: boolean }) =>
    heard.push(`${word} ${secure ? 'encrypted' : 'in the clear'}`)
  const server = new SMTPServer({
    logger: false,
    allowInsecureAuth: true,
    onAuth: ({ password }, session, done) => {
      note(`password ${password}`, session)
      done(null, { user: 'paywright' })
    },
    onMailFrom: (_address, session, done) => {
      note('sender', session)
      done()
    },
    onData: (stream, session, done) => {
      stream.resume().on('end', () => {
        note('mail', session)
        done()
      })
    },
    ...options,
  })
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const address = server.server.address()
  if (address === null || typeof address === 'string') throw new Error('it listens on a port')
  settings.smtp.port = address.port
  running = server
}

const codeOf = () =>
  handOver(MAIL).then(
    () => 'sent',
    ({ kind, code }) => `${kind} ${code}`,
  )

beforeAll(() => tls.setDefaultCACertificates([...defaults, known.cert, elsewhere.cert]))
afterAll(() => tls.setDefaultCACertificates(defaults))
afterEach(async () => {
  const closing = running
  running = undefined
  await new Promise<void>((resolve) => (closing ? closing.close(() => resolve()) : resolve()))
})

describe('handing a mail over', () => {
  it.each([
    ['smtp:// goes on with STARTTLS', false, known],
    ['smtps:// speaks TLS from the first byte', true, { ...known, secure: true }],
  ])('%s, before the password, the sender or the mail are said', async (_how, isEncrypted, options) => {
    heard = []
    settings.smtp.isEncrypted = isEncrypted
    await mailServer(options)

    expect(await codeOf()).toBe('sent')

    expect(heard).toEqual(['password canary encrypted', 'sender encrypted', 'mail encrypted'])
  })

  it.each([
    ['offers no STARTTLS', false, { disabledCommands: ['STARTTLS'] }, 'away ETLS'],
    ['has a certificate nobody vouches for', false, selfSigned('localhost'), 'away ESOCKET'],
    ['has a certificate of another host', false, elsewhere, 'away ESOCKET'],
    [
      'has a certificate nobody vouches for (smtps)',
      true,
      { ...selfSigned('localhost'), secure: true },
      'away ESOCKET',
    ],
    ['speaks no TLS (smtps)', true, { disabledCommands: ['STARTTLS'] }, 'away ESOCKET'],
  ])(
    'to a server that %s says neither password nor anything else',
    async (_how, isEncrypted, options, code) => {
      heard = []
      settings.smtp.isEncrypted = isEncrypted
      await mailServer(options)

      expect(await codeOf()).toBe(code)

      expect(heard).toEqual([])
    },
  )
})
