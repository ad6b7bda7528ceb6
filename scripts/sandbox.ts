// `npm run sandbox`: the providers alone, for `npm start` or for tests of your own.
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { PARTS, portsFromEnvironment, type SandboxPart } from '../sandbox/ports.ts'
import { type Sandbox, startSandbox } from '../sandbox/start.ts'

const root = resolve(import.meta.dirname, '..')
const stateDir = resolve(root, '.sandbox')

const { values } = parseArgs({
  options: { only: { type: 'string', multiple: true }, reset: { type: 'boolean', default: false } },
})

let sandbox: Sandbox | null = null
let stopping = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(0))

try {
  sandbox = await startSandbox({
    stateDir,
    ports: portsFromEnvironment(process.env),
    appOrigin: process.env.APP_ORIGIN ?? `http://localhost:${process.env.PORT ?? 3000}`,
    reset: values.reset,
    only: partsOf(values.only),
    onProgress: (line) => console.log(line),
    onExit: (part) => {
      console.error(`The ${part} part ended by itself; ${stateDir}/logs/${part}.log says why.`)
      void stop(1)
    },
  })
  print(sandbox)
  if (stopping) await stop(0)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}

async function stop(exitCode: number): Promise<void> {
  stopping = true
  // While it is still starting, the start goes on to its end and is stopped then.
  if (!sandbox) return
  await sandbox.stop()
  process.exit(exitCode)
}

function partsOf(names: string[] | undefined): SandboxPart[] | undefined {
  if (!names) return undefined
  return names
    .flatMap((name) => name.split(','))
    .map((name) => {
      const part = PARTS.find((candidate) => candidate === name)
      if (!part) throw new Error(`--only knows ${PARTS.join(', ')}, not ${name}.`)
      return part
    })
}

function print({ env, mailboxUrl, ports, parts, demo }: Sandbox): void {
  const addresses: Record<SandboxPart, string | undefined> = {
    stripe: env.STRIPE_API_BASE,
    supabase: env.SUPABASE_URL,
    upstash: env.UPSTASH_REDIS_REST_URL,
    mailbox: mailboxUrl,
    postgres: `127.0.0.1:${ports.postgres}`,
  }
  const people = parts.includes('supabase') ? Object.entries(demo) : []
  console.log(
    [
      '',
      ...parts.map((part) => `  ${part.padEnd(9)} ${addresses[part]}`),
      '',
      ...people.map(([name, { email, password }]) => `  ${name.padEnd(9)} ${email}  ${password}`),
      '',
      `  Settings for the app: ${stateDir}/env`,
      '  Ctrl-C stops it.',
      '',
    ].join('\n'),
  )
}
