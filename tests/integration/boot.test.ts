import { spawn } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { freePort } from '../../scripts/ports'
import { root, tool } from '../../scripts/processes'
import { stack } from '../support/stack-in-test'

const { env } = stack()
const CANARY = 'whsec_canary canary'

type Ended = { code: number | null; output: string; listened: boolean }

/** Run a command to its end, watching whether anything ever answers on its port. */
async function runUntilEnd(command: string[], settings: Record<string, string>): Promise<Ended> {
  const port = await freePort()
  const [file = '', ...args] = command
  const child = spawn(file, args, {
    cwd: root,
    env: { PATH: process.env.PATH, NODE_ENV: 'production', ...settings, PORT: String(port) },
  })
  let output = ''
  let listened = false
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (output += chunk))
  const watch = setInterval(() => {
    fetch(`http://localhost:${port}/api/health?live`).then(
      (response) => (listened ||= response.ok),
      () => {},
    )
  }, 50)
  // At its exit, what it wrote last may still be on its way.
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  clearInterval(watch)
  return { code, output, listened }
}

/** Settings that a production server would start with. */
const REAL = {
  APP_ORIGIN: 'https://pay.example.com',
  STRIPE_SECRET_KEY: 'sk_live_canary1',
  STRIPE_PUBLISHABLE_KEY: 'pk_live_canary2',
  STRIPE_WEBHOOK_SECRET: 'whsec_canary3canary',
  SUPABASE_URL: 'https://abc.supabase.co',
  SUPABASE_PUBLISHABLE_KEY: 'sb_publishable_canary4',
  DATABASE_URL: 'postgres://payments_service:canary5@pooler.example.com/postgres?sslmode=verify-full',
  UPSTASH_REDIS_REST_URL: 'https://abc.upstash.io',
  UPSTASH_REDIS_REST_TOKEN: 'canary6canary6canary6',
  SMTP_URL: 'smtp://paywright:canary8canary8@127.0.0.1:4015',
  MAIL_FROM: 'Paywright <payments@example.com>',
  CRON_SECRET: 'canary7canary7canary7',
}

describe('starting in production with what is for tests [S-11]', () => {
  it.each([
    ['a crash on order', { CRASH_AT: 'payment.made' }, 'CRASH_AT'],
    ['the local Stripe', { STRIPE_API_BASE: 'http://127.0.0.1:4010' }, 'STRIPE_API_BASE'],
    ['a local key', { STRIPE_SECRET_KEY: 'sk_test_local_canary1' }, 'STRIPE_SECRET_KEY'],
  ])('ends before it listens: %s', async (_what, forTests, named) => {
    const { code, output, listened } = await runUntilEnd(
      [process.execPath, 'scripts/bootstrap.mjs', 'scripts/start.ts'],
      { ...REAL, ...forTests },
    )

    expect(code).not.toBe(0)
    expect(listened).toBe(false)
    expect(output).toContain(named)
    expect(output).not.toMatch(/canary/)
  })
})

describe('starting with bad settings (S-1, W3, W20)', () => {
  it.each([
    ['a secret with white space', { STRIPE_WEBHOOK_SECRET: CANARY }, 'STRIPE_WEBHOOK_SECRET'],
    ['a missing secret', { STRIPE_WEBHOOK_SECRET: '' }, 'STRIPE_WEBHOOK_SECRET'],
    ['keys of two modes', { STRIPE_PUBLISHABLE_KEY: 'pk_live_canary' }, 'STRIPE_PUBLISHABLE_KEY'],
    [
      'a database elsewhere without TLS',
      { DATABASE_URL: 'postgres://canary:canary@db.example.com/x' },
      'DATABASE_URL',
    ],
  ])('npm start ends before it listens: %s', async (_what, broken, named) => {
    const { code, output, listened } = await runUntilEnd(
      [process.execPath, 'scripts/bootstrap.mjs', 'scripts/start.ts'],
      { ...env, ...broken },
    )

    expect(code).not.toBe(0)
    expect(listened).toBe(false)
    expect(output).toContain(named)
    expect(output).not.toMatch(/canary/)
  })

  it('Next started by other means ends too', async () => {
    const { code, output } = await runUntilEnd([...tool('next'), 'start'], {
      ...env,
      STRIPE_WEBHOOK_SECRET: CANARY,
    })

    expect(code).not.toBe(0)
    expect(output).toContain('STRIPE_WEBHOOK_SECRET')
    expect(output).not.toMatch(/canary/)
  })
})
