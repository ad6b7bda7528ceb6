import { join } from 'node:path'
import type { SandboxPart, SandboxPorts } from './ports.ts'
import type { DefaultPrivileges } from './postgres/bootstrap.ts'
import type { SandboxSecrets } from './secrets.ts'

/**
 * What tests turn to get to the edges faster. The defaults are what supabase/config.toml sets a hosted project to, so nobody
 * is surprised when going live.
 */
export type SandboxTuning = {
  /** Sign-ins, sign-ups, mails and confirmations per client address in five minutes. Default 600. */
  signInAttempts?: number
  /** Life of an access token. Default 600. */
  accessTokenSeconds?: number
  /** Between two mails of one kind to one person. Default 60. */
  mailIntervalSeconds?: number
  /** Life of a link in a mail. Default 3600. */
  mailLinkSeconds?: number
  /** False makes tests faster; only a crash of the whole machine can then lose a commit. Default true. */
  fsync?: boolean
  /** Hold everything the local Stripe says against the SDK's types; `/_local/contract` tells. Default false. */
  stripeContract?: boolean
  /** What new tables in `public` grant to the API roles by themselves. Default grant-all, the harsher test. */
  defaultPrivileges?: DefaultPrivileges
}

export type SandboxSettings = {
  stateDir: string
  ports: SandboxPorts
  appOrigin: string
  webhookUrl: string
  secrets: SandboxSecrets
  tuning: SandboxTuning
}

const loopback = (port: number) => `http://127.0.0.1:${port}`

/** Every setting the app reads, for local use. */
export function appSettings({ ports, appOrigin, secrets }: SandboxSettings): Record<string, string> {
  return {
    APP_ORIGIN: appOrigin,
    STRIPE_SECRET_KEY: secrets.stripeSecretKey,
    STRIPE_PUBLISHABLE_KEY: secrets.stripePublishableKey,
    STRIPE_WEBHOOK_SECRET: secrets.stripeWebhookSecret,
    STRIPE_API_BASE: loopback(ports.stripe),
    SUPABASE_URL: loopback(ports.supabase),
    SUPABASE_PUBLISHABLE_KEY: secrets.supabasePublishableKey,
    DATABASE_URL: databaseUrl('payments_service', secrets.databaseServicePassword, ports.postgres),
    UPSTASH_REDIS_REST_URL: loopback(ports.upstash),
    UPSTASH_REDIS_REST_TOKEN: secrets.upstashToken,
    CRON_SECRET: secrets.cronSecret,
    SMTP_URL: `smtp://paywright:${secrets.localSecret}@127.0.0.1:${ports.smtp}`,
    MAIL_FROM: 'Paywright <payments@example.com>',
    TRUSTED_PROXY_HOPS: '0',
  }
}

/** The environment of each part's process. */
export function partSettings(part: SandboxPart, settings: SandboxSettings): Record<string, string> {
  const { stateDir, ports, appOrigin, secrets, tuning } = settings
  switch (part) {
    case 'postgres':
      return {
        SANDBOX_POSTGRES_PORT: String(ports.postgres),
        SANDBOX_STATE_DIR: stateDir,
        SANDBOX_INSTALL_ID: secrets.installId,
        SANDBOX_POSTGRES_PASSWORD: secrets.databaseAdminPassword,
        SANDBOX_POSTGRES_ROLE_PASSWORD: secrets.databasePostgresPassword,
        SANDBOX_POSTGRES_FSYNC: tuning.fsync === false ? 'off' : 'on',
        SANDBOX_DEFAULT_PRIVILEGES: tuning.defaultPrivileges ?? 'grant-all',
      }
    case 'supabase':
      return {
        SANDBOX_SUPABASE_PORT: String(ports.supabase),
        SANDBOX_SUPABASE_DATABASE_URL: databaseUrl(
          'supabase_admin',
          secrets.databaseAdminPassword,
          ports.postgres,
        ),
        SANDBOX_SUPABASE_INNER_SECRET: secrets.supabaseInnerSecret,
        SANDBOX_SUPABASE_SIGNING_KEY: JSON.stringify(secrets.supabaseSigningKey),
        SANDBOX_SUPABASE_SECRET_KEY: secrets.supabaseSecretKey,
        SUPABASE_PUBLISHABLE_KEY: secrets.supabasePublishableKey,
        SANDBOX_MAILBOX_URL: loopback(ports.mailbox),
        SANDBOX_LOCAL_SECRET: secrets.localSecret,
        APP_ORIGIN: appOrigin,
        ...numbers({
          SANDBOX_SIGN_IN_ATTEMPTS: tuning.signInAttempts,
          SANDBOX_ACCESS_TOKEN_SECONDS: tuning.accessTokenSeconds,
          SANDBOX_MAIL_INTERVAL_SECONDS: tuning.mailIntervalSeconds,
          SANDBOX_MAIL_LINK_SECONDS: tuning.mailLinkSeconds,
        }),
      }
    case 'upstash':
      return {
        SANDBOX_UPSTASH_PORT: String(ports.upstash),
        UPSTASH_REDIS_REST_TOKEN: secrets.upstashToken,
        SANDBOX_LOCAL_SECRET: secrets.localSecret,
      }
    case 'mailbox':
      return {
        SANDBOX_MAILBOX_PORT: String(ports.mailbox),
        SANDBOX_SMTP_PORT: String(ports.smtp),
        SANDBOX_MAILBOX_FILE: join(stateDir, 'mails.jsonl'),
        SANDBOX_LOCAL_SECRET: secrets.localSecret,
      }
    case 'stripe':
      return {
        SANDBOX_STRIPE_PORT: String(ports.stripe),
        SANDBOX_STRIPE_DB: join(stateDir, 'stripe.db'),
        SANDBOX_LOCAL_SECRET: secrets.localSecret,
        STRIPE_SECRET_KEY: secrets.stripeSecretKey,
        STRIPE_PUBLISHABLE_KEY: secrets.stripePublishableKey,
        STRIPE_WEBHOOK_SECRET: secrets.stripeWebhookSecret,
        STRIPE_WEBHOOK_URL: settings.webhookUrl,
        SANDBOX_STRIPE_CONTRACT: tuning.stripeContract ? '1' : '0',
        APP_ORIGIN: appOrigin,
      }
  }
}

/** Passwords are letters and digits, so nothing needs escaping. */
export function databaseUrl(role: string, password: string, port: number): string {
  return `postgres://${role}:${password}@127.0.0.1:${port}/postgres`
}

function numbers(values: Record<string, number | undefined>): Record<string, string> {
  const given = Object.entries(values).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]))
}
