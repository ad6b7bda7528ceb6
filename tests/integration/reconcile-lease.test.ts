import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { noLeaseHeld, RECONCILE_LEASE } from '../support/confirmed-payments'
import { adminSql, callService } from '../support/db'
import { inOwnStack } from '../support/own-stack'
import { until } from '../support/paid'
import { reconcileNow, startReconcile } from '../support/reconcile-command'
import { stack } from '../support/stack-in-test'
import { startStripeProxy } from '../support/stripe-proxy'

// A reconciliation counts what is here as well.
inOwnStack()

describe('leases', () => {
  const take = (name: string, seconds: number) =>
    callService<{ token: string; fencing: number } | null>('take_lease', { p_name: name, p_seconds: seconds })
  const release = (name: string, token: string) =>
    callService<boolean>('release_lease', { p_name: name, p_token: token })
  const renew = (name: string, token: string, seconds = 30) =>
    callService<boolean>('renew_lease', { p_name: name, p_token: token, p_seconds: seconds })
  const newName = () => `job_${randomUUID().replaceAll(/[^a-f]/g, '')}`

  it('one of fifty gets it, and its number is higher each time', async () => {
    const name = newName()

    const taken = (await Promise.all(Array.from({ length: 50 }, () => take(name, 30)))).filter(
      (lease) => lease !== null,
    )

    expect(taken).toHaveLength(1)
    expect(await release(name, taken[0]?.token ?? '')).toBe(true)
    expect((await take(name, 30))?.fencing).toBe((taken[0]?.fencing ?? 0) + 1)
  })

  it('a holder whose time is over can neither renew, release nor write, before and after somebody else has it (C10)', async () => {
    const first = await take(RECONCILE_LEASE, 30)
    if (!first) throw new Error('the lease is free')
    const { id } = await callService<{ id: string }>('start_reconcile', {
      p_livemode: false,
      p_fencing: first.fencing,
      p_mode: 'dry_run',
    })
    const write = (fencing: number) =>
      callService('note_reconcile', {
        p_run: id,
        p_fencing: fencing,
        p_objects: {},
        p_cursor: { step: 'events' },
        p_counts: {},
      }).then(
        () => 'written',
        (error: { code: string }) => error.code,
      )
    const asFirst = async () => [
      await renew(RECONCILE_LEASE, first.token),
      await release(RECONCILE_LEASE, first.token),
      await write(first.fencing),
    ]
    // From here on it needs no luck to be done within the second.
    expect(await renew(RECONCILE_LEASE, first.token, 1)).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 1_100))

    const expired = await asFirst()
    const second = await take(RECONCILE_LEASE, 30)
    const late = await asFirst()

    expect(expired).toEqual([false, false, '55000'])
    expect(late).toEqual([false, false, '55000'])
    expect(second?.fencing).toBe(first.fencing + 1)
    expect(await renew(RECONCILE_LEASE, second?.token ?? '')).toBe(true)
    expect(await release(RECONCILE_LEASE, second?.token ?? '')).toBe(true)
    await adminSql()`update private.reconcile_runs set outcome = 'abandoned', finished_at = now() where id = ${id}`
  })
})

/** A Stripe with so many PaymentIntents, listed as Stripe lists; every ninth answer is a 429. */
function bigStripe(howMany: number) {
  const created = Math.floor(Date.now() / 1000)
  let asked = 0
  return startStripeProxy(stack().env.STRIPE_API_BASE ?? '', (path, query) => {
    if (++asked % 9 === 0)
      return {
        status: 429,
        body: { error: { type: 'invalid_request_error', code: 'rate_limit', message: '' } },
      }
    const list = (data: unknown[], has_more: boolean) => ({
      status: 200,
      body: { object: 'list', url: path, has_more, data },
    })
    if (path.split('/').length > 3)
      return {
        status: 404,
        body: { error: { type: 'invalid_request_error', code: 'resource_missing', message: '' } },
      }
    if (path !== '/v1/payment_intents') return list([], false)
    const from = Number(query.get('starting_after')?.split('_').at(-1) ?? -1) + 1
    const to = Math.min(from + 100, howMany)
    const intents = Array.from({ length: to - from }, (_, n) => ({
      object: 'payment_intent',
      id: `pi_big_${from + n}`,
      created,
      status: 'canceled',
      amount: 100,
      amount_received: 0,
      currency: 'eur',
      customer: null,
      latest_charge: null,
      metadata: {},
    }))
    return list(intents, to < howMany)
  })
}

describe('a big account', () => {
  const pagesOf = (proxy: Awaited<ReturnType<typeof bigStripe>>) =>
    proxy.requests.filter(({ path }) => path === '/v1/payment_intents').length

  it('goes on after kill -9 where it was, at ten requests a second at most, through 429s (R4)', async () => {
    const proxy = await bigStripe(5000)
    try {
      const args = ['--dry-run', '--since', new Date().toISOString()]
      const settings = { STRIPE_API_BASE: proxy.url }
      const killed = startReconcile(args, settings)
      await until(async () => pagesOf(proxy) >= 30, 60_000)
      killed.child.kill('SIGKILL')
      await killed.ended
      const pagesBefore = pagesOf(proxy)
      await noLeaseHeld()

      const { report, findings } = await reconcileNow(args, settings)

      expect(report).toMatchObject({ resumed: true, counts: { payment_intent: 5000 } })
      expect(findings.filter(({ kind }) => kind === 'missing_here')).toHaveLength(5000)
      // 50 pages, the one that was lost, and those answered 429.
      expect(pagesOf(proxy)).toBeLessThan(60)
      expect(pagesOf(proxy) - pagesBefore).toBeLessThan(30)
      expect(proxy.mostInASecond()).toBeLessThanOrEqual(10)
    } finally {
      await proxy.close()
    }
  }, 180_000)

  it('a run that was frozen past its lease writes nothing when it wakes up (C10)', async () => {
    const proxy = await bigStripe(2000)
    try {
      const args = ['--dry-run', '--since', new Date(Date.now() - 1).toISOString()]
      const settings = { STRIPE_API_BASE: proxy.url }
      const frozen = startReconcile(args, settings)
      await until(async () => pagesOf(proxy) >= 6, 60_000)
      frozen.child.kill('SIGSTOP')
      await noLeaseHeld()
      const { report } = await reconcileNow(args, settings)
      const written = () => adminSql()`
        select r.fencing, r.cursor, r.outcome, r.updated_at, (select max(o.seen_at) from private.reconcile_objects o where o.run_id = r.id) as seen,
          (select fencing from private.job_leases where name = ${RECONCILE_LEASE}) as lease
        from private.reconcile_runs r where r.id = ${report.runId}`
      const before = await written()

      frozen.child.kill('SIGCONT')
      const { code, errors } = await frozen.ended

      expect(code).toBe(2)
      expect(errors).toContain('Another run')
      expect(report.counts.payment_intent).toBe(2000)
      expect(await written()).toEqual(before)
    } finally {
      await proxy.close()
    }
  }, 180_000)
})
