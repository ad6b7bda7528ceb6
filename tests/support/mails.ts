import { adminSql } from './db'
import { mailsTo } from './people'
import { stack } from './stack-in-test'

/** What the scheduler does every few seconds. */
export function outbox(
  server = stack().serverUrls[0],
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${server}/api/cron/outbox`, {
    method: 'POST',
    headers: { authorization: `Bearer ${stack().env.CRON_SECRET}`, ...headers },
  })
}

/** Every test leaves mails that nobody sends: those of the others are not to be in the way. */
export async function setOtherMailsAside(): Promise<void> {
  await adminSql()`update private.outbox set due_at = 'infinity' where status in ('waiting', 'sending')`
}

/** Waiting is over for what a customer is owed. */
export async function bringForward(customerId: string): Promise<void> {
  await adminSql()`update private.outbox set due_at = now() where customer_id = ${customerId} and status in ('waiting', 'sending')`
}

export const mailsOwedTo = (customerId: string) =>
  adminSql()<
    { id: string; kind: string; status: string; attempts: number; last_error: string | null }[]
  >`select id, kind, status, attempts, last_error from private.outbox where customer_id = ${customerId} order by created_at, kind`

export type OwnMail = {
  subject: string
  text: string
  html: string
  links: string[]
  messageId: string | null
}

/** What of ours has reached an address, the newest first; without what Auth sends. */
export async function mailsOfOurs(email: string): Promise<OwnMail[]> {
  const mails = (await mailsTo(stack().mailboxUrl, email)) as OwnMail[]
  return mails.filter(({ messageId }) => messageId)
}

/** What of ours has reached a person. */
export async function ownMails(userId: string): Promise<OwnMail[]> {
  const [user] = await adminSql()`select email from auth.users where id = ${userId}`
  return await mailsOfOurs(String(user?.email))
}

/** How the mail server behaves from now on: none, reset, hang, busy, refuse, lost. */
export async function mailServerIs(mode: string): Promise<void> {
  const { mailboxUrl, localSecret } = stack()
  const response = await fetch(`${mailboxUrl}/_local/fault`, {
    method: 'POST',
    headers: { authorization: `Bearer ${localSecret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ mode }),
  })
  if (!response.ok) throw new Error(`the mailbox answered ${response.status}`)
}
