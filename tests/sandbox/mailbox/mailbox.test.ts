import { appendFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { type Mailbox, startMailbox } from '../../../sandbox/mailbox/server.ts'
import { linksOf, openMailStore } from '../../../sandbox/mailbox/store.ts'
import { temporaryFolder } from '../support/test-sandbox.ts'

const SECRET = 'secret-of-the-tests'

let folder: string
let file: string
let mailbox: Mailbox
let url: string

beforeEach(async () => {
  folder = temporaryFolder()
  file = join(folder, 'mails.jsonl')
  mailbox = await startMailbox({ port: 0, smtpPort: 0, file, secret: SECRET })
  url = `http://127.0.0.1:${mailbox.port}`
})

afterEach(async () => {
  await mailbox?.close()
  rmSync(folder, { recursive: true, force: true })
})

const mail = (values: Partial<Record<'to' | 'subject' | 'text' | 'html', string>> = {}) => ({
  to: 'ada@example.com',
  subject: 'Hello',
  text: 'Some text',
  html: '<p>Some text</p>',
  ...values,
})

const send = (body: unknown, secret = SECRET) =>
  fetch(`${url}/api/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}` },
    body: JSON.stringify(body),
  })

const list = async (query = '') =>
  (
    (await (await fetch(`${url}/api/messages${query}`)).json()) as {
      messages: { id: string; subject: string }[]
    }
  ).messages

/** As a mail program does it. */
async function sendBySmtp(password = SECRET): Promise<void> {
  const transport = createTransport({
    host: '127.0.0.1',
    port: mailbox.smtpPort,
    auth: { user: 'anybody', pass: password },
  })
  const sent = { ...mail({ subject: 'Grüße', text: 'https://a.example/x' }), from: 'shop@example.com' }
  await transport.sendMail({ ...sent, messageId: '<one@example.com>' })
}

const faultIs = (mode: string) =>
  fetch(`${url}/_local/fault`, {
    method: 'POST',
    headers: { authorization: `Bearer ${SECRET}` },
    body: JSON.stringify({ mode }),
  })

describe('the mailbox', () => {
  it('takes mails by SMTP, with the secret as the password', async () => {
    await sendBySmtp()
    await expect(sendBySmtp('wrong')).rejects.toMatchObject({ responseCode: 535 })

    expect(await list()).toMatchObject([
      {
        to: 'ada@example.com',
        subject: 'Grüße',
        links: ['https://a.example/x'],
        messageId: '<one@example.com>',
      },
    ])
  })

  it('is as far away as a test wants, and has kept what it took without saying so', async () => {
    for (const [mode, refusal] of [
      ['busy', { responseCode: 451 }],
      ['refuse', { responseCode: 550 }],
      ['reset', { code: expect.stringMatching(/^E/) }],
      ['lost', { code: expect.stringMatching(/^E/) }],
    ] as const) {
      expect((await faultIs(mode)).status).toBe(200)
      await expect(sendBySmtp(), mode).rejects.toMatchObject(refusal)
    }
    await faultIs('none')
    await sendBySmtp()

    expect(await list()).toHaveLength(2)
  })

  it('lists mails newest first, and those to one address', async () => {
    await send(mail({ subject: 'first' }))
    await send(mail({ subject: 'second', to: 'Grace@Example.com' }))
    await send(mail({ subject: 'third' }))

    expect((await list()).map(({ subject }) => subject)).toEqual(['third', 'second', 'first'])
    expect((await list('?to=grace@example.com')).map(({ subject }) => subject)).toEqual(['second'])
  })

  it('takes mails only with the secret, and only whole ones', async () => {
    expect((await send(mail(), 'wrong')).status).toBe(401)
    expect((await send({ to: 'ada@example.com' })).status).toBe(400)
    expect(await list()).toEqual([])
  })

  it('keeps the last five hundred, also across a restart', async () => {
    const store = openMailStore(file)
    for (let i = 0; i < 1_010; i++) store.add(mail({ subject: `mail ${i}` }))

    const again = openMailStore(file)

    expect(again.list()).toHaveLength(500)
    expect(again.list()[0]?.subject).toBe('mail 1009')
    expect(again.list().at(-1)?.subject).toBe('mail 510')
  })

  it('a line that was cut off by a crash costs that mail only', () => {
    const store = openMailStore(file)
    store.add(mail({ subject: 'whole' }))
    appendFileSync(file, '{"id":"x","subj')

    expect(
      openMailStore(file)
        .list()
        .map(({ subject }) => subject),
    ).toEqual(['whole'])
  })

  it('shows a mail that tries to be a page as text, in a sealed frame', async () => {
    await send(
      mail({
        subject: '<script>alert(1)</script>',
        html: '<script>alert(1)</script><a href="javascript:x">x</a>',
      }),
    )
    const id = (await list())[0]?.id

    const page = await fetch(`${url}/messages/${id}`)
    const frame = await fetch(`${url}/messages/${id}/html`)
    const html = await page.text()

    expect(html).not.toContain('<script>')
    expect(html).not.toContain('javascript:')
    expect(html).toMatch(/<iframe [^>]*sandbox /)
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(page.headers.get('content-security-policy')).not.toContain('unsafe')
    expect(frame.headers.get('content-security-policy')).toContain("sandbox; default-src 'none'")
  })

  it('a link in a mail can be followed from the page, with its whole address', async () => {
    await send(
      mail({ html: '<a href="http://localhost:3000/auth/confirm?token_hash=ab&amp;type=email">Confirm</a>' }),
    )
    const id = (await list())[0]?.id

    const html = await (await fetch(`${url}/messages/${id}`)).text()

    expect(html).toContain('href="http://localhost:3000/auth/confirm?token_hash=ab&amp;type=email"')
  })

  it('pages load nothing from elsewhere', async () => {
    await send(mail())
    const id = (await list())[0]?.id
    const pages = await Promise.all(
      ['/', `/messages/${id}`, '/style.css'].map(async (path) => (await fetch(url + path)).text()),
    )

    for (const text of pages) expect(text).not.toMatch(/(src|href|url\()[="']*https?:/)
  })

  it('a mail that is not there is a page that says so', async () => {
    expect((await fetch(`${url}/messages/none`)).status).toBe(404)
  })
})

it('links are found in html and text, once, and only those a browser may open', () => {
  const links = linksOf({
    html: '<a href="https://a.example/?x=1&amp;y=2">a</a><a href=\'https://a.example/?x=1&amp;y=2\'>b</a><a href="mailto:x@example.com">c</a>',
    text: 'See https://b.example/path (or not).',
  })

  expect(links).toEqual(['https://a.example/?x=1&y=2', 'https://b.example/path'])
})
