import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')

/** Everything that can leave the process, and the one file where it is given its deadline. */
const WAYS_OUT: Record<string, { made: RegExp; in: string[]; bounded: RegExp }> = {
  Stripe: { made: /new Stripe\(/, in: ['lib/stripe/server.ts'], bounded: /fetchBeforeDeadline/ },
  Postgres: { made: /\bpostgres\(/, in: ['lib/db/sql.ts'], bounded: /limitMs \+ CALL_GRACE_MS/ },
  Redis: { made: /new Redis\(/, in: ['lib/redis/client.ts'], bounded: /AbortSignal\.timeout\(/ },
  Supabase: {
    made: /create(Server|Browser)?Client\(/,
    in: ['lib/supabase/server.ts', 'lib/edge/settle-session.ts'],
    bounded: /fetch: withDeadline\(/,
  },
  SMTP: { made: /createTransport\(/, in: ['lib/mails/smtp.ts'], bounded: /DEADLINE_MS/ },
  fetch: {
    made: /(?<![.\w])fetch\(\s*(input|[`'"]https?:|new URL)/,
    in: ['lib/supabase/with-deadline.ts', 'lib/stripe/server.ts'],
    bounded: /signal/,
  },
  sockets: {
    made: /from 'node:(net|http|https|tls|dgram)'|XMLHttpRequest|WebSocket\(/,
    // It closes one, and opens none.
    in: ['lib/process/drain.ts'],
    bounded: /TcpServer\.prototype\.close/,
  },
}

function sources(): { file: string; text: string }[] {
  return ['lib', 'app', 'components', 'middleware.ts', 'instrumentation.ts'].flatMap((place) => {
    const files = place.endsWith('.ts')
      ? [place]
      : readdirSync(path.join(root, place), { recursive: true, encoding: 'utf8' })
    return files
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => (place.endsWith('.ts') ? name : path.posix.join(place, name)))
      .map((file) => ({ file, text: readFileSync(path.join(root, file), 'utf8') }))
  })
}

describe('the ways out of the process', () => {
  it.each(Object.entries(WAYS_OUT))('%s has one place, and a deadline there (C6)', (_name, way) => {
    const found = sources().filter(({ text }) => way.made.test(withoutTypes(text)))

    expect(found.map(({ file }) => file).toSorted()).toEqual(way.in.toSorted())
    for (const { file, text } of found) expect(text, file).toMatch(way.bounded)
  })

  it('server code calls no fetch of its own (C6)', () => {
    const callers = sources().filter(
      ({ text }) => !text.startsWith("'use client'") && /(?<![.\w])fetch\(/.test(withoutTypes(text)),
    )

    expect(callers.map(({ file }) => file).toSorted()).toEqual([
      // These run in the browser.
      'components/auth/send-sign-in.ts',
      'components/cards/change-card.ts',
      'components/cards/start-card-setup.ts',
      'components/payments/start-card-choice.ts',
      'components/payments/start-payment.ts',
      'components/privacy/ask.ts',
      'lib/stripe/server.ts',
      'lib/supabase/with-deadline.ts',
    ])
  })
})

/** Imports of types open no connection, and a parameter named fetch is no call of it. */
function withoutTypes(text: string): string {
  return text.replaceAll(/^import type .*$/gm, '').replaceAll(/await fetch\(\)/g, '')
}
