// `npm run judge`: asks independent judges what they think of the product, in one command and without Docker. Ends with 0
// when none of them is below its bar. `npm run judge -- secrets csp` asks only those.
import { judgeClientProbe } from './judge/client-probe.ts'
import { judgeAdvisors, judgeFunctions } from './judge/database-judges.ts'
import {
  judgeAudit,
  judgePackages,
  judgeSbom,
  judgeSecrets,
  judgeWithSecretlint,
} from './judge/source-judges.ts'
import { type Stand, startStand } from './judge/stand.ts'
import { ensureTools } from './judge/tools.ts'
import { type Judge, table, type Verdict } from './judge/verdict.ts'
import { judgeAccessibility, judgeCsp, judgeObservatory } from './judge/web-judges.ts'
import { onStopRequest } from './processes.ts'

let stand: Stand | undefined
const ourStand = async () => {
  stand ??= await startStand()
  return stand
}

const JUDGES: readonly Judge[] = [
  { name: 'secrets', bar: '0', judge: judgeSecrets },
  { name: 'secretlint', bar: '0', judge: judgeWithSecretlint },
  { name: 'packages', bar: '0 problems', judge: judgePackages },
  { name: 'audit', bar: '0 high', judge: judgeAudit },
  { name: 'sbom', bar: 'built', judge: judgeSbom },
  { name: 'probe', bar: 'refused', judge: judgeClientProbe },
  { name: 'csp', bar: '0 up to 60', judge: async () => judgeCsp(await ourStand()) },
  { name: 'observatory', bar: 'A+, 115, 10/10', judge: async () => judgeObservatory(await ourStand()) },
  { name: 'advisors', bar: '0', judge: async () => judgeAdvisors((await ourStand()).databaseUrl) },
  { name: 'functions', bar: '0', judge: judgeFunctions },
  { name: 'axe', bar: '0', judge: judgeAccessibility },
]

onStopRequest(async () => {
  await stand?.stop()
  process.exit(130)
})

process.exit(await main(process.argv.slice(2)))

async function main(asked: readonly string[]): Promise<number> {
  const judges = asked.length > 0 ? JUDGES.filter(({ name }) => asked.includes(name)) : JUDGES
  if (judges.length === 0) {
    console.error(`The judges are ${JUDGES.map(({ name }) => name).join(', ')}.`)
    return 2
  }
  await ensureTools()
  const rows = []
  for (const { name, bar, judge } of judges) {
    console.log(`\n── ${name} ${'─'.repeat(Math.max(3, 72 - name.length))}`)
    const startedAt = Date.now()
    const verdict = await judge().catch(
      (error: unknown): Verdict => ({
        outcome: 'failed',
        said: 'it could not judge',
        findings: [error instanceof Error ? error.message : String(error)],
      }),
    )
    for (const finding of verdict.findings ?? []) console.log(finding)
    console.log(`${verdict.outcome}: ${verdict.said}`)
    rows.push({ ...verdict, name, bar, seconds: (Date.now() - startedAt) / 1000 })
    // The journeys start a stack of their own: two at once are slow for nothing.
    if (name === 'advisors') await stopStand()
  }
  await stopStand()
  console.log(`\n── judgement ${'─'.repeat(63)}\n${table(rows)}\n`)
  return rows.some(({ outcome }) => outcome === 'failed') ? 1 : 0
}

async function stopStand(): Promise<void> {
  await stand?.stop()
  stand = undefined
}
