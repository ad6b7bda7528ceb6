import { createHash, randomInt, randomUUID } from 'node:crypto'
import type postgres from 'postgres'
import { authError, json } from './answers.ts'

/**
 * What hosted does when somebody signs up with an address that is there already: a confirmed one gets an answer
 * like any other (nobody learns who has an account), an unconfirmed one another mail.
 * @returns null when the address is new: the engine takes it from there.
 */
export async function signUpExisting(options: {
  email: string
  sql: postgres.Sql
  mailIntervalSeconds: number
  sendConfirmation(to: string, tokenHash: string): Promise<void>
}): Promise<Response | null> {
  const user = await findUser(options.sql, options.email)
  if (!user) return null
  if (user.confirmed) return json(obfuscatedUser(options.email))
  const refused = await confirmAgain({ ...options, user })
  return refused ?? json({ ...obfuscatedUser(options.email), id: user.id, created_at: user.createdAt })
}

/** `POST /resend {type: 'signup'}`: another confirmation mail; silent for everybody else. */
export async function resendSignUp(options: Parameters<typeof signUpExisting>[0]): Promise<Response> {
  const user = await findUser(options.sql, options.email)
  if (!user || user.confirmed) return json({})
  return (await confirmAgain({ ...options, user })) ?? json({})
}

/** Too soon after the last mail of this kind? Then hosted's answer, else null. */
export function tooSoon(sentAt: Date | null, intervalSeconds: number): Response | null {
  const left = sentAt ? Math.ceil((sentAt.getTime() + intervalSeconds * 1000 - Date.now()) / 1000) : 0
  if (left <= 0) return null
  return authError(
    429,
    'over_email_send_rate_limit',
    `For security purposes, you can only request this after ${left} seconds.`,
  )
}

type KnownUser = { id: string; confirmed: boolean; sentAt: Date | null; createdAt: string }

async function findUser(sql: postgres.Sql, email: string): Promise<KnownUser | undefined> {
  const [user] = await sql<KnownUser[]>`
    select id, confirmed_at is not null as confirmed, confirmation_sent_at as "sentAt", created_at as "createdAt"
    from auth.users where email = ${email.toLowerCase()}`
  return user
}

async function confirmAgain(
  options: Parameters<typeof signUpExisting>[0] & { user: KnownUser },
): Promise<Response | null> {
  const refused = tooSoon(options.user.sentAt, options.mailIntervalSeconds)
  if (refused) return refused
  const email = options.email.toLowerCase()
  // The engine's own way to make one: a code of six digits, hashed together with the address.
  const code = String(randomInt(1_000_000)).padStart(6, '0')
  const tokenHash = createHash('sha256')
    .update(email + code)
    .digest('hex')
  await options.sql`
    update auth.users set confirmation_token = ${tokenHash}, confirmation_sent_at = now()
    where id = ${options.user.id}`
  await options.sendConfirmation(email, tokenHash)
  return null
}

/** Looks like the answer to a new sign-up, but for its empty list of identities. */
function obfuscatedUser(email: string): Record<string, unknown> {
  const now = new Date().toISOString()
  return {
    id: randomUUID(),
    aud: 'authenticated',
    role: '',
    email: email.toLowerCase(),
    phone: '',
    confirmation_sent_at: now,
    app_metadata: { provider: 'email', providers: ['email'] },
    user_metadata: {},
    identities: [],
    created_at: now,
    updated_at: now,
    is_anonymous: false,
  }
}
