import { describe, expect, it } from 'vitest'
import { adminSql } from '../support/db'

const COLUMNS_OF_OURS = () => adminSql()<{ table: string; column: string }[]>`
  select n.nspname || '.' || c.relname as table, a.attname as column
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relkind in ('r', 'p') and n.nspname in ('public', 'private') order by 1, a.attnum`

/** Columns that sound like a person. */
const SOUNDS_PERSONAL =
  /mail|(^|_)(name|names|phone|ip|note|notes|comment|title|recipient|user_agent|device|locale|birth\w*|street|city|postal\w*|zip)(_|$)|address|card_|fingerprint|consent_text/

/** Those that are not, or stay: why. */
const STAYS: Record<string, string> = {
  'public.products.name': 'of a product',
  'public.order_lines.name': 'of a product',
  'public.plans.name': 'of a plan',
  'private.card_setups.consent_text': 'our own words',
  'public.orders.reference': 'our own number',
  'private.api_keys.name': 'of another system',
  'private.api_orders.name': 'of another system',
  'private.job_leases.name': 'of a job',
  'private.portal_configurations.fingerprint': 'of settings of ours',
  'private.switches.name': 'of a switch',
  'private.personal_data.table_name': 'of a table',
}

const known = () => adminSql()<{ name: string; columns: string[]; removed: boolean }[]>`
  select table_name as name, array(select jsonb_object_keys(erased)) as columns, removed from private.personal_data`

describe('what we hold of a person (D6, D7)', () => {
  it('is said for every table: a new one has to be in private.personal_data', async () => {
    const tables = new Set((await COLUMNS_OF_OURS()).map(({ table }) => table))
    const listed = (await known()).map(({ name }) => name).filter((name) => !name.startsWith('auth.'))

    expect([...tables].toSorted()).toEqual(listed.toSorted())
  })

  it('is taken out by erasure wherever a column sounds like it', async () => {
    const list = await known()
    const columns = await COLUMNS_OF_OURS()

    const forgotten = columns.filter(({ table, column }) => {
      const entry = list.find(({ name }) => name === table)
      const goes = entry?.removed || entry?.columns.includes(column)
      return SOUNDS_PERSONAL.test(column) && !goes && !STAYS[`${table}.${column}`]
    })

    expect(forgotten.map(({ table, column }) => `${table}.${column}`)).toEqual([])
  })

  it('names no column that is not there', async () => {
    const columns = new Set((await COLUMNS_OF_OURS()).map(({ table, column }) => `${table}.${column}`))
    const named = await adminSql()`
      select d.table_name || '.' || c as name from private.personal_data d
      cross join lateral (select unnest(d.withheld) union select jsonb_object_keys(d.erased)) as u (c)
      where d.table_name not like 'auth.%'`

    expect(named.map(({ name }) => name).filter((name) => !columns.has(name))).toEqual([])
  })
})
