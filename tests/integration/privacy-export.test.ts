import { beforeAll, describe, expect, it } from 'vitest'
import { line, newApiKey, placeOrder } from '../support/api-keys'
import { undone, within } from '../support/audit'
import { belongingsOf } from '../support/belongings'
import { adminSql, callService } from '../support/db'
import { newStaff, type Paid, paid, until } from '../support/paid'
import { newOrder } from '../support/payment-rows'
import { newPerson, type Person } from '../support/people'
import { type Options, post, refund } from '../support/requests'
import { stack } from '../support/stack-in-test'
import { signedInBefore } from '../support/staff'
import { untilStripeHasToldAll } from '../support/stripe-silence'

const [first, second] = stack().serverUrls as [string, string]

type Row = Record<string, unknown>
type Exported = {
  customerId: string
  tables: Record<string, { withheld: string[]; why: string; rows: Row[] }>
}

const ask = (by: Person | null, options?: Options) => post('/api/privacy/exports', by, '', options)
const exported = async (by: Person) => (await (await ask(by)).json()) as Exported

/** Tables a person is given nothing of, although they hold ids of theirs: docs/privacy.md says why. */
const NOT_GIVEN = [
  // Against fraud, and for staff.
  'private.alerts',
  'private.refund_keys',
  'private.payment_decisions',
  'private.early_fraud_warnings',
  'private.reconcile_objects',
  'private.reconcile_findings',
  // Hashes and tokens of Auth's.
  'auth.mfa_amr_claims',
  'auth.refresh_tokens',
  'auth.flow_state',
]
const BETWEEN_OTHERS = /^(refund\.re(quested|fused)|payment\.decided|dispute\.warning.*)$/
/** Of Auth's tables a person is given these columns only. */
const SHOWN: Record<string, string[]> = {
  'auth.users': [
    'id',
    'email',
    'phone',
    'created_at',
    'updated_at',
    'email_confirmed_at',
    'phone_confirmed_at',
    'last_sign_in_at',
    'raw_user_meta_data',
  ],
  'auth.identities': ['provider', 'identity_data', 'created_at', 'updated_at', 'last_sign_in_at'],
  'auth.sessions': ['created_at', 'updated_at', 'refreshed_at', 'user_agent', 'ip'],
}

function given(table: string, row: Row, withheld: string[]): string {
  const shown = SHOWN[table] ?? Object.keys(row)
  const fields = Object.entries(row).filter(([name]) => shown.includes(name) && !withheld.includes(name))
  return JSON.stringify(Object.fromEntries(fields.toSorted(([a], [b]) => (a < b ? -1 : 1))))
}

