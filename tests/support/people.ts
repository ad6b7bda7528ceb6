import { randomUUID } from 'node:crypto'
import { createServerClient } from '@supabase/ssr'
import { stack } from './stack-in-test'

export type Person = {
  id: string
  email: string
  password: string
  accessToken: string
  /** A Cookie header of the app's own session. */
  cookie: string
}

/** Somebody new, signed up and confirmed the way anybody is: through Auth, and by the link in the mail. */
export async function newPerson(email = `${randomUUID()}@example.test`): Promise<Person> {
  const { env, mailboxUrl } = stack()
  const password = `pw-${randomUUID()}`
  const jar = new Map<string, string>()
  const client = createServerClient(env.SUPABASE_URL ?? '', env.SUPABASE_PUBLISHABLE_KEY ?? '', {
    cookieOptions: { name: 'session' },
    cookies: {
      encode: 'tokens-only',
      getAll: () => [...jar].map(([name, value]) => ({ name, value })),
      setAll: (changes) => {
        for (const { name, value } of changes) value === '' ? jar.delete(name) : jar.set(name, value)
      },
    },
  })
  const signedUp = await client.auth.signUp({ email, password })
  if (signedUp.error) throw signedUp.error

  const confirmed = await client.auth.verifyOtp({
    token_hash: await mailedToken(mailboxUrl, email),
    type: 'email',
  })
  if (confirmed.error || !confirmed.data.session || !confirmed.data.user)
    throw confirmed.error ?? new Error('no session')
  return {
    id: confirmed.data.user.id,
    email,
    password,
    accessToken: confirmed.data.session.access_token,
    cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
  }
}

export type Mail = { subject: string; text: string; links: string[] }

/** Every mail to an address, the newest first. */
export async function mailsTo(mailboxUrl: string, email: string): Promise<Mail[]> {
  const response = await fetch(`${mailboxUrl}/api/messages?to=${encodeURIComponent(email)}`)
  return ((await response.json()) as { messages: Mail[] }).messages
}

/**
 * The token of the newest mail's link to an address, of one kind if need be; waits for the mail.
 * @param known tokens of mails that were there before: the app answers before its mail has arrived
 */
export async function mailedToken(
  mailboxUrl: string,
  email: string,
  type = '\\w+',
  known: readonly string[] = [],
): Promise<string> {
  const deadline = Date.now() + 20_000
  while (Date.now() < deadline) {
    const token = (await mailedTokens(mailboxUrl, email, type)).find((one) => !known.includes(one))
    if (token) return token
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('no mail with a link arrived')
}

/** The tokens of all mails' links to an address, the newest first. */
export async function mailedTokens(mailboxUrl: string, email: string, type: string): Promise<string[]> {
  const link = new RegExp(`token_hash=([\\w.-]+)&type=${type}`)
  const mails = await mailsTo(mailboxUrl, email)
  return mails.flatMap(({ links }) => links.map((one) => link.exec(one)?.[1] ?? '').filter(Boolean))
}

/** One that is taken, whatever its figures are: an id of few letters can be a common password with a little around it. */
export const newPassword = () => `these words are mine ${randomUUID()}`
