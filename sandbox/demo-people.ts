import postgres from 'postgres'

export type DemoPerson = { email: string; password: string }
export type DemoPeople = { customer: DemoPerson; staff: DemoPerson }

const TIMEOUT_MS = 15_000

/**
 * A customer and a member of staff, made the way anybody becomes one: a sign-up, and the link in the mail. Those
 * who exist already are left alone.
 */
export async function createDemoPeople(options: {
  people: DemoPeople
  supabaseUrl: string
  publishableKey: string
  mailboxUrl: string
  adminDatabaseUrl: string
}): Promise<void> {
  const { people } = options
  const sql = postgres(options.adminDatabaseUrl, { max: 1, onnotice: () => {} })
  try {
    for (const person of [people.customer, people.staff]) {
      const [known] =
        await sql`select from auth.users where email = ${person.email} and confirmed_at is not null`
      if (!known) await signUpAndConfirm(person, options)
    }
    const [{ exists } = { exists: false }] = await sql<{ exists: boolean }[]>`
      select to_regclass('private.staff') is not null as exists`
    if (exists) {
      await sql`
        insert into private.staff (user_id, role)
        select id, 'admin' from auth.users where email = ${people.staff.email}
        on conflict do nothing`
    }
  } finally {
    await sql.end({ timeout: 5 })
  }
}

type Addresses = { supabaseUrl: string; publishableKey: string; mailboxUrl: string }

async function signUpAndConfirm(person: DemoPerson, addresses: Addresses): Promise<void> {
  await post(addresses, '/auth/v1/signup', person)
  const tokenHash = await confirmationToken(person.email, addresses.mailboxUrl)
  await post(addresses, '/auth/v1/verify', { type: 'email', token_hash: tokenHash })
}

async function post(addresses: Addresses, path: string, body: unknown): Promise<void> {
  const response = await fetch(`${addresses.supabaseUrl}${path}`, {
    method: 'POST',
    headers: { apikey: addresses.publishableKey, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  // A start that was killed between sign-up and confirmation leaves a mail that is still good.
  if (!response.ok && response.status !== 429) {
    throw new Error(`A demo person could not be created: ${path} answered ${response.status}`)
  }
}

async function confirmationToken(email: string, mailboxUrl: string): Promise<string> {
  const response = await fetch(`${mailboxUrl}/api/messages?to=${encodeURIComponent(email)}`, {
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  const { messages } = (await response.json()) as { messages: { links: string[] }[] }
  const link = messages[0]?.links.find((address) => address.includes('token_hash='))
  const tokenHash = link && new URL(link).searchParams.get('token_hash')
  if (!tokenHash) throw new Error('The confirmation mail of a demo person did not arrive in the mailbox')
  return tokenHash
}
