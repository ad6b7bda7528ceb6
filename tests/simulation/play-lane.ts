import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CRASH_POINTS } from '@/lib/payments/crash-point'
import { failures, openLane } from './lane'
import type { Report } from './schedule'
import { seedsOfThisRun } from './seeds'

const BATCH = 50
/** A soak takes an hour. */
const NEWS_EVERY = 500
/** Nobody in a schedule reconciles, seals, sends mails or leaves: see tests/integration/crashes.test.ts for those. */
const REACHED = CRASH_POINTS.filter((point) => !/^(reconcile|audit|mail|erasure)\./.test(point))
/** So many schedules meet everything below, wherever they begin. */
const ENOUGH = 400
const WORTH_MEETING = [
  'payment.unknown',
  'payment.next_attempt',
  'payment.failed_attempt',
  'payment.requires_action',
  'payment.processing',
  'payment.requires_capture',
  'payment.succeeded',
  'payment.canceled',
  'payment.decided',
  'order.paid',
  'order_already_paid',
  'amount_differs',
  'refund.requested',
  'refund.refused',
  'refund.pending',
  'refund.succeeded',
  'refund.failed',
  'refund.canceled',
  'dispute.warning_needs_response',
  'dispute.warning_closed',
  'dispute.needs_response',
  'dispute.won',
  'dispute.lost',
  'checkout.created',
  'checkout.complete',
  'checkout.expired',
  'subscription.incomplete',
  'subscription.incomplete_expired',
  'subscription.active',
  'subscription.past_due',
  'subscription.unpaid',
  'subscription.canceled',
  'subscription.ending',
  'subscription.resumed',
  'subscription.plan_changed',
  'subscription.refused',
  'subscription.kept',
  'invoice.paid',
  'invoice.void',
  'grace.started',
  'grace.cleared',
  'grace.ended',
  'event ignored',
]

/** Half of a run's schedules: the seeds of one parity. Side by side with the other half, in a database of their own. */
export function playSeeds(parity: 'even' | 'odd'): void {
  const { base, seeds } = seedsOfThisRun()
  const ours = seeds.filter((seed) => (seed % 2 === 0) === (parity === 'even'))

  describe(`schedules with ${parity} seeds, from ${base}`, () => {
    let lane: Awaited<ReturnType<typeof openLane>>
    let steps = 0
    let events = 0
    let played = 0
    /** In how many schedules. */
    const met = new Map([...REACHED, ...WORTH_MEETING].map((thing) => [thing, 0]))
    const unmet = () => [...met].filter(([, times]) => times === 0).map(([thing]) => thing)
    const rarest = () => [...met].toSorted(([, one], [, other]) => one - other).slice(0, 5)
    const startedMs = Date.now()
    beforeAll(async () => {
      lane = await openLane(parity === 'even' ? 'simulation_even' : 'simulation_odd')
    })
    afterAll(async () => {
      const seconds = ((Date.now() - startedMs) / 1000).toFixed(1)
      console.log(
        `${ours.length} schedules (${parity} seeds from ${base}): ${steps} steps, ${events} events, ${seconds} s; met least: ${rarest().join(', ')}`,
      )
      await lane.close()
    })

    const batches = Array.from({ length: Math.ceil(ours.length / BATCH) }, (_, n) =>
      ours.slice(n * BATCH, (n + 1) * BATCH),
    )
    it.each(batches.map((batch) => ({ batch, from: batch[0], to: batch.at(-1) })))(
      'no rule is broken with seeds $from to $to (T1, W13, W14, I14, D4)',
      async ({ batch }) => {
        const broken: Report[] = []
        for (const seed of batch) {
          const report = await lane.play(seed)
          steps += report.steps
          events += report.events
          played++
          for (const thing of report.met) {
            const times = met.get(thing)
            if (times !== undefined) met.set(thing, times + 1)
          }
          if (report.violation) broken.push(report)
          if (broken.length > 0 && process.env.SIMULATION_STOPS) break
        }
        if (played % NEWS_EVERY === 0)
          console.log(
            `${played} of ${ours.length} schedules; not met yet: ${unmet().join(', ') || 'nothing'}`,
          )
        if (broken.length > 0) expect.fail(failures(broken))
      },
    )
    if (ours.length >= ENOUGH)
      it('have met everything worth meeting', () => {
        expect(unmet()).toEqual([])
      })
    if (ours.length === 0) it('has nothing to play', () => expect(ours).toEqual([]))
  })
}
