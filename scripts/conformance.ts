// `npm run conformance`: plays the same scenarios against our stand-in for Stripe and, with a test key in STRIPE_CONFORMANCE_KEY, against
// Stripe's own test mode, and writes both down side by side. Without a key the second half is not run.
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import Stripe from 'stripe'
import { ROWS } from '../sandbox/stripe/contract/rows.ts'
import { startStripe } from '../sandbox/stripe/server.ts'
import { compare, type Line } from './conformance/compare.ts'
import { refusal } from './conformance/key.ts'
import { type Played, playAll } from './conformance/play.ts'
import { markdown } from './conformance/report.ts'
import { SCENARIOS } from './conformance/scenarios.ts'
import { root } from './processes.ts'

const LOCAL_SETTLE_MS = 400
const STRIPE_SETTLE_MS = 8_000

const key = process.env.STRIPE_CONFORMANCE_KEY ?? null
const refused = key === null ? null : refusal(key)
if (refused) {
  console.error(refused)
  process.exit(2)
}

const ours = await playOurs()
const theirs = key === null ? null : await playTheirs(key)
const lines = compare(ours, theirs)
const folder = write(lines)
report(lines, folder)

async function playOurs(): Promise<Played[]> {
  const localKey = 'sk_test_local_conformance'
  const server = await startStripe({
    port: 0,
    databasePath: ':memory:',
    secretKey: localKey,
    publishableKey: 'pk_test_local_conformance',
    appOrigin: 'http://localhost:3000',
    settleDelayMs: 100,
    aftermathDelayMs: 100,
  })
  const { hostname, port } = new URL(server.url)
  const stripe = new Stripe(localKey, {
    host: hostname,
    port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
  })
  try {
    return await playAll({ name: 'our stand-in', stripe, settleMs: LOCAL_SETTLE_MS }, SCENARIOS)
  } finally {
    await server.close()
  }
}

function playTheirs(secret: string): Promise<Played[]> {
  console.log(
    'Playing against Stripe test mode. It makes customers and payments there; customers are deleted again.',
  )
  const stripe = new Stripe(secret, { maxNetworkRetries: 0, telemetry: false })
  return playAll({ name: 'Stripe', stripe, settleMs: STRIPE_SETTLE_MS }, SCENARIOS, (line) =>
    console.log(`  ${line}`),
  )
}

function write(lines: readonly Line[]): string {
  const folder = path.join(root, 'test-results', 'conformance')
  mkdirSync(folder, { recursive: true })
  const played = new Date().toISOString()
  const note =
    theirs === null
      ? `Played ${played} against our stand-in only. Stripe: not run.`
      : `Played ${played}. "≠" is a difference, "~ words" the same answer in other words.`
  writeFileSync(
    path.join(folder, 'conformance.md'),
    markdown(lines, { title: 'Conformance with Stripe', note }),
  )
  writeFileSync(path.join(folder, 'conformance.json'), `${JSON.stringify({ played, lines }, null, 2)}\n`)
  return path.relative(root, folder)
}

function report(lines: readonly Line[], folder: string): void {
  const steps = lines.filter(({ step }) => step !== 'events').length
  console.log(
    `Our stand-in: ${SCENARIOS.length} scenarios, ${steps} steps. Written to ${folder}/conformance.md and .json`,
  )
  if (theirs === null) {
    const touched = new Set(SCENARIOS.flatMap(({ rows }) => rows))
    const doubtful = ROWS.filter(
      ({ id, evidence }) => touched.has(id) && evidence.some((tag) => tag === 'INF' || tag === '2ND'),
    )
    console.log(
      [
        'Stripe: not run. Set STRIPE_CONFORMANCE_KEY to a test-mode secret key (sk_test_…) to play the same there. It would prove or',
        `disprove ${touched.size} rows of the list of behaviours, among them these, which rest on a guess or a third party's word:`,
        ...doubtful.map(({ id, behaviour }) => `  stripe.${id.padEnd(4)}${behaviour}`),
      ].join('\n'),
    )
    return
  }
  const different = lines.filter(({ differs }) => differs.length > 0)
  console.log(`Differences: ${different.length} of ${lines.length}`)
  for (const { scenario, step, differs } of different)
    console.log(`  ${scenario}: ${step} (${differs.join(', ')})`)
  if (different.length > 0) process.exitCode = 1
}
