import { randomUUID } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

export type Mail = {
  id: string
  to: string
  subject: string
  text: string
  html: string
  /** Every http(s) address in the mail, in its order, once. */
  links: string[]
  sentAt: string
  /** What its sender calls it: a mail that is sent again has the same. Null when it did not come by SMTP. */
  messageId?: string | null
}

export type IncomingMail = {
  to: string
  subject: string
  text: string
  html: string
  messageId?: string | null
}

export type MailStore = {
  add(mail: IncomingMail): Mail
  /** Newest first; with an address, only those to it. */
  list(to?: string): Mail[]
  find(id: string): Mail | null
}

const KEPT_MAILS = 500

/** Mails as lines of JSON: one append per mail, and a torn last line (a kill while writing) is left out. */
export function openMailStore(path: string): MailStore {
  mkdirSync(dirname(path), { recursive: true })
  let mails = readMails(path).slice(-KEPT_MAILS)
  let linesInFile = mails.length
  rewrite(path, mails)

  return {
    add(incoming) {
      const mail = {
        id: randomUUID(),
        ...incoming,
        links: linksOf(incoming),
        sentAt: new Date().toISOString(),
      }
      mails.push(mail)
      appendFileSync(path, `${JSON.stringify(mail)}\n`)
      linesInFile += 1
      if (mails.length > KEPT_MAILS) mails = mails.slice(-KEPT_MAILS)
      if (linesInFile > KEPT_MAILS * 2) {
        rewrite(path, mails)
        linesInFile = mails.length
      }
      return mail
    },
    list(to) {
      const address = to?.trim().toLowerCase()
      return mails.filter((mail) => !address || mail.to.toLowerCase() === address).reverse()
    },
    find: (id) => mails.find((mail) => mail.id === id) ?? null,
  }
}

/** Addresses from links of the html part and from the text, with the entities of html taken back. */
export function linksOf(mail: { html: string; text: string }): string[] {
  const fromHtml = [...mail.html.matchAll(/href\s*=\s*["']([^"']+)["']/gi)].map((match) =>
    unescapeHtml(match[1] ?? ''),
  )
  const fromText = mail.text.match(/https?:\/\/[^\s<>"')\]]+/g) ?? []
  return [...new Set([...fromHtml, ...fromText])].filter(
    (link) => /^https?:\/\//i.test(link) && URL.canParse(link),
  )
}

function unescapeHtml(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}

function readMails(path: string): Mail[] {
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return line ? [JSON.parse(line) as Mail] : []
      } catch {
        return []
      }
    })
}

function rewrite(path: string, mails: Mail[]): void {
  const temporary = `${path}.tmp`
  writeFileSync(temporary, mails.map((mail) => `${JSON.stringify(mail)}\n`).join(''), { mode: 0o600 })
  renameSync(temporary, path)
}
