import 'server-only'
import { createTransport } from 'nodemailer'
import { env } from '../env'
import type { RenderedMail } from './render'

/** For everything together, from the name look-up to the last answer. The claim on a mail (a minute) outlives it. */
const DEADLINE_MS = 10_000
const STEP_MS = 5_000

/**
 * Why a mail was not taken. `away`: nobody can be reached, or nobody lets us in; the next mail would not fare better.
 * `later`: not this one, not now. `never`: its recipient is not known there.
 */
export class MailError extends Error {
  readonly kind: 'away' | 'later' | 'never'
  /** The server's number, or the library's name for what went wrong. Texts of servers name addresses. */
  readonly code: string

  constructor(kind: MailError['kind'], code: string) {
    super(`mail not taken: ${code}`)
    this.name = 'MailError'
    this.kind = kind
    this.code = code
  }
}

/**
 * Hand one mail to the mail server, over a connection of its own: a pool would send again by itself what was cut off.
 * @throws MailError when it was not taken, or nothing says that it was
 */
export async function handOver(mail: RenderedMail & { id: string; to: string }): Promise<void> {
  const { appOrigin, smtp } = env()
  const transport = createTransport({
    host: smtp.host,
    port: smtp.port,
    secure: smtp.isEncrypted,
    requireTLS: smtp.mustEncrypt,
    ...(smtp.user && { auth: { user: smtp.user, pass: smtp.password } }),
    dnsTimeout: STEP_MS,
    connectionTimeout: STEP_MS,
    greetingTimeout: STEP_MS,
    socketTimeout: STEP_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  let deadline: NodeJS.Timeout | undefined
  try {
    await Promise.race([
      transport.sendMail({
        from: smtp.from,
        to: { name: '', address: mail.to },
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        messageId: `<${mail.id}@${new URL(appOrigin).hostname}>`,
        headers: { 'Auto-Submitted': 'auto-generated' },
      }),
      new Promise<never>((_, reject) => {
        deadline = setTimeout(() => reject(new MailError('away', 'EDEADLINE')), DEADLINE_MS)
      }),
    ])
  } catch (error) {
    throw asMailError(error)
  } finally {
    clearTimeout(deadline)
    transport.close()
  }
}

function asMailError(error: unknown): MailError {
  if (error instanceof MailError) return error
  const { code, command, responseCode } = error as { code?: string; command?: string; responseCode?: number }
  // A refused STARTTLS comes with a number, which says less than that there is no encrypted line.
  if (code === 'ETLS') return new MailError('away', code)
  const name = String(responseCode || code || 'EUNKNOWN')
  if (!responseCode || responseCode === 421 || code === 'EAUTH') return new MailError('away', name)
  return new MailError(command === 'RCPT TO' && responseCode >= 500 ? 'never' : 'later', name)
}
