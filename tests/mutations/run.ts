// `npm run test:mutations [-- words of a mistake]`: make each mistake of tests/mutations in a copy of the project, and see that
// the test named with it fails, for the reason named with it. First, that the same tests pass without any mistake.
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { childEnvironment, root, tool } from '../../scripts/processes.ts'
import { ensureBuild } from '../../scripts/production-build.ts'
import { BILLING_MUTATIONS } from './billing.ts'
import { MAIL_MUTATIONS } from './mails.ts'
import { MONEY_MUTATIONS } from './money.ts'
import { type Catcher, type Mutation, mutated } from './mutation.ts'
import { WEBHOOK_MUTATIONS } from './webhooks.ts'

const copy = path.join(root, '.mutations')
const words = process.argv.slice(2).join(' ')
const mutations = [...WEBHOOK_MUTATIONS, ...MONEY_MUTATIONS, ...BILLING_MUTATIONS, ...MAIL_MUTATIONS].filter(
  ({ mistake }) => mistake.includes(words),
)

type Result = { name: string; status: string; messages: string }

process.exit(await main())

async function main(): Promise<number> {
  const catchers = new Map(mutations.map(({ caughtBy }) => [`${caughtBy.file} ${caughtBy.test}`, caughtBy]))
  if ([...catchers.values()].some(({ project }) => project === 'integration')) await ensureBuild()
  copyProject()
  try {
    const unsound = await unsoundTests([...catchers.values()])
    if (unsound.length > 0) {
      console.error(`Without any mistake these do not pass:\n${unsound.join('\n')}`)
      return 1
    }
    let survivors = 0
    for (const mutation of mutations) {
      const startedMs = Date.now()
      const verdict = await verdictOn(mutation)
      if (verdict !== 'caught') survivors++
      const seconds = ((Date.now() - startedMs) / 1000).toFixed(0).padStart(4)
      console.log(`${seconds} s  ${verdict.padEnd(8)} ${mutation.mistake}`)
    }
    console.log(`\n${mutations.length} mistakes made, ${mutations.length - survivors} caught.`)
    return survivors === 0 ? 0 : 1
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

/** What git knows or would; installed packages are shared, and the build is copied: nothing that is mutated goes into it. */
function copyProject(): void {
  rmSync(copy, { recursive: true, force: true })
  mkdirSync(copy)
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
  })
  for (const file of listed.toString().split('\0'))
    if (file !== '' && existsSync(path.join(root, file))) cpSync(path.join(root, file), path.join(copy, file))
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'))
  const build = path.join(root, '.next')
  const isWork = (source: string) => /[\\/]\.next[\\/](cache|dev)([\\/]|$)/.test(source)
  if (existsSync(build))
    cpSync(build, path.join(copy, '.next'), { recursive: true, filter: (source) => !isWork(source) })
}

async function unsoundTests(catchers: Catcher[]): Promise<string[]> {
  const unsound: string[] = []
  for (const catcher of catchers) {
    const results = await testsNamed(catcher)
    const isSound = results.length > 0 && results.every(({ status }) => status === 'passed')
    if (!isSound)
      unsound.push(`  ${catcher.file}: ${catcher.test}\n${results.map((one) => one.messages).join('\n')}`)
  }
  return unsound
}

async function verdictOn(mutation: Mutation): Promise<string> {
  const { file, text } = mutated(copy, mutation)
  const target = path.join(copy, file)
  const original = existsSync(target) ? readFileSync(target) : null
  writeFileSync(target, text)
  try {
    const results = await testsNamed(mutation.caughtBy)
    const failed = results.filter(({ status }) => status === 'failed')
    if (results.length === 0) return 'NOT RUN'
    if (failed.length === 0) return 'SURVIVED'
    const messages = failed.map((one) => one.messages).join('\n')
    return mutation.caughtBy.says.test(messages)
      ? 'caught'
      : `FAILED FOR ANOTHER REASON: ${messages.slice(0, 600)}\n`
  } finally {
    if (original) writeFileSync(target, original)
    else rmSync(target)
  }
}

/** Run a file's tests of that name in the copy. */
async function testsNamed({ project, file, test }: Catcher): Promise<Result[]> {
  const report = path.join(copy, 'report.json')
  rmSync(report, { force: true })
  const [node, vitest] = tool('vitest')
  const pattern = test.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const args = ['run', '--project', project, file, '-t', pattern, '--reporter=json', `--outputFile=${report}`]
  const child = spawn(node, [vitest, ...args], {
    cwd: copy,
    stdio: 'ignore',
    env: childEnvironment({
      SIMULATION_SEED: '781180510',
      SIMULATION_SCHEDULES: '1000',
      SIMULATION_STOPS: '1',
    }),
  })
  await new Promise((resolve) => child.on('close', resolve))
  if (!existsSync(report)) return []
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
    testResults: { assertionResults: { fullName: string; status: string; failureMessages: string[] }[] }[]
  }
  return testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ fullName }) => fullName.includes(test))
    .map(({ fullName, status, failureMessages }) => ({
      name: fullName,
      status,
      messages: failureMessages.join('\n'),
    }))
}
