// Runs the steps of `npm test` and `npm run check` one after the other, and says at the end how each went.

import { constants } from 'node:os'
import { onStopRequest } from './processes.ts'

/** How long an interrupted step may take to end. */
const STOP_TIMEOUT_MS = 8_000

export type Step = {
  name: string
  /** Answers an exit code; a thrown error counts as a failure. */
  run: () => Promise<number>
  /** Steps that make this one pointless when they fail. */
  needs?: readonly string[]
}

type Outcome = { name: string; state: 'passed' | 'failed' | 'not run'; seconds: number }

/**
 * Answers the exit code for the whole: 0 only when every step passed. On Ctrl-C the running step is passed the signal and
 * no other one begins.
 */
export async function runSteps(steps: readonly Step[]): Promise<number> {
  let interrupted: number | null = null
  onStopRequest((signal) => {
    interrupted = 128 + constants.signals[signal]
    setTimeout(() => process.exit(interrupted), STOP_TIMEOUT_MS).unref()
  })

  const outcomes: Outcome[] = []
  for (const step of steps) {
    outcomes.push(await runStep(step, outcomes))
    if (interrupted !== null) return interrupted
  }
  printSummary(outcomes)
  return outcomes.every((outcome) => outcome.state === 'passed') ? 0 : 1
}

async function runStep(step: Step, earlier: readonly Outcome[]): Promise<Outcome> {
  const broken = earlier.find((outcome) => outcome.state !== 'passed' && step.needs?.includes(outcome.name))
  console.log(`\n── ${step.name} ${'─'.repeat(Math.max(3, 72 - step.name.length))}`)
  if (broken !== undefined) {
    console.log(`Not run: "${broken.name}" did not pass.`)
    return { name: step.name, state: 'not run', seconds: 0 }
  }

  const startedAt = Date.now()
  const passed = await step.run().then(
    (status) => status === 0,
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : error)
      return false
    },
  )
  return { name: step.name, state: passed ? 'passed' : 'failed', seconds: (Date.now() - startedAt) / 1000 }
}

function printSummary(outcomes: readonly Outcome[]): void {
  const total = outcomes.reduce((sum, outcome) => sum + outcome.seconds, 0)
  const widest = Math.max(...outcomes.map((outcome) => outcome.name.length))
  console.log(`\n── summary ${'─'.repeat(65)}`)
  for (const { name, state, seconds } of outcomes) {
    console.log(`${name.padEnd(widest)}   ${state.padEnd(7)} ${seconds.toFixed(1).padStart(7)} s`)
  }
  console.log(`${'total'.padEnd(widest)}   ${''.padEnd(7)} ${total.toFixed(1).padStart(7)} s\n`)
}
