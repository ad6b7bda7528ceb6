import type { ISql } from 'postgres'
import { beforeAll, describe, expect, it } from 'vitest'
import { sealAuditLog } from '@/lib/audit/seal'
import { describeFinding, verifyAuditLog } from '@/lib/audit/verify'
import { asService, findingsAfter, newAuditRow, onlyWriter, undone, within } from '../support/audit'
import { untilStripeHasToldAll } from '../support/stripe-silence'

/** Seal anew from a place on, as somebody would who knows how. */
async function resealFrom(sql: ISql, id: number): Promise<void> {
  await sql`delete from private.audit_seals where audit_id >= ${id}`
  await sealAuditLog(within(sql))
}

describe('what a verification finds (D2)', () => {
  beforeAll(async () => {
    // Nobody else can write to the log while 100,000 rows are looked at: what Stripe still told would fail, again and again, and
    // come in the midst of a later test.
    await untilStripeHasToldAll()
    await sealAuditLog(asService)
  })

  it('finds nothing where nothing was changed', async () => {
    const { findings } = await findingsAfter(async () => {})

    expect(findings).toEqual([])
  })

  it.each([
    ['the time, by a microsecond', `at = at + interval '1 microsecond'`],
    ['the time, to the same year before Christ', `at = at - interval '4051 years'`],
    ['the time, to infinity', `at = 'infinity'`],
    ['the kind of actor', `actor_type = 'staff'`],
    ['the actor', 'actor_id = null'],
    ['the action', `action = 'test.other'`],
    ['the kind of subject', `subject_type = 'order'`],
    ['the subject', `subject_id = subject_id || ' '`],
    ['the source', `source = 'webhook'`],
    ['a value in the detail', `detail = detail || '{"n": 1.5}'`],
    ['a key in the detail', `detail = detail - 'from'`],
    ['where one column ends and the next begins', `action = 'test.made", "test', subject_type = ''`],
  ])('finds a row that was edited: %s', async (_what, change) => {
    const { findings, ids } = await findingsAfter((sql, { ids: [, , third = 0] }) =>
      sql.unsafe(`update private.audit_log set ${change} where id = ${third}`),
    )

    expect(findings).toMatchObject([{ kind: 'edited', id: ids[2] }])
  })

  it('finds a row that was deleted', async () => {
    const { findings, ids } = await findingsAfter(
      (sql, { ids: [, , third = 0] }) => sql`delete from private.audit_log where id = ${third}`,
    )

    expect(findings).toMatchObject([{ kind: 'missing', id: ids[2] }])
  })

  it('finds two rows that changed places', async () => {
    const { findings, ids } = await findingsAfter(
      async (sql, { ids: [, second = 0, , fourth = 0], hole }) => {
        const move = (from: number, to: number) => sql`
        update private.audit_log set id = ${to} where id = ${from}`
        await sql`alter table private.audit_log alter column id drop identity`
        await move(second, hole)
        await move(fourth, second)
        await move(hole, fourth)
      },
    )

    expect(findings).toEqual([
      { kind: 'moved', id: ids[1], to: ids[3] },
      { kind: 'moved', id: ids[3], to: ids[1] },
    ])
  })

  it('finds a row that was moved to a place nobody had', async () => {
    const { findings, ids, hole } = await findingsAfter(async (sql, rows) => {
      await sql`alter table private.audit_log alter column id drop identity`
      await sql`update private.audit_log set id = ${rows.hole} where id = ${rows.ids[7] ?? 0}`
    })

    expect(findings).toEqual([{ kind: 'moved', id: ids[7], to: hole }])
  })

  it('finds a row that was inserted in the middle', async () => {
    const { findings, hole } = await findingsAfter(
      (sql, rows) => sql`
        insert into private.audit_log (id, actor_type, action, subject_type, subject_id, source) overriding system value
        values (${rows.hole}, 'system', 'test.forged', 'test', 'x', 'test')`,
    )

    expect(findings).toMatchObject([{ kind: 'inserted', id: hole }])
  })

  it('finds a row that was inserted before the first', async () => {
    const { findings } = await findingsAfter(
      (sql) => sql`
        insert into private.audit_log (id, actor_type, action, subject_type, subject_id, source) overriding system value
        values (-5, 'system', 'test.forged', 'test', 'x', 'test')`,
    )

    expect(findings).toMatchObject([{ kind: 'inserted', id: -5 }])
  })

  const cut = async (sql: ISql, ids: number[]) => {
    await sql`delete from private.audit_seals where audit_id >= ${ids[6] ?? 0}`
    await sql`delete from private.audit_log where id >= ${ids[6] ?? 0}`
  }

  it('finds a tail that was cut off, seals and all, against a published head', async () => {
    const { findings, head } = await findingsAfter((sql, { ids }) => cut(sql, ids))

    expect(findings).toEqual([{ kind: 'tail_cut', published: head.count, count: head.count - 3 }])
  })

  it('finds a tail that was cut off and has grown again since', async () => {
    const { findings, head } = await findingsAfter(async (sql, { ids }) => {
      await cut(sql, ids)
      for (let n = 0; n < 4; n++) await newAuditRow(sql)
    })

    expect(findings).toEqual([{ kind: 'rewritten', published: head.count }])
  })

  it('finds a row that was edited and sealed anew with all that follow, against a published head', async () => {
    const forge = async (sql: ISql, { ids: [, , third = 0] }: { ids: number[] }) => {
      await sql`update private.audit_log set action = 'test.forged' where id = ${third}`
      await resealFrom(sql, third)
    }

    const { findings, head } = await findingsAfter(forge)
    const withoutHead = await findingsAfter(forge, { againstHead: false })

    expect(findings).toEqual([{ kind: 'rewritten', published: head.count }])
    // Nothing inside a database can hold against somebody who may rewrite all of it: this is what the head is for.
    expect(withoutHead.findings).toEqual([])
  })

  it('finds a seal that was made anew alone, at the place after it', async () => {
    const { findings, ids } = await findingsAfter(async (sql, { ids: [, , third = 0] }) => {
      await sql`update private.audit_log set action = 'test.forged' where id = ${third}`
      await sql`
        update private.audit_seals s set hash = private.seal_of(b.hash, l.id, l.content)
        from private.audit_seals b, private.audit_lines l
        where s.audit_id = ${third} and b.seq = s.seq - 1 and l.id = ${third}`
    })

    expect(findings).toMatchObject([{ kind: 'edited', id: ids[3] }])
  })

  it('finds seals that are gone, with their rows or without', async () => {
    const { findings, ids } = await findingsAfter(async (sql, { ids: [, second = 0, third = 0] }) => {
      await sql`delete from private.audit_seals where audit_id in (${second}, ${third})`
      await sql`delete from private.audit_log where id = ${second}`
    })

    expect(findings).toMatchObject([
      { kind: 'inserted', id: ids[2] },
      { kind: 'seal_gone', id: ids[3] },
    ])
    expect(findings.map(describeFinding).join(' ')).toMatch(/inserted after .* Seals are missing before/)
  })

  it('finds what is wrong on any page of a long log, and says how long 100,000 rows take', async () => {
    const { findings, wrong, bytes, seconds } = await undone(async (sql) => {
      await onlyWriter(sql)
      await sql`
        insert into private.audit_log (actor_type, actor_id, action, subject_type, subject_id, source, detail)
        select 'stripe', gen_random_uuid(), 'payment.succeeded', 'payment', gen_random_uuid()::text, 'webhook',
          jsonb_build_object('from', 'processing', 'intent_id', 'pi_' || md5(n::text))
        from generate_series(1, 100000) n`
      const sealing = performance.now()
      while ((await sealAuditLog(within(sql))).more);
      const [size] = await sql`
        select (pg_total_relation_size('private.audit_seals') / (select count(*) from private.audit_seals))::int as bytes`
      const verifying = performance.now()
      const clean = await verifyAuditLog({ head: null, call: within(sql) })
      const done = performance.now()
      expect(clean.findings).toEqual([])
      expect(clean.count).toBeGreaterThanOrEqual(100_000)

      await sql`alter table private.audit_log disable trigger audit_log_append_only`
      const rows =
        await sql`select audit_id::int as id from private.audit_seals where seq in (1, 10000, 10001, 70707)`
      const ids = rows.map((row) => Number(row.id))
      await sql`update private.audit_log set source = 'forged' where id = any (${ids})`
      const { findings } = await verifyAuditLog({ head: null, call: within(sql) })
      return {
        findings,
        wrong: ids,
        bytes: size?.bytes,
        seconds: { seal: verifying - sealing, verify: done - verifying },
      }
    })

    console.log(
      `100,000 audit rows: sealed in ${ms(seconds.seal)}, verified in ${ms(seconds.verify)}, ${bytes} bytes a seal`,
    )
    expect(findings.map((finding) => 'id' in finding && finding.id).toSorted()).toEqual(wrong.toSorted())
  })
})

const ms = (milliseconds: number) => `${(milliseconds / 1000).toFixed(2)} s`
