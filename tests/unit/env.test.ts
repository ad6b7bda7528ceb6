import { describe, expect, it } from 'vitest'
import { EnvError, readEnv } from '@/lib/env'

const LOCAL = {
  APP_ORIGIN: 'http://localhost:3000',
  STRIPE_SECRET_KEY: 'sk_test_local_canary1',
  STRIPE_PUBLISHABLE_KEY: 'pk_test_local_canary2',
  STRIPE_WEBHOOK_SECRET: 'whsec_canary3canary',
  STRIPE_API_BASE: 'http://127.0.0.1:4010',
  SUPABASE_URL: 'http://127.0.0.1:4011',
  SUPABASE_PUBLISHABLE_KEY: 'sb_publishable_canary4',
  DATABASE_URL: 'postgres://payments_service:canary5@127.0.0.1:4014/postgres',
  UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:4012',
  UPSTASH_REDIS_REST_TOKEN: 'canary6canary6canary6',
  SMTP_URL: 'smtp://paywright:canary8canary8@127.0.0.1:4015',
  MAIL_FROM: 'Paywright <payments@example.com>',
  CRON_SECRET: 'canary7canary7canary7',
}

const REAL = {
  ...LOCAL,
  APP_ORIGIN: 'https://pay.example.com',
  STRIPE_API_BASE: undefined,
  SUPABASE_URL: 'https://abc.supabase.co',
  DATABASE_URL:
    'postgres://payments_service.abc:canary5@pooler.example.com:6543/postgres?sslmode=verify-full',
  UPSTASH_REDIS_REST_URL: 'https://abc.upstash.io',
}
const TEST = { ...REAL, STRIPE_SECRET_KEY: 'sk_test_canary1', STRIPE_PUBLISHABLE_KEY: 'pk_test_canary2' }
const LIVE = {
  ...REAL,
  STRIPE_SECRET_KEY: 'sk_live_canary1',
  STRIPE_PUBLISHABLE_KEY: 'pk_live_canary2',
  NODE_ENV: 'production',
}

function refusal(source: Record<string, string | undefined>): string {
  try {
    readEnv(source)
  } catch (error) {
    if (error instanceof EnvError) return error.message
    throw error
  }
  throw new Error('these settings were accepted')
}

