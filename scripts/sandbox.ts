// `npm run sandbox`: the providers alone, for `npm start`, for tests of your own, or (`-- --only stripe`) for another app.
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { PARTS, portsFromEnvironment, type SandboxPart } from '../sandbox/ports.ts'
import { type Sandbox, startSandbox } from '../sandbox/start.ts'

const root = resolve(import.meta.dirname, '..')

const USAGE = `npm run sandbox -- [options]

  --only <part>         this part alone: ${PARTS.join(', ')}
  --webhook-url <url>   where the local Stripe delivers events (or STRIPE_WEBHOOK_URL);
                        default: <APP_ORIGIN>/api/payments/webhook
  --app-origin <url>    the page that may show the card fields (or APP_ORIGIN); default: http://localhost:3000
  --state-dir <folder>  what survives a restart; default: .sandbox
  --reset               forget everything first`

const { values } = readArguments()
if (values.help) {
  console.log(USAGE)
  process.exit(0)
}
const stateDir = resolve(values['state-dir'] ?? resolve(root, '.sandbox'))
const appOrigin =
  values['app-origin'] ?? process.env.APP_ORIGIN ?? `http://localhost:${process.env.PORT ?? 3000}`
const webhookUrl =
  values['webhook-url'] ?? process.env.STRIPE_WEBHOOK_URL ?? `${appOrigin}/api/payments/webhook`

let sandbox: Sandbox | null = null
let stopping = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(0))

try {
  assertAddresses()
  sandbox = await startSandbox({
    stateDir,
    ports: portsFromEnvironment(process.env),
    appOrigin,
    webhookUrl,
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

function readArguments() {
  try {
    return parseArgs({
      options: {
        only: { type: 'string', multiple: true },
        'webhook-url': { type: 'string' },
        'app-origin': { type: 'string' },
        'state-dir': { type: 'string' },
        reset: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
    process.exit(2)
  }
}

function assertAddresses(): void {
  const isHttp = (text: string) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
  if (!isHttp(webhookUrl))
    throw new Error('--webhook-url (STRIPE_WEBHOOK_URL) must be an http or https address.')
  if (isHttp(appOrigin) && new URL(appOrigin).origin === appOrigin) return
  throw new Error('--app-origin (APP_ORIGIN) must be an origin like http://localhost:3000, without a path.')
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

function print(started: Sandbox): void {
  const { env, mailboxUrl, ports, parts, demo } = started
  const stripeAlone = parts.length === 1 && parts[0] === 'stripe'
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
      ...(stripeAlone ? forOtherApps(started) : []),
      ...people.map(([name, { email, password }]) => `  ${name.padEnd(9)} ${email}  ${password}`),
      '',
      ...(stripeAlone ? [] : [`  Settings for the app: ${stateDir}/env`]),
      '  Ctrl-C stops it.',
      '',
    ].join('\n'),
  )
}

/** All that an app needs that is not this one. */
function forOtherApps({ env, localSecret }: Sandbox): string[] {
  return [
    `  pages     ${env.STRIPE_API_BASE}/`,
    `  Stripe.js ${env.STRIPE_API_BASE}/endive/stripe.js, on pages of ${appOrigin}`,
    `  webhooks  ${webhookUrl}`,
    '',
    ...['STRIPE_SECRET_KEY', 'STRIPE_PUBLISHABLE_KEY', 'STRIPE_WEBHOOK_SECRET'].map(
      (name) => `  ${name}=${env[name]}`,
    ),
    `  SANDBOX_LOCAL_SECRET=${localSecret}`,
    '',
  ]
}
