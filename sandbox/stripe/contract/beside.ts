import { Worker } from 'node:worker_threads'
import type { ObservedResponse, Observer } from '../observer.ts'
import type { ContractReport } from './checker.ts'

/** What the thread is sent; it answers `report` with a ContractReport, in the order in which it was asked. */
export type Said = { response: ObservedResponse } | { event: Parameters<Observer['event']>[0] } | 'report'

/** A checker in a thread of its own: compiling and checking take seconds, in which no answer should have to wait. */
export function startContractChecker(): Observer {
  const worker = new Worker(new URL('./thread.ts', import.meta.url))
  // The server ends when it is done, whatever is left to check.
  worker.unref()
  const say = (said: Said) => worker.postMessage(said)
  return {
    response: (response) => say({ response }),
    event: (event) => say({ event }),
    report: () =>
      new Promise<ContractReport>((resolve, reject) => {
        worker.once('message', resolve)
        worker.once('error', reject)
        say('report')
      }),
  }
}
