// `npm run bench -- webhook-dedupe` (or sealing, reconcile, history): two ways of doing one thing, side by side in one run on this
// machine. What counts is the ratio; a machine's own figures are good for that machine only.
import { availableParallelism } from 'node:os'
import { history } from './history.ts'
import { reconcile } from './reconcile.ts'
import { sealing } from './sealing.ts'
import { webhookDedupe } from './webhook-dedupe.ts'

const BENCHES: Record<string, (options: readonly string[]) => Promise<string[]>> = {
  'webhook-dedupe': webhookDedupe,
  sealing,
  reconcile,
  history,
}

const [name = '', ...options] = process.argv.slice(2)
const bench = BENCHES[name]
if (!bench) {
  console.error(`There is no bench "${name}". There are: ${Object.keys(BENCHES).join(', ')}.`)
  process.exit(2)
}
const lines = await bench(options)
console.log([`${name}, on ${availableParallelism()} cores`, ...lines].join('\n'))
process.exit()
