import { randomUUID } from 'node:crypto'
import { adminSql, callService } from './db'
import { NOTEBOOK, newUserRow } from './payment-rows'
import type { Person } from './people'
import { get, type Options, post } from './requests'
import { stack } from './stack-in-test'
import { REASON } from './staff'

const [first] = stack().serverUrls as [string]
/** Priced in another currency than the notebook. */
export const LAMP = '7a0e8f10-0000-4000-8000-000000000002'
export const SCARF = '7a0e8f10-0000-4000-8000-000000000005'
export const ALL = ['orders:create', 'orders:read', 'entitlements:read']

export type Key = { secret: string; apiKey: { id: string; prefix: string; lastUsedAt: string | null } }
export type Order = { order: { id: string; status: string; totalMinor: number } }

export const newName = () => `shop-${randomUUID().slice(0, 8)}`

export async function newApiKey(admin: Person, more: object = {}): Promise<Key> {
  const body = { name: newName(), scopes: ALL, reason: REASON, ...more }
  const response = await post('/api/admin/api-keys', admin, body)
  if (response.status !== 201) throw new Error(`no key was made: ${response.status}`)
  return (await response.json()) as Key
}

export const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` })

export const placeOrder = (secret: string, body: unknown, options: Options = {}) =>
  post('/api/orders', null, body, { ...options, headers: { ...bearer(secret), ...options.headers } })

export const readOrder = (secret: string, id: string, server = first) =>
  get(`/api/orders/${id}`, null, { server, headers: bearer(secret) })

export const line = (quantity = 1, productId = NOTEBOOK.productId) => ({ productId, quantity })

/** A customer with an account, by our id. */
export async function customer(person?: Person): Promise<{ customerId: string }> {
  const userId = person?.id ?? (await newUserRow())
  const { customerId } = await callService<{ customerId: string }>('claim_stripe_customer', {
    p_actor: userId,
    p_livemode: false,
  })
  return { customerId }
}

/** Fixed windows begin with the minute: a burst around its edge would be counted in two. */
export async function startOfMinute(): Promise<void> {
  const left = 60_000 - (Date.now() % 60_000)
  if (left < 15_000) await new Promise((resolve) => setTimeout(resolve, left + 50))
}

/** The tables of ours in which any row holds this text. */
export async function tablesThatSay(text: string): Promise<string[]> {
  const tables = await adminSql()`
    select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'private') and c.relkind = 'r'`
  const found: string[] = []
  for (const { name } of tables) {
    const [row] = await adminSql().unsafe(
      `select exists (select from ${name} t where t::text like '%' || $1 || '%') as says`,
      [text],
    )
    if (row?.says) found.push(String(name))
  }
  return found
}
