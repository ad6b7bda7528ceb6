import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createMailDriver } from './mail-driver.ts'

const TEMPLATES = join(import.meta.dirname, '../../supabase/templates')

const SUBJECTS = {
  confirmation: 'Confirm your e-mail address',
  'password-changed': 'Your password was changed',
}

export type SendMail = (kind: keyof typeof SUBJECTS, to: string, tokenHash?: string) => Promise<void>

/** The mails the engine does not send, from the same templates hosted has: a second confirmation, a changed password. */
export function createMails(config: {
  appOrigin: string
  mailboxUrl: string
  mailboxSecret: string
}): SendMail {
  const driver = createMailDriver({ url: config.mailboxUrl, secret: config.mailboxSecret })
  return async (kind, to, tokenHash = '') => {
    const template = await readFile(join(TEMPLATES, `${kind}.html`), 'utf8')
    const values: Record<string, string> = {
      SiteURL: config.appOrigin,
      TokenHash: tokenHash,
      Email: escapeHtml(to),
    }
    const html = template.replace(/\{\{\s*\.(\w+)\s*\}\}/g, (_, name: string) => values[name] ?? '')
    await driver.send({ to, subject: SUBJECTS[kind], html, text: '' })
  }
}

const escapeHtml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
