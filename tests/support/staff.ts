import { createServerClient } from '@supabase/ssr'
import type { Limit } from '@/lib/limits/schema'
import { adminSql } from './db'
import { newStaff } from './paid'
import { newPerson, type Person } from './people'
import { get, type Options, post } from './requests'
import { stack } from './stack-in-test'

export type Voices = Record<'customer' | 'support' | 'auditor' | 'admin', Person>

/** One person of each kind. */
export async function voices(): Promise<Voices> {
  const [customer, support, auditor, admin] = await Promise.all([
    newPerson(),
    newStaff('support'),
    newStaff('auditor'),
    newStaff('admin'),
  ])
  return { customer, support, auditor, admin }
}

/** Why: what every action of staff says. */
export const REASON = 'a drill of the tests'

export const replay = (by: Person | null, body: object, options?: Options) =>
  post('/api/admin/replays', by, { reason: REASON, ...body }, options)

export const setSwitch = (by: Person | null, name: string, on: boolean, options?: Options) =>
  post(`/api/admin/switches/${name}`, by, { on, reason: REASON }, { method: 'PUT', ...options })

export const putLimit = (by: Person | null, rule: string, body: object, options?: Options) =>
  post(`/api/admin/payment-limits/${rule}`, by, { reason: REASON, ...body }, { method: 'PUT', ...options })

/** A limit as staff see it. */
export async function limitOf(by: Person, rule: string, currency = '*'): Promise<Limit> {
  const { limits } = (await (await get('/api/admin/payment-limits', by)).json()) as { limits: Limit[] }
  const limit = limits.find((one) => one.rule === rule && one.currency === currency)
  if (!limit) throw new Error(`there is no limit ${rule} ${currency}`)
  return limit
}

export const setRole = (by: Person | null, userId: string, role: string | null, options?: Options) =>
  post(`/api/admin/staff/${userId}`, by, { role, reason: REASON }, { method: 'PUT', ...options })

/** What staff did, as the audit log has it. */
export const auditOf = (actor: Person | string, action: string) => adminSql()`
  select actor_type, subject_type, subject_id, detail from private.audit_log
  where actor_id = ${typeof actor === 'string' ? actor : actor.id} and action = ${action} order by id`

/** The person's session as it is when they signed in a while ago and have been active since: renewed, not proven anew. */
export async function signedInBefore(person: Person, minutes: number): Promise<Person> {
  const { env } = stack()
  await adminSql()`
    update auth.mfa_amr_claims set created_at = created_at - make_interval(mins => ${minutes}),
      updated_at = updated_at - make_interval(mins => ${minutes})
    where session_id in (select id from auth.sessions where user_id = ${person.id})`
  const jar = new Map(
    person.cookie.split('; ').map((pair): [string, string] => {
      const at = pair.indexOf('=')
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
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
  const { error } = await client.auth.refreshSession()
  if (error) throw error
  return { ...person, cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') }
}
