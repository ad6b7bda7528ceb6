// `npm run test:simulate -- --seed 123` plays one schedule of the simulation again; `--schedules 500` plays as many as asked
// for, from a seed that is printed.
import { parseArgs } from 'node:util'
import { run, tool } from './processes.ts'

const { values } = parseArgs({ options: { seed: { type: 'string' }, schedules: { type: 'string' } } })
const seed = wholeNumber('seed', values.seed)
const schedules = wholeNumber('schedules', values.schedules) ?? (seed === undefined ? 1000 : 1)

const settings = { SIMULATION_SEED: seed?.toString(), SIMULATION_SCHEDULES: String(schedules) }
process.exit(await run([...tool('vitest'), 'run', '--project', 'simulation', 'seeds'], settings))

function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined || /^\d{1,9}$/.test(text)) return text === undefined ? undefined : Number(text)
  console.error(`--${name} takes a whole number, not "${text}".`)
  process.exit(2)
}
