import 'server-only'
import { setTimeout as sleep } from 'node:timers/promises'
import { after } from 'next/server'
import { errorFields, log } from '../log'

/**
 * Wait until a whole number of steps has gone by since performance.now() was `startedAt`. Auth is quicker about an account
 * that does not exist; so long as it takes less than a step, nobody can tell.
 */
export async function untilNextStep(startedAt: number, stepMs: number): Promise<void> {
  const elapsedMs = performance.now() - startedAt
  await sleep(Math.ceil(elapsedMs / stepMs) * stepMs - elapsedMs)
}

/**
 * Answer after exactly this long: what has failed by then is thrown, what is still going on goes on behind the answer.
 * Sending a mail takes its time, and only people with an account get one.
 */
export async function answerAfter(ms: number, work: Promise<void>): Promise<void> {
  after(() => work.catch((error) => log.warn('failed_behind_answer', errorFields(error))))
  await sleep(ms)
  await Promise.race([work, undefined])
}
