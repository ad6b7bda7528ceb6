import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePorts, startSandbox } from '../../sandbox/start.ts'
import { waitUntilReady } from '../../scripts/health.ts'
import { freePort } from '../../scripts/ports.ts'
import { type Leashed, spawnLeashed, tool } from '../../scripts/processes.ts'
import { ensureBuild } from '../../scripts/production-build.ts'

/** What tests need to know of a running stack; plain data, so that it can be handed to other processes. */
export type StackFacts = {
  appOrigin: string
  /** Every server of the production build; the first is the one Stripe delivers to. */
  serverUrls: string[]
  env: Record<string, string>
  adminDatabaseUrl: string
  supabaseSecretKey: string
  mailboxUrl: string
  localSecret: string
  demo: { customer: { email: string; password: string }; staff: { email: string; password: string } }
}

export type Stack = StackFacts & {
  /** Everything the servers have written so far. */
  logs(): string
  stop(): Promise<void>
}

const READY_TIMEOUT_MS = 60_000

/**
 * The whole product, the way it would run: a sandbox in a temporary folder and production servers on free ports.
 * @param servers how many server processes share the one database
 */
export async function startStack({ servers = 2 } = {}): Promise<Stack> {
  await ensureBuild()
  const stateDir = mkdtempSync(path.join(tmpdir(), 'paywright-test-'))
  const ports = await Promise.all(Array.from({ length: servers }, () => freePort()))
  const serverUrls = ports.map((port) => `http://localhost:${port}`)
  const [appOrigin = ''] = serverUrls
  const sandbox = await startSandbox({
    stateDir,
    ports: await freePorts(),
    appOrigin,
    tuning: { fsync: false, signInAttempts: 10_000, mailIntervalSeconds: 0 },
  })
  const output: string[] = []
  const running = ports.map((port) => startServer(port, sandbox.env, (line) => output.push(line)))
  const stop = async () => {
    await Promise.all(running.map((server) => server.stop()))
    await sandbox.stop()
    rmSync(stateDir, { recursive: true, force: true })
  }
  try {
    await Promise.all(serverUrls.map((url) => waitUntilReady(url, READY_TIMEOUT_MS)))
  } catch (error) {
    await stop()
    throw error
  }
  return {
    appOrigin,
    serverUrls,
    env: sandbox.env,
    adminDatabaseUrl: sandbox.adminDatabaseUrl,
    supabaseSecretKey: sandbox.supabaseSecretKey,
    mailboxUrl: sandbox.mailboxUrl,
    localSecret: sandbox.localSecret,
    demo: sandbox.demo,
    logs: () => output.join('\n'),
    stop,
  }
}

/** One more server process of the same build, with settings of its own. */
export function startServer(
  port: number,
  settings: Record<string, string>,
  onLine: (line: string) => void = () => {},
): Leashed {
  return spawnLeashed({
    name: `server on ${port}`,
    command: [...tool('next'), 'start', '--port', String(port)],
    settings: { ...settings, NODE_ENV: 'production' },
    onLine,
  })
}
