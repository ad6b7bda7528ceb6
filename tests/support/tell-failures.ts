import { readFileSync, statSync } from 'node:fs'
import { afterEach, beforeEach } from 'vitest'
import { stack } from './stack-in-test'

/** The servers are in other processes: a test that saw one fail says what the servers wrote meanwhile. */
const TOLD = /"level":"(warn|error|fatal)"/
const MOST = 30

let from = 0

beforeEach(() => {
  from = statSync(stack().logFile).size
})

afterEach(({ task }) => {
  if (task.result?.state !== 'fail') return
  const lines = readFileSync(stack().logFile)
    .subarray(from)
    .toString()
    .split('\n')
    .filter((line) => TOLD.test(line))
  if (lines.length > 0) console.log(`The servers during "${task.name}":\n${lines.slice(-MOST).join('\n')}`)
})
