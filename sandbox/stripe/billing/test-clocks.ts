import type Stripe from 'stripe'
import { newId } from '../core/ids.ts'
import { scheduleJob } from '../core/jobs.ts'
import { listObjects, pageParams } from '../core/list.ts'
import type { Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import { automaticCall } from '../http/call.ts'
import { noSuch, StripeError } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { integer, required, text, unsupported } from '../http/params.ts'
import { billingJobs } from './jobs.ts'
import { days } from './periods.ts'
import { forgetClockJob, forgetJobsOfClock, nextClockJob } from './schedule.ts'

type TestClock = Stripe.TestHelpers.TestClock

/** Stripe deletes a test clock by itself after this time. */
const KEPT_SECONDS = days(30)

/** What lives on a test clock goes with it. */
const KINDS_OF_A_CLOCK = ['customer', 'subscription', 'invoice'] as const

export const testClockOperations = [
  operation({
    method: 'POST',
    path: '/v1/test_helpers/test_clocks',
    params: {
      frozen_time: required(integer({ min: 1 })),
      name: text({ max: 300 }),
      ...unsupported('customer'),
    },
    handle(call, { frozen_time, name }) {
      const now = call.store.clock.now()
      const clock: TestClock = {
        id: newId('test_clock'),
        object: 'test_helpers.test_clock',
        created: now,
        deletes_after: now + KEPT_SECONDS,
        frozen_time,
        livemode: false,
        name: name ?? null,
        status: 'ready',
        status_details: {},
      }
      call.store.insert('test_helpers.test_clock', clock, {})
      recordEvent(call, 'test_helpers.test_clock.created', clock)
      return clock
    },
  }),
  operation({
    method: 'GET',
    path: '/v1/test_helpers/test_clocks/:id',
    params: {},
    handle: ({ store }, _params, { id }) => getClock(store, id),
  }),
  operation({
    method: 'POST',
    path: '/v1/test_helpers/test_clocks/:id/advance',
    params: { frozen_time: required(integer({ min: 1 })) },
    handle(call, { frozen_time }, { id }) {
      const clock = getClock(call.store, id)
      assertAdvanceable(clock, frozen_time)
      const advancing = call.store.save('test_helpers.test_clock', {
        ...clock,
        status: 'advancing',
        status_details: { advancing: { target_frozen_time: frozen_time } },
      })
      scheduleJob(call.store, 'advance_test_clock', id, 0)
      recordEvent(call, 'test_helpers.test_clock.advancing', advancing)
      return advancing
    },
  }),
  operation({
    method: 'DELETE',
    path: '/v1/test_helpers/test_clocks/:id',
    params: {},
    handle(call, _params, { id }) {
      const { store } = call
      const clock = getClock(store, id)
      for (const kind of KINDS_OF_A_CLOCK) {
        const ofClock = store.select(kind, [{ sql: "data ->> '$.test_clock' = ?", values: [id] }])
        for (const { object } of ofClock) store.markDeleted(object.id)
      }
      forgetJobsOfClock(store, id)
      store.markDeleted(id)
      recordEvent(call, 'test_helpers.test_clock.deleted', clock)
      return {
        id,
        object: 'test_helpers.test_clock',
        deleted: true,
      } satisfies Stripe.TestHelpers.DeletedTestClock
    },
  }),
  operation({
    method: 'GET',
    path: '/v1/test_helpers/test_clocks',
    params: pageParams,
    handle: ({ store }, page) =>
      listObjects(store, 'test_helpers.test_clock', '/v1/test_helpers/test_clocks', page),
  }),
]

/** Go from one thing that is due to the next, each at its own time, as far as was asked for (stripe.E20). Runs as a job. */
export function advanceTestClock(store: Store, id: string): void {
  const clock = store.find('test_helpers.test_clock', id)
  const target = clock?.object.status_details.advancing?.target_frozen_time
  if (!clock || clock.deleted || target === undefined) return
  try {
    for (let job = nextClockJob(store, id, target); job; job = nextClockJob(store, id, target)) {
      const { kind, subject, dueAt } = job
      forgetClockJob(store, job.id)
      const time = Math.max(dueAt, getClock(store, id).frozen_time)
      store.save('test_helpers.test_clock', { ...getClock(store, id), frozen_time: time })
      store.clock.at(time, () => billingJobs[kind](store, subject))
    }
    finish(store, { ...getClock(store, id), frozen_time: target, status: 'ready' })
  } catch (error) {
    store.config.log(`test clock ${id} failed: ${error instanceof Error ? error.stack : ''}`)
    finish(store, { ...getClock(store, id), status: 'internal_failure' })
  }
}

function finish(store: Store, clock: TestClock): void {
  const finished = store.save('test_helpers.test_clock', { ...clock, status_details: {} })
  const type =
    clock.status === 'ready' ? 'test_helpers.test_clock.ready' : 'test_helpers.test_clock.internal_failure'
  recordEvent(automaticCall(store), type, finished)
}

function getClock(store: Store, id: string): TestClock {
  const found = store.find('test_helpers.test_clock', id)
  if (!found || found.deleted) throw noSuch('test clock', id, 'test_clock', 404)
  return found.object
}

function assertAdvanceable(clock: TestClock, target: number): void {
  if (clock.status === 'advancing') {
    throw refused(`Test clock advancement underway - cannot perform modifications on ${clock.id}.`)
  }
  if (target <= clock.frozen_time) throw refused('The clock can be moved forward only.', 'frozen_time')
}

function refused(message: string, param?: string): StripeError {
  return new StripeError(400, { type: 'invalid_request_error', message, ...(param ? { param } : {}) })
}