describe('settings', () => {
  it('decides the mode from the keys', () => {
    expect(readEnv(LOCAL).mode).toBe('sandbox')
    expect(readEnv(TEST).mode).toBe('test')
    expect(readEnv({ ...TEST, STRIPE_SECRET_KEY: 'rk_test_canary1' }).mode).toBe('test')
    expect(readEnv(LIVE)).toMatchObject({ mode: 'live', livemode: true })
  })

  it('names every missing setting at once (S-1)', () => {
    const message = refusal({})

    for (const name of Object.keys(LOCAL).filter((name) => name !== 'STRIPE_API_BASE'))
      expect(message).toContain(name)
  })

  it('hands mails over encrypted unless on this machine, and takes nothing but a server and a sender', () => {
    expect(readEnv(LOCAL).smtp).toMatchObject({ port: 4015, isEncrypted: false, mustEncrypt: false })
    expect(readEnv({ ...TEST, SMTP_URL: 'smtps://a%40b:c@mail.example.com' }).smtp).toMatchObject({
      port: 465,
      isEncrypted: true,
      user: 'a@b',
    })
    expect(readEnv({ ...TEST, SMTP_URL: 'smtp://mail.example.com' }).smtp).toMatchObject({
      port: 587,
      mustEncrypt: true,
    })
    for (const server of [
      'mail.example.com',
      'https://a.example',
      'smtp://a.example/?tls.rejectUnauthorized=false',
      'smtp://',
    ])
      expect(refusal({ ...LOCAL, SMTP_URL: server })).toContain('SMTP_URL')
    for (const sender of ['Paywright', 'a@b.example\r\nBcc: c@d.example', 'A <a@b.example>, B <b@c.example>'])
      expect(refusal({ ...LOCAL, MAIL_FROM: sender })).toContain('MAIL_FROM')
  })

  it('lists no other origin unless told to, and over http on this machine only (H8)', () => {
    expect(readEnv(TEST).allowedOrigins).toEqual([])
    expect(
      readEnv({ ...TEST, ALLOWED_ORIGINS: 'https://a.example.com, http://localhost:4000' }).allowedOrigins,
    ).toEqual(['https://a.example.com', 'http://localhost:4000'])
    expect(refusal({ ...TEST, ALLOWED_ORIGINS: 'http://a.example.com' })).toBe(
      'Settings are not usable:\n  ALLOWED_ORIGINS must use https outside this machine',
    )
  })

  it('takes an empty setting for a missing one', () => {
    expect(refusal({ ...LOCAL, CRON_SECRET: '' })).toContain('CRON_SECRET is missing')
  })

  it('refuses white space and line breaks in secrets and never prints a value (S-1, W20)', () => {
    for (const name of Object.keys(LOCAL) as (keyof typeof LOCAL)[]) {
      for (const broken of [`${LOCAL[name]} `, ` ${LOCAL[name]}`, `${LOCAL[name]}\n`, 'canary nonsense']) {
        if (/URL|ORIGIN|BASE/.test(name) && broken !== 'canary nonsense') continue
        const message = refusal({ ...LOCAL, [name]: broken })

        expect(message, name).toContain(name)
        expect(message, name).not.toContain('canary')
      }
    }
  })

  it.each([
    [
      'a live secret key with a test publishable key',
      { ...LIVE, STRIPE_PUBLISHABLE_KEY: 'pk_test_canary2' },
      'STRIPE_PUBLISHABLE_KEY',
    ],
    [
      'a test secret key with a live publishable key',
      { ...TEST, STRIPE_PUBLISHABLE_KEY: 'pk_live_canary2' },
      'STRIPE_PUBLISHABLE_KEY',
    ],
    [
      'a local secret key with a test publishable key',
      { ...LOCAL, STRIPE_PUBLISHABLE_KEY: 'pk_test_canary2' },
      'STRIPE_PUBLISHABLE_KEY',
    ],
    [
      'a test secret key with a local publishable key',
      { ...TEST, STRIPE_PUBLISHABLE_KEY: 'pk_test_local_x' },
      'STRIPE_PUBLISHABLE_KEY',
    ],
    ['a local key without its base', { ...LOCAL, STRIPE_API_BASE: undefined }, 'STRIPE_API_BASE'],
    [
      'a local key with a base elsewhere',
      { ...LOCAL, STRIPE_API_BASE: 'https://stripe.example.com' },
      'STRIPE_API_BASE',
    ],
    ['a test key with a base', { ...TEST, STRIPE_API_BASE: 'http://127.0.0.1:4010' }, 'STRIPE_API_BASE'],
    ['a live key with a base', { ...LIVE, STRIPE_API_BASE: 'http://127.0.0.1:4010' }, 'STRIPE_API_BASE'],
    ['a live key outside a production build', { ...LIVE, NODE_ENV: 'development' }, 'NODE_ENV'],
    ['a live key in a preview deployment', { ...LIVE, VERCEL_ENV: 'preview' }, 'VERCEL_ENV'],
    ['a test key in the production deployment', { ...TEST, VERCEL_ENV: 'production' }, 'VERCEL_ENV'],
    ['a local key in the production deployment', { ...LOCAL, VERCEL_ENV: 'production' }, 'VERCEL_ENV'],
    [
      'a local key for an address that others can reach',
      { ...LOCAL, APP_ORIGIN: 'https://pay.example.com' },
      'APP_ORIGIN',
    ],
    [
      'a Supabase key that bypasses the policies',
      { ...TEST, SUPABASE_PUBLISHABLE_KEY: 'sb_secret_canary4canary4' },
      'SUPABASE_PUBLISHABLE_KEY',
    ],
    [
      'a service_role token in its place',
      { ...TEST, SUPABASE_PUBLISHABLE_KEY: `x.${btoa('{"role":"service_role"}')}.x` },
      'SUPABASE_PUBLISHABLE_KEY',
    ],
    ['a Supabase address with a path', { ...TEST, SUPABASE_URL: 'https://abc.supabase.co/' }, 'SUPABASE_URL'],
    [
      'a database role that may do more',
      { ...TEST, DATABASE_URL: 'postgres://postgres:x@db.example.com/postgres?sslmode=verify-full' },
      'DATABASE_URL',
    ],
    ['a crash on order outside tests', { ...TEST, CRASH_AT: 'payment.made' }, 'CRASH_AT'],
    ['the same cron secret twice', { ...LOCAL, CRON_SECRET_PREVIOUS: LOCAL.CRON_SECRET }, 'PREVIOUS'],
    [
      'the same webhook secret twice',
      { ...LOCAL, STRIPE_WEBHOOK_SECRET_PREVIOUS: LOCAL.STRIPE_WEBHOOK_SECRET },
      'PREVIOUS',
    ],
  ])('refuses %s (S-2)', (_what, source, named) => {
    expect(refusal(source)).toContain(named)
  })

  it.each([
    ['APP_ORIGIN', 'http://pay.example.com'],
    ['SUPABASE_URL', 'http://abc.supabase.co'],
    ['UPSTASH_REDIS_REST_URL', 'http://abc.upstash.io'],
    ['DATABASE_URL', 'postgres://payments_service:x@db.example.com/postgres'],
    ['DATABASE_URL', 'postgres://payments_service:x@db.example.com/postgres?sslmode=prefer'],
    ['DATABASE_URL', 'postgres://payments_service:x@db.example.com/postgres?sslmode=require'],
    ['DATABASE_URL', 'postgres://payments_service:x@localhost/postgres?host=db.example.com'],
  ])('refuses an open line to another machine: %s %s', (name, value) => {
    expect(refusal({ ...TEST, [name]: value })).toContain(name)
  })

  it('has no setting for the replay tolerance of webhooks (W3)', () => {
    const withTolerance = readEnv({ ...LOCAL, STRIPE_WEBHOOK_TOLERANCE: '0' })

    expect(JSON.stringify(withTolerance)).not.toContain('olerance')
  })
})
