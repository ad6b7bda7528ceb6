import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sealAuditLog } from '@/lib/audit/seal'
import { waitUntilReady } from '../../scripts/health'
import { freePort } from '../../scripts/ports'
import type { Leashed } from '../../scripts/processes'
import { asService } from '../support/audit'
import { adminSql } from '../support/db'
import { until } from '../support/paid'
import { openedPayment } from '../support/payment-rows'
import { startServer } from '../support/stack'
import { stack } from '../support/stack-in-test'

const { env } = stack()

describe('the published head', () => {
  const lines: string[] = []
  let sealer: Leashed
  let url: string

  beforeAll(async () => {
    const port = await freePort()
    url = `http://localhost:${port}`
    sealer = startServer(port, env, (line) => lines.push(line))
    await waitUntilReady(url, 60_000)
  })
  afterAll(() => sealer?.stop())

  const redis = async (...command: string[]) => {
    const response = await fetch(env.UPSTASH_REDIS_REST_URL ?? '', {
      method: 'POST',
      headers: { authorization: `Bearer ${env.UPSTASH_REDIS_REST_TOKEN}` },
      body: JSON.stringify(command),
    })
    return ((await response.json()) as { result: unknown }).result
  }
  const seal = (authorization = `Bearer ${env.CRON_SECRET}`) =>
    fetch(`${url}/api/cron/seal`, { method: 'POST', headers: { authorization } })
  /** Where the chain ends: a late webhook of an earlier test makes it longer at any time. */
  const lastSeal = async () => {
    const [last] = await adminSql()`
      select seq::int as count, encode(hash, 'hex') as hash from private.audit_seals order by seq desc limit 1`
    return { ...last }
  }
  const logged = (event: string) =>
    lines.filter((line) => line.includes(`"event":"${event}"`)).map((line) => JSON.parse(line))
  /** `npm run audit:verify`. */
  const verify = (...args: string[]) =>
    new Promise<{ code: number | null; text: string }>((resolve) => {
      const script = ['scripts/bootstrap.mjs', 'scripts/audit-verify.ts', ...args]
      const child = spawn(process.execPath, script, { env: { ...process.env, ...env } })
      const said: string[] = []
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => said.push(String(data)))
      child.on('close', (code) => resolve({ code, text: said.join('') }))
    })

  it('is for the scheduler alone', async () => {
    expect((await seal('Bearer x')).status).toBe(401)
  })

  it('is sealed, logged and kept in Redis, where it never goes back', async () => {
    await openedPayment()

    const response = await seal()

    expect(response.status).toBe(200)
    const { count, hash } = (await response.json()) as { count: number; hash: string }
    expect({ count, hash }).toEqual(await lastSeal())
    expect(await redis('GET', 'audit:head')).toBe(`${count}:${hash}`)
    await until(async () => logged('audit_head').some((line) => line.count === count && line.hash === hash))

    await Promise.all(Array.from({ length: 5 }, () => seal()))
    const last = await lastSeal()
    expect(last.count).toBeGreaterThanOrEqual(count)
    expect(await redis('GET', 'audit:head')).toBe(`${last.count}:${last.hash}`)
  })

  it('verifies from the command line: clean, and with the words for what is wrong', async () => {
    const { count } = await sealAuditLog(asService)

    const clean = await verify()
    // More than late webhooks of earlier tests add meanwhile.
    const cutOff = await verify('--head', `${count + 10_000}:${'0'.repeat(64)}`)
    const rewritten = await verify('--head', `${count}:${'0'.repeat(64)}`)
    const nonsense = await verify('--head', 'x')

    expect(clean).toMatchObject({ code: 0, text: expect.stringContaining('Nothing was changed.') })
    expect(clean.text).toMatch(/Compared with the head in Redis: \d+ rows/)
    expect(clean.text).toMatch(/younger than the last seal: grants and triggers/)
    expect(cutOff).toMatchObject({ code: 1, text: expect.stringContaining('The tail was cut') })
    expect(rewritten).toMatchObject({
      code: 1,
      text: expect.stringContaining('does not contain the published head'),
    })
    expect(nonsense.code).toBe(2)
  })

  it('is not replaced by that of a chain which does not contain it, and staff hear of it', async () => {
    const { count } = await sealAuditLog(asService)
    const truth = String(await redis('GET', 'audit:head'))
    const published = `${count + 100 + Math.floor(Math.random() * 1_000)}:${randomUUID().replaceAll('-', '').repeat(2)}`
    await redis('SET', 'audit:head', published)

    const response = await seal()

    expect(response.status).toBe(500)
    expect(await redis('GET', 'audit:head')).toBe(published)
    await until(async () => logged('audit_head_broken').length > 0)
    const subject = published.split(':')[0] ?? ''
    const removed = await adminSql()`
      delete from private.alerts where kind = 'audit_head_broken' and subject_id = ${subject} returning detail`
    expect(removed).toMatchObject([{ detail: { verdict: 'cut' } }])
    const check = await verify()
    expect(check).toMatchObject({ code: 1, text: expect.stringContaining('The tail was cut') })

    await redis('SET', 'audit:head', truth)
    expect((await seal()).status).toBe(200)
  })
})
