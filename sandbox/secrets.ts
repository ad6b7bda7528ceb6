import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Everything random of one install. Kept in `<stateDir>/secrets.json`, so sessions and keys survive a restart. */
export type SandboxSecrets = {
  /** Ties a data directory to this install: without its secrets nobody could sign in to it any more. */
  installId: string
  /** Opens the `/_local/…` addresses (fault modes) and the posting of mails. */
  localSecret: string
  stripeSecretKey: string
  stripePublishableKey: string
  stripeWebhookSecret: string
  supabasePublishableKey: string
  supabaseSecretKey: string
  /** Private JSON Web Key (ES256) that signs access tokens. */
  supabaseSigningKey: Record<string, unknown>
  /** Shared between the Auth front and the engine behind it; never leaves their process. */
  supabaseInnerSecret: string
  upstashToken: string
  cronSecret: string
  databaseAdminPassword: string
  databasePostgresPassword: string
  databaseServicePassword: string
  demoCustomerPassword: string
  demoStaffPassword: string
}

export function loadSecrets(stateDir: string): SandboxSecrets {
  const path = join(stateDir, 'secrets.json')
  const kept: Partial<SandboxSecrets> = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}
  // A newer version of the sandbox may need a secret an older install does not have yet.
  const secrets = { ...createSecrets(), ...kept }
  writePrivate(path, `${JSON.stringify(secrets, null, 2)}\n`)
  return secrets
}

/** Write a file only its owner can read, all of it or nothing. */
export function writePrivate(path: string, text: string): void {
  mkdirSync(join(path, '..'), { recursive: true })
  const temporary = `${path}.${process.pid}.tmp`
  writeFileSync(temporary, text, { mode: 0o600 })
  renameSync(temporary, path)
}

function createSecrets(): SandboxSecrets {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = privateKey.export({ format: 'jwk' })
  return {
    installId: token(12),
    localSecret: token(24),
    stripeSecretKey: `sk_test_local_${token(18)}`,
    stripePublishableKey: `pk_test_local_${token(18)}`,
    stripeWebhookSecret: `whsec_${token(24)}`,
    supabasePublishableKey: apiKey('publishable'),
    supabaseSecretKey: apiKey('secret'),
    supabaseSigningKey: { ...jwk, alg: 'ES256', use: 'sig', kid: keyId(jwk) },
    supabaseInnerSecret: token(32),
    upstashToken: token(30),
    cronSecret: token(24),
    databaseAdminPassword: token(24),
    databasePostgresPassword: token(24),
    databaseServicePassword: token(24),
    demoCustomerPassword: passphrase('lake'),
    demoStaffPassword: passphrase('hill'),
  }
}

/** Letters and digits only, so that a secret never needs quoting in an address, a file or SQL. */
function token(bytes: number): string {
  return randomBytes(bytes * 2)
    .toString('base64')
    .replace(/[^A-Za-z0-9]/g, '')
    .slice(0, Math.ceil(bytes * 1.34))
}

/** The shape hosted Supabase gives its keys: kind, 22 random characters, a checksum of 8. */
function apiKey(kind: 'publishable' | 'secret'): string {
  const body = `sb_${kind}_${token(24).slice(0, 22)}`
  return `${body}_${createHash('sha256').update(body).digest('base64url').slice(0, 8)}`
}

/** Easy to type from a terminal, and still not guessable from the outside. */
const passphrase = (word: string) =>
  `${word}-${randomBytes(3).toString('hex')}-${randomBytes(3).toString('hex')}`

const keyId = (jwk: object) => createHash('sha256').update(JSON.stringify(jwk)).digest('hex').slice(0, 16)
