import postgres, { type ISql } from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { undone } from '../support/audit'
import { adminSql, callService } from '../support/db'
import { newStaff, type Paid, paid, until } from '../support/paid'
import { openedPayment } from '../support/payment-rows'
import { newPerson } from '../support/people'
import { refund } from '../support/requests'
import { stack } from '../support/stack-in-test'
import { chargeOf, eventOf, intentOf, postEvent } from '../support/stripe-events'

const { env, serverUrls, supabaseSecretKey } = stack()
const [server] = serverUrls as [string]
const secret = env.STRIPE_WEBHOOK_SECRET as string

describe('nobody changes what the audit log says (D1)', () => {
  const CHANGES: [string, string][] = [
    ['update', `update private.audit_log set action = 'forged'`],
    ['delete', 'delete from private.audit_log'],
    ['truncate', 'truncate private.audit_log cascade'],
    [
      'upsert',
      `insert into private.audit_log (id, actor_type, action, subject_type, subject_id, source) overriding system value
       values (1, 'system', 'forged', 'x', 'x', 'x') on conflict (id) do update set action = 'forged'`,
    ],
    [
      'merge',
      `merge into private.audit_log a using (select 1) s on true when matched then update set action = 'forged'`,
    ],
    ['update of seals', `update private.audit_seals set hash = sha256('')`],
    ['delete of seals', 'delete from private.audit_seals'],
    ['truncate of seals', 'truncate private.audit_seals cascade'],
    [
      'upsert of seals',
      `insert into private.audit_seals (seq, audit_id, hash) values (0, 0, sha256(''))
       on conflict (seq) do update set hash = sha256('')`,
    ],
    ['disabled trigger', 'alter table private.audit_log disable trigger all'],
  ]
  const codeOf = async (attempt: PromiseLike<unknown>) =>
    await attempt.then(
      () => 'allowed',
      (error: { code?: string }) => error.code,
    )

  it.each(['anon', 'authenticated', 'service_role', 'payments_owner'])('over SQL, as %s', async (role) => {
    for (const [what, statement] of CHANGES) {
      const attempt = undone(async (sql) => {
        await sql`select set_config('role', ${role}, true)`
        await sql.unsafe(statement)
      })
      expect(await codeOf(attempt), what).toBe('42501')
    }
  })

  it('over SQL, as payments_service', async () => {
    const sql = postgres(env.DATABASE_URL ?? '', { max: 1 })

    for (const [what, statement] of CHANGES) expect(await codeOf(sql.unsafe(statement)), what).toBe('42501')
    await sql.end()
  })

  it('not even as the owner of the tables, while the triggers are on', async () => {
    for (const [what, statement] of CHANGES.filter(([name]) => name !== 'disabled trigger'))
      expect(await codeOf(undone((sql) => sql.unsafe(statement))), what).toBe('42501')
  })

  it('over HTTP, with any key', async () => {
    const person = await newPerson()
    const callers = {
      anon: { apikey: env.SUPABASE_PUBLISHABLE_KEY ?? '' },
      authenticated: {
        apikey: env.SUPABASE_PUBLISHABLE_KEY ?? '',
        authorization: `Bearer ${person.accessToken}`,
      },
      service_role: { apikey: supabaseSecretKey },
    }
    const row = { id: 1, seq: 0, action: 'forged' }
    const requests: [string, RequestInit][] = ['audit_log', 'audit_seals', 'audit_lines'].flatMap((table) => [
      [table, { method: 'GET' }],
      [table, { method: 'POST', body: JSON.stringify(row) }],
      [
        `${table}?on_conflict=id`,
        { method: 'POST', headers: { prefer: 'resolution=merge-duplicates' }, body: JSON.stringify(row) },
      ],
      [`${table}?id=eq.1`, { method: 'PUT', body: JSON.stringify(row) }],
      [`${table}?id=gt.0`, { method: 'PATCH', body: JSON.stringify({ action: 'forged' }) }],
      [`${table}?id=gt.0`, { method: 'DELETE' }],
    ])
    const allowed: string[] = []

    for (const [who, headers] of Object.entries(callers)) {
      for (const schema of ['private', 'public', 'service']) {
        for (const [path, init] of requests) {
          const response = await fetch(`${env.SUPABASE_URL}/rest/v1/${path}`, {
            ...init,
            headers: {
              'content-type': 'application/json',
              'accept-profile': schema,
              'content-profile': schema,
              ...headers,
              ...init.headers,
            },
          })
          if (response.status < 400)
            allowed.push(`${who} ${init.method} ${schema}.${path}: ${response.status}`)
        }
      }
    }

    expect(allowed).toEqual([])
    const [forged] =
      await adminSql()`select count(*)::int as n from private.audit_log where action = 'forged'`
    expect(forged?.n).toBe(0)
  })
})

