// Which settings a command runs with: the shell's, then .env.local, then .env, then the sandbox's.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseEnv } from 'node:util'
import { root } from './processes.ts'

/** What a provider account gives you. Either all of them are set or none, so that no half of a payment is real. */
const PROVIDER_SETTINGS = [
  'STRIPE_SECRET_KEY',
  'STRIPE_PUBLISHABLE_KEY',
  'STRIPE_WEBHOOK_SECRET',
  'SUPABASE_URL',
  'SUPABASE_PUBLISHABLE_KEY',
  'DATABASE_URL',
  'UPSTASH_REDIS_REST_URL',
  'UPSTASH_REDIS_REST_TOKEN',
  'SMTP_URL',
  'MAIL_FROM',
] as const

export const stateDir = path.join(root, '.sandbox')
const sandboxSettingsFile = path.join(stateDir, 'env')

/** Settings from the shell and from .env files. An empty value means "not set", so .env.example works as copied. */
export function givenSettings(): Record<string, string> {
  return { ...fileSettings('.env'), ...fileSettings('.env.local'), ...withoutEmpty(process.env) }
}

function fileSettings(name: string): Record<string, string> {
  const file = path.resolve(root, name)
  return existsSync(file) ? withoutEmpty(parseEnv(readFileSync(file, 'utf8'))) : {}
}

function withoutEmpty(source: Record<string, string | undefined>): Record<string, string> {
  const entries = Object.entries(source).filter(
    (entry): entry is [string, string] => (entry[1] ?? '').trim() !== '',
  )
  return Object.fromEntries(entries)
}

/**
 * Whether the settings name real providers, so that no sandbox is wanted.
 * @throws Error naming the missing settings when only some of them are there.
 */
export function hasOwnProviders(given: Record<string, string>): boolean {
  const missing = PROVIDER_SETTINGS.filter((name) => given[name] === undefined)
  if (missing.length === PROVIDER_SETTINGS.length) return false
  if (missing.length === 0) return true
  const present = PROVIDER_SETTINGS.filter((name) => given[name] !== undefined)
  throw new Error(
    `Some provider settings are there (${present.join(', ')}) and some are missing: ${missing.join(', ')}.\n` +
      'Set all of them in .env to use your own accounts, or none of them to use the sandbox.',
  )
}

/** Whether any provider setting is there, so that a sandbox's must not be mixed in. */
export function namesProviders(given: Record<string, string>): boolean {
  return PROVIDER_SETTINGS.some((name) => given[name] !== undefined)
}

/** What a running or earlier sandbox left for `npm start`, or nothing. */
export function sandboxSettings(): Record<string, string> {
  return fileSettings(sandboxSettingsFile)
}

/** @throws Error naming the setting when it is not a port. */
export function portSetting(given: Record<string, string>, name: string, fallback: number): number {
  const text = given[name]
  if (text === undefined) return fallback
  const port = Number(text)
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw new Error(`${name} must be a port number between 1 and 65535.`)
}

/** @throws Error naming each setting that is missing or wrong; see lib/env.ts. */
export async function preflight(settings: Record<string, string>): Promise<void> {
  const { readEnv } = await import('../lib/env.ts')
  readEnv(settings)
}
