import type { EmailDriver } from '@supabase/lite'

const TIMEOUT_MS = 5_000

/** Hands every mail to the mailbox. The text part is made of the html: the engine's own names other links. */
export function createMailDriver(mailbox: { url: string; secret: string }): EmailDriver {
  return {
    async send(message) {
      const html = message.html ?? ''
      const mail = {
        to: message.to,
        subject: message.subject,
        html,
        text: textOf(html) || (message.text ?? ''),
      }
      const response = await fetch(`${mailbox.url}/api/messages`, {
        method: 'POST',
        headers: { authorization: `Bearer ${mailbox.secret}`, 'content-type': 'application/json' },
        body: JSON.stringify(mail),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      if (!response.ok) throw new Error(`The mailbox answered ${response.status}`)
    },
  }
}

/** What is left without tags, each link followed by its address. Enough for our own short templates. */
export function textOf(html: string): string {
  return html
    .replace(/<a\s[^>]*href="([^"]*)"[^>]*>(.*?)<\/a>/gis, '$2: $1')
    .replace(/<\/(p|h\d|div|li)>/gi, '\n\n')
    .replace(/<br\s*\/?>/gi, '\n')
    .replace(/<[^>]+>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}
