import { parentPort } from 'node:worker_threads'
import type { Said } from './beside.ts'
import { loadContractChecker } from './checker.ts'

const checking = loadContractChecker()

parentPort?.on('message', async (said: Said) => {
  const checker = await checking
  if (said === 'report') parentPort?.postMessage(checker.report())
  else if ('event' in said) checker.event(said.event)
  else checker.response(said.response)
})
