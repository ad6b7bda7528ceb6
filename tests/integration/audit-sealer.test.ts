import postgres, { type ReservedSql } from 'postgres'
import { describe, expect, it } from 'vitest'
import { sealAuditLog } from '@/lib/audit/seal'
import { verifyAuditLog } from '@/lib/audit/verify'
import { asService, newAuditRow, within } from '../support/audit'
import { adminSql } from '../support/db'
import { until } from '../support/paid'
import { stack } from '../support/stack-in-test'

/** A repeatable run of numbers between 0 and 1. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

describe('what a sealer does while others write (D3)', () => {
  /** Of the rows of these tests: late webhooks of earlier ones write some, too. */
  const unsealed = async () => {
    const [row] = await adminSql()`
      select count(*)::int as n from private.audit_log a
      where a.action = 'test.made' and not exists (select from private.audit_seals s where s.audit_id = a.id)`
    return row?.n
  }
  /** A sealer gives up after two seconds; on a machine that is held up for longer, the next one waits. */
  const sealOnceNobodyWrites = async () => {
    while ((await sealAuditLog(asService)).waiting);
  }
  const sealerWaits = async () => {
    const waiting = await adminSql()`
      select from pg_stat_activity where query like '%seal_audit_log%' and state = 'active' and wait_event = 'PgSleep'`
    return waiting.length > 0
  }

  /** A writer that has its id and is not done yet. */
  const withOpenWriter = async (work: (writer: ReservedSql, id: number) => Promise<void>) => {
    await sealAuditLog(asService)
    const writer = await adminSql().reserve()
    try {
      await writer`begin`
      await work(writer, await newAuditRow(writer))
    } finally {
      await writer`rollback`
      writer.release()
    }
  }

  it('waits for a writer whose row has a smaller id and is not there yet', async () => {
    await withOpenWriter(async (writer, early) => {
      const late = await newAuditRow(adminSql())

      const sealing = sealOnceNobodyWrites()
      await until(sealerWaits)
      const before = await unsealed()
      await writer`commit`
      await sealing

      expect(before).toBe(1)
      expect(await unsealed()).toBe(0)
      const order = await adminSql()`
        select audit_id::int as id from private.audit_seals where audit_id in (${early}, ${late}) order by seq`
      expect(order.map((row) => row.id)).toEqual([early, late])
    })
  })

  it('seals nothing while a writer stays in the way, and everything when it is gone', async () => {
    await withOpenWriter(async (writer) => {
      await newAuditRow(adminSql())

      const held = await sealAuditLog(asService)
      await writer`rollback`
      const freed = await sealAuditLog(asService)

      expect(held).toMatchObject({ sealed: 0, waiting: true })
      expect(freed).toMatchObject({
        sealed: expect.toSatisfy((sealed: number) => sealed >= 1),
        waiting: false,
      })
      expect(await unsealed()).toBe(0)
    })
  })

  it('refuses to work on a picture of the past', async () => {
    const frozen = adminSql().begin('isolation level repeatable read', (sql) => sealAuditLog(within(sql)))

    await expect(frozen).rejects.toMatchObject({ code: '25000' })
  })

  it('makes one chain without a fork or a gap while fifty write and four seal', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    console.log(`audit writers, seed ${seed}`)
    const random = randomFrom(seed)
    const writers = postgres(stack().adminDatabaseUrl, { max: 50, onnotice: () => {} })
    const kept: number[] = []
    let writing = true

    const write = async () => {
      for (let n = 0; n < 20; n++) {
        const rows: number[] = []
        const [pause, isKept] = [random() * 0.03, random() > 0.2]
        await writers
          .begin(async (sql) => {
            rows.push(await newAuditRow(sql))
            await sql`select pg_sleep(${pause})`
            rows.push(await newAuditRow(sql))
            if (!isKept) throw new Error('taken back')
          })
          .then(() => kept.push(...rows))
          .catch((error: unknown) => {
            if (isKept) throw error
          })
      }
    }
    let batches = 0
    // The app's role waits three seconds for its turn, which four sealers and fifty writers may take on a slow machine.
    const patient = within(adminSql())
    const seal = async () => {
      while (writing) {
        await sealAuditLog(patient)
        batches++
      }
    }
    const sealing = Promise.all(Array.from({ length: 4 }, seal))
    await Promise.all(Array.from({ length: 50 }, write)).finally(() => {
      writing = false
    })
    await sealing
    await writers.end()
    await sealAuditLog(asService)

    const seals = await adminSql()`
      select seq::int as seq, audit_id::int as id from private.audit_seals where audit_id >= ${Math.min(...kept)} order by seq`
    const sealed = new Set(seals.map((row) => row.id))
    const { findings } = await verifyAuditLog({ head: null, call: asService })
    console.log(`${kept.length} rows kept, ${seals.length} seals, ${batches} batches`)
    expect(kept.filter((id) => !sealed.has(id))).toEqual([])
    expect(seals.every((row, n) => n === 0 || row.seq === Number(seals[n - 1]?.seq) + 1)).toBe(true)
    expect(findings).toEqual([])
    expect(await unsealed()).toBe(0)
    const [batched] = await adminSql()`
      select count(distinct sealed_at)::int as n from private.audit_seals where audit_id >= ${Math.min(...kept)}`
    // The sealers did work in between, not only at the end.
    expect(batched?.n).toBeGreaterThan(5)
  })
})
