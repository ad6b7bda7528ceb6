import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@supabase/supabase-js'
import postgres from 'postgres'
import { removeData } from '../../../sandbox/postgres/data-folder.ts'
import { unprivilegedUser } from '../../../sandbox/postgres/native-files.ts'
import { freePorts, type Sandbox, type SandboxOptions, startSandbox } from '../../../sandbox/start.ts'

export const APP_ORIGIN = 'http://localhost:3000'

/** A sandbox of its own in a temporary folder. Generous limits, so that tests meet one only when they ask for it. */
export async function startTestSandbox(options: Partial<SandboxOptions> = {}) {
  const stateDir = options.stateDir ?? temporaryFolder()
  const sandbox = await startSandbox({
    ports: await freePorts(),
    appOrigin: APP_ORIGIN,
    ...options,
    stateDir,
    tuning: { fsync: false, signInAttempts: 1_000, mailIntervalSeconds: 0, ...options.tuning },
  })
  const admin = postgres(sandbox.adminDatabaseUrl, { max: 4, onnotice: () => {} })
  return {
    ...sandbox,
    stateDir,
    admin,
    async close() {
      await admin.end({ timeout: 2 })
      await sandbox.stop()
      // As root the data may be kept elsewhere.
      removeData(stateDir, unprivilegedUser())
      rmSync(stateDir, { recursive: true, force: true })
    },
  }
}

export type TestSandbox = Awaited<ReturnType<typeof startTestSandbox>>

export const temporaryFolder = () => mkdtempSync(join(tmpdir(), 'paywright-test-'))

/** A client that keeps its session to itself. */
export function client(sandbox: Pick<Sandbox, 'env'>, key?: string) {
  return createClient(setting(sandbox, 'SUPABASE_URL'), key ?? setting(sandbox, 'SUPABASE_PUBLISHABLE_KEY'), {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
  })
}

export type SupabaseClient = ReturnType<typeof client>

export function setting(sandbox: Pick<Sandbox, 'env'>, name: string): string {
  const value = sandbox.env[name]
  if (!value) throw new Error(`${name} is not set`)
  return value
}

export type Message = { id: string; to: string; subject: string; text: string; html: string; links: string[] }

export async function mailsTo(sandbox: Sandbox, address: string): Promise<Message[]> {
  const response = await fetch(`${sandbox.mailboxUrl}/api/messages?to=${encodeURIComponent(address)}`)
  return ((await response.json()) as { messages: Message[] }).messages
}

/** What the newest mail to this address asks to open: `token_hash` and `type`. */
export async function linkFor(sandbox: Sandbox, address: string) {
  const link = (await mailsTo(sandbox, address))[0]?.links[0]
  if (!link) throw new Error('No mail with a link has come')
  const url = new URL(link)
  return {
    url,
    tokenHash: url.searchParams.get('token_hash') ?? '',
    type: url.searchParams.get('type') as 'email' | 'recovery',
  }
}

let people = 0

/** Somebody new with a confirmed address, signed in. */
export async function signUpPerson(sandbox: Sandbox) {
  people += 1
  const email = `person-${people}-${Date.now()}@example.com`
  const password = `a long password ${people}`
  const supabase = client(sandbox)
  const signUp = await supabase.auth.signUp({ email, password })
  if (signUp.error) throw signUp.error
  const { tokenHash, type } = await linkFor(sandbox, email)
  const { data, error } = await supabase.auth.verifyOtp({ token_hash: tokenHash, type })
  if (error || !data.session || !data.user) throw error ?? new Error('No session')
  return { email, password, supabase, session: data.session, user: data.user }
}

export async function setFault(sandbox: Sandbox, url: string, mode: string): Promise<void> {
  const response = await fetch(`${url}/_local/fault`, {
    method: 'POST',
    headers: { authorization: `Bearer ${sandbox.localSecret}` },
    body: JSON.stringify({ mode }),
  })
  if (!response.ok) throw new Error(`The fault mode was refused: ${response.status}`)
}