describe('taking one’s data along (D6)', () => {
  let ada: Paid
  let bob: Paid

  /** Somebody with something in every table we can fill from outside. */
  async function busyPerson(): Promise<Paid> {
    const bought = await paid()
    const [{ id: customerId } = { id: '' }] =
      await adminSql()`select id from public.customers where user_id = ${bought.person.id}`
    await newOrder(bought.person.id)
    await paid({ person: bought.person, card: 'pm_card_createDispute' })
    const { secret } = await newApiKey(await newStaff('admin'))
    await placeOrder(secret, { customerId, lines: [line()], reference: `order for ${bought.person.email}` })
    const asked = { reason: 'requested_by_customer', amountMinor: 700, note: 'came by' }
    expect((await refund(await newStaff('support'), bought.paymentId, asked)).status).toBe(201)
    // Also what Stripe tells last: that the refund has arrived.
    await until(async () => {
      const [row] = await adminSql()`
        select (select count(distinct e.type) from public.refunds r join private.webhook_events e on e.object_id = r.stripe_refund_id
            where r.payment_id = ${bought.paymentId} and e.status = 'processed'
              and e.type in ('refund.updated', 'charge.refund.updated')) = 2
          and (select count(*) from public.disputes d join public.payments p on p.id = d.payment_id
            where p.customer_id = ${customerId}) > 0 as ready`
      return row?.ready === true
    })
    return bought
  }

  beforeAll(async () => {
    ;[ada, bob] = [await busyPerson(), await busyPerson()]
    // One more event between two looks at the same rows would make them differ.
    await untilStripeHasToldAll()
  }, 120_000)

  it.each([
    ['A', 'B'],
    ['B', 'A'],
  ])('gives %s all of their own rows, and nothing of %s', async (whose) => {
    const [own, other] = whose === 'A' ? [ada, bob] : [bob, ada]

    const file = await exported(own.person)

    const { rows, marks } = await belongingsOf(own.person)
    const differences: string[] = []
    for (const table of new Set([...Object.keys(rows), ...Object.keys(file.tables)])) {
      if (NOT_GIVEN.includes(table)) continue
      const { withheld = [], rows: inFile = [] } = file.tables[table] ?? {}
      const theirs = (rows[table] ?? []).filter(
        (row) =>
          table !== 'private.audit_log' ||
          row.actor_id === own.person.id ||
          (row.actor_type !== 'staff' &&
            ['payment', 'order', 'customer'].includes(String(row.subject_type)) &&
            !BETWEEN_OTHERS.test(String(row.action))),
      )
      const expected = theirs.map((row) => given(table, row, withheld)).toSorted()
      const found = inFile.map((row) => given(table, row, [])).toSorted()
      if (JSON.stringify(found) !== JSON.stringify(expected))
        differences.push(
          `${table}: ${found.length} rows of ${expected.length}`,
          ...expected.filter((row) => !found.includes(row)).slice(0, 2),
          ...found.filter((row) => !expected.includes(row)).slice(0, 2),
        )
    }
    expect(differences).toEqual([])
    const text = JSON.stringify(file)
    const others = (await belongingsOf(other.person)).marks
    expect(others.length).toBeGreaterThan(10)
    expect(others.filter((mark) => text.includes(mark))).toEqual([])
    expect(marks.filter((mark) => !text.includes(mark))).toEqual([])
    // None of it is empty for want of trying.
    expect(Object.entries(file.tables).filter(([, { rows }]) => rows.length > 0).length).toBeGreaterThan(15)
  })

  it('says of each table what is withheld, and nothing of it is in there', async () => {
    const { tables } = await exported(ada.person)

    for (const [name, { withheld, why, rows }] of Object.entries(tables)) {
      expect(why, name).not.toBe('')
      expect(
        rows.flatMap((row) => withheld.filter((column) => column in row)),
        name,
      ).toEqual([])
    }
    expect(JSON.stringify(tables)).not.toMatch(/encrypted_password|confirmation_token|refresh_token/)
  })

  it('comes page by page, and as a file', async () => {
    const response = await ask(bob.person)

    expect(response.headers.get('content-disposition')).toBe('attachment; filename="my-data.json"')
    const all = (await response.json()) as Exported
    const page = (after: string) =>
      callService<{ rows: Row[]; next: string | null }>('export_page', {
        p_actor: bob.person.id,
        p_table: 'private.audit_log',
        p_after: after,
        p_limit: 2,
      })
    const inPages: Row[] = []
    for (let after: string | null = ''; after !== null; ) {
      const { rows, next } = await page(after)
      inPages.push(...rows)
      after = next
    }
    expect(inPages).toEqual(all.tables['private.audit_log']?.rows)
  })

  it('wants the password of the last minutes: 401 with an older sign-in, and nothing for strangers', async () => {
    const stale = await signedInBefore(await newPerson(), 11)

    const [old, nobody] = [await ask(stale), await ask(null)]

    expect([old.status, nobody.status]).toEqual([401, 401])
    expect(await old.json()).toMatchObject({ error: { code: 'proof_too_old' } })
    expect(await nobody.json()).toMatchObject({ error: { code: 'sign_in_required' } })
  })

  it('is done three times a day, however many ask at once, on any server, and leaves a row each time', async () => {
    const person = await newPerson()

    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) => ask(person, { server: n % 2 ? first : second })),
    )

    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 429, 429, 429, 429, 429])
    const refused = answers.find(({ status }) => status === 429)
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(86_000)
    expect(await refused?.json()).toMatchObject({ error: { code: 'too_many_exports' } })
    const audited =
      await adminSql()`select from private.audit_log where actor_id = ${person.id} and action = 'data.exported'`
    expect(audited).toHaveLength(3)
    const nextDay = await undone(async (sql) => {
      await sql`alter table private.audit_log disable trigger audit_log_append_only`
      await sql`update private.audit_log set at = at - interval '24 hours' where actor_id = ${person.id}`
      return await within(sql)('begin_export', { p_actor: person.id })
    })
    expect(nextDay).toMatchObject({ customerId: expect.any(String) })
  })
})
