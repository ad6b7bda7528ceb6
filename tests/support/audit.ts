import type { ISql, Sql } from 'postgres'
import type { Head } from '@/lib/audit/head'
import { type Call, sealAuditLog } from '@/lib/audit/seal'
import { type AuditFinding, verifyAuditLog } from '@/lib/audit/verify'
import { adminSql, callService } from './db'

/** One call as the app's server makes it. */
export const asService: Call = (name, args) =>
  callService(
    name,
    Object.fromEntries(
      Object.entries(args).map(([key, value]) => [
        key,
        value !== null && typeof value === 'object' && 'json' in value ? value.json : value,
      ]),
    ),
  )

/** The same functions inside a transaction of the tables' owner, so that what it changed can be taken back. */
export function within(sql: ISql): Call {
  return async (name, args) => {
    const values = Object.values(args).map((value) =>
      value !== null && typeof value === 'object' && 'json' in value ? sql.json(value.json as never) : value,
    )
    const list = Object.keys(args).map((key, index) => `${key} => $${index + 1}`)
    const [row] = await sql.unsafe(`select service.${name}(${list.join(', ')}) as result`, values as never[])
    return row?.result
  }
}

/** Work as the owner of the tables, and leave nothing behind. */
export async function undone<Result>(work: (sql: ISql) => Promise<Result>): Promise<Result> {
  const done: { result: Result }[] = []
  const undo = new Error('undo')
  await adminSql()
    .begin(async (sql) => {
      done.push({ result: await work(sql) })
      throw undo
    })
    .catch((error: unknown) => {
      if (error !== undo) throw error
    })
  const [first] = done
  if (!first) throw new Error('the work did not end')
  return first.result
}

/** Waits for whoever writes to the audit log, a late webhook for example; others wait until this transaction is over. */
export async function onlyWriter(sql: ISql): Promise<void> {
  await sql`lock table private.audit_log in share row exclusive mode`
}

export async function newAuditRow(sql: ISql | Sql): Promise<number> {
  const [row] = await sql`
    insert into private.audit_log (actor_type, actor_id, action, subject_type, subject_id, source, detail)
    values ('system', gen_random_uuid(), 'test.made', 'test', gen_random_uuid()::text, 'test',
      jsonb_build_object('n', 1.50, 'from', null))
    returning id::int as id`
  return Number(row?.id)
}

export type Tampering = (sql: ISql, rows: { ids: number[]; hole: number; head: Head }) => Promise<unknown>

/**
 * What a verification says after somebody with every right in the database has changed something: nine rows with a hole
 * after the fifth are sealed and the head is published; then the triggers are off.
 */
export async function findingsAfter(
  tamper: Tampering,
  { againstHead = true } = {},
): Promise<{ findings: AuditFinding[]; ids: number[]; hole: number; head: Head }> {
  return await undone(async (sql) => {
    await onlyWriter(sql)
    const ids: number[] = []
    let hole = 0
    for (let n = 0; n < 9; n++) {
      ids.push(await newAuditRow(sql))
      if (n !== 4) continue
      const [taken] = await sql`select nextval('private.audit_log_id_seq')::int as id`
      hole = Number(taken?.id)
    }
    const { count, hash } = await sealAuditLog(within(sql))
    await sql`alter table private.audit_log disable trigger audit_log_append_only`
    await sql`alter table private.audit_seals disable trigger audit_seals_append_only`

    await tamper(sql, { ids, hole, head: { count, hash } })

    const { findings } = await verifyAuditLog({
      head: againstHead ? { count, hash } : null,
      call: within(sql),
    })
    return { findings, ids, hole, head: { count, hash } }
  })
}