describe('what is audited (D4)', () => {
  const KINDS = ['payment', 'refund', 'dispute']

  beforeAll(async () => {
    // Our own record of every change, beside the one that is being tested.
    await adminSql().unsafe(`
      create schema audit_test;
      create table audit_test.changes (payment_id uuid, kind text, status text);
      create function audit_test.note() returns trigger language plpgsql security definer set search_path = '' as $$
      begin
        if tg_op = 'INSERT' or new.status <> old.status then
          insert into audit_test.changes
          values (case tg_argv[0] when 'payment' then to_jsonb(new) ->> 'id' else to_jsonb(new) ->> 'payment_id' end::uuid,
            tg_argv[0], new.status);
        end if;
        return null;
      end $$`)
    // One table locked at a time: a webhook that still comes in locks several, and both would wait for each other.
    for (const kind of KINDS)
      await adminSql().unsafe(
        `create trigger audit_test after insert or update on public.${kind}s for each row execute function audit_test.note('${kind}')`,
      )
  })
  afterAll(async () => {
    for (const kind of KINDS) await adminSql().unsafe(`drop trigger audit_test on public.${kind}s`)
    await adminSql()`drop schema audit_test cascade`
  })

  /** Both records of a payment, in order, each with the transaction that wrote it. */
  const storiesOf = async (paymentId: string) => {
    const changes = await adminSql()`
      select kind || '.' || case when status = 'creating' then 'opened' else status end as action, xmin::text as transaction
      from audit_test.changes where payment_id = ${paymentId} order by 1, 2`
    const audited = await adminSql()`
      select action, xmin::text as transaction from private.audit_log
      where subject_id = ${paymentId} and action not in
        ('payment.failed_attempt', 'payment.next_attempt', 'refund.requested', 'refund.refused')
      order by 1, 2`
    return { changes: [...changes], audited: [...audited] }
  }

  it('writes one row for each change of state, in the transaction of the change', async () => {
    const admin = await newStaff('admin')
    const quick = await paid()
    const refunded = await paid()
    await refund(admin, refunded.paymentId, { amountMinor: 900, reason: 'requested_by_customer', note: '' })
    const disputed: Paid = await paid({ card: 'pm_card_createDispute' })
    const lost = await openedPayment()
    await callService('mark_payment_unknown', { p_payment_id: lost.paymentId })
    await callService('mark_payment_unknown', { p_payment_id: lost.paymentId })
    await callService('refuse_payment', { p_payment_id: lost.paymentId, p_code: 'x' })
    await callService('refuse_payment', { p_payment_id: lost.paymentId, p_code: 'x' })
    const told = await openedPayment()
    for (const status of ['canceled', 'succeeded', 'succeeded', 'canceled']) {
      const event = eventOf(`payment_intent.${status}`, intentOf(told, status))
      for (let n = 0; n < 2; n++) expect((await postEvent(server, event, { secret })).status).toBe(200)
    }
    const stories = { quick, refunded, disputed, lost, told }
    await until(async () =>
      (await storiesOf(disputed.paymentId)).audited.some((row) => row.action === 'dispute.needs_response'),
    )
    await until(async () =>
      (await storiesOf(refunded.paymentId)).audited.some((row) => row.action === 'refund.succeeded'),
    )

    for (const [name, { paymentId }] of Object.entries(stories)) {
      const { changes, audited } = await storiesOf(paymentId)
      expect(changes.length, name).toBeGreaterThanOrEqual(2)
      expect(audited, name).toEqual(changes)
    }
    const actions = (await storiesOf(told.paymentId)).audited.map((row) => row.action)
    expect(actions).toEqual(['payment.canceled', 'payment.opened', 'payment.succeeded'])
  })

  it('keeps neither the change nor its row when the transaction fails', async () => {
    const payment = await openedPayment()

    await undone(async (sql: ISql) => {
      await sql`select service.mark_payment_unknown(${payment.paymentId})`
      const [row] =
        await sql`select count(*)::int as n from private.audit_log where subject_id = ${payment.paymentId}`
      expect(row?.n).toBe(2)
    })

    const { changes, audited } = await storiesOf(payment.paymentId)
    expect(audited).toEqual(changes)
    expect(audited.map((row) => row.action)).toEqual(['payment.opened'])
  })
})

describe('what is not audited (D5)', () => {
  it('holds no mail address, name, card or secret, in any row of any test so far', async () => {
    const admin = await newStaff('admin')
    const { paymentId, person } = await paid()
    const note = `Canary Note, call canary@example.test about 4242424242424242`
    await refund(admin, paymentId, { amountMinor: 100, reason: 'requested_by_customer', note })
    const told = await openedPayment()
    for (const event of [
      eventOf('payment_intent.succeeded', intentOf(told, 'succeeded')),
      eventOf('charge.failed', chargeOf({ ...told, chargeId: `${told.chargeId}first` }, 'failed')),
      eventOf('charge.succeeded', chargeOf(told, 'succeeded')),
    ])
      expect((await postEvent(server, event, { secret })).status).toBe(200)

    // Why, in the words of staff, is kept as they wrote it; the tests of what must not stay write just such words.
    const rows =
      await adminSql()`select (to_jsonb(a) #- '{detail,reason}')::text as text from private.audit_log a`

    expect(rows.length).toBeGreaterThan(10)
    expect(rows.some((row) => row.text.includes(told.paymentId))).toBe(true)
    for (const canary of [
      /@/,
      /canary/i,
      /_secret_/,
      /(?<![0-9a-z_-])\d{13,19}(?![0-9a-z-])/i,
      new RegExp(person.email),
    ])
      expect(
        rows.map((row) => row.text).filter((text) => canary.test(text)),
        String(canary),
      ).toEqual([])
  })
})
