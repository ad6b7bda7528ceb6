import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { corsHeaders, preflightHeaders } from '@/lib/edge/cors'
import { rateLimitHeaders } from '@/lib/edge/rate-limit-headers'
import { isFromUs } from '@/lib/edge/same-origin'
import { readEnv } from '@/lib/env'
import { parseJsonText } from '@/lib/json-text'

const US = 'https://pay.example.com'
const LISTED = ['https://shop.example.com']
const HISTORY = '/api/payments/history'

/** What an origin can be made to look like. */
const HOSTILE = [
  null,
  '',
  'null',
  '*',
  'https://evil.example',
  `${US}.evil.example`,
  'https://evilpay.example.com',
  'https://pay.example.com:444',
  'http://pay.example.com',
  `${US}/`,
  'https://PAY.example.com',
  `${US}, https://evil.example`,
]

describe('where a request comes from', () => {
  const headers = (given: Record<string, string | null>) =>
    new Headers(Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== null))

  it('is believed to be us only when it says exactly so [H7]', () => {
    expect(isFromUs(headers({ origin: US }), US)).toBe(true)
    expect(isFromUs(headers({ origin: US, 'sec-fetch-site': 'same-origin' }), US)).toBe(true)
    for (const origin of HOSTILE) expect(isFromUs(headers({ origin }), US), String(origin)).toBe(false)
    for (const site of ['cross-site', 'same-site', 'none', ''])
      expect(isFromUs(headers({ origin: US, 'sec-fetch-site': site }), US), site).toBe(false)
  })

  it('may be a listed origin where an address is meant for those, and none that looks like one [H8]', () => {
    const shop = headers({ origin: 'https://shop.example.com', 'sec-fetch-site': 'same-site' })

    expect(isFromUs(shop, US, LISTED)).toBe(true)
    expect(isFromUs(shop, US)).toBe(false)
    for (const origin of ['https://shop.example.com.evil.example', 'https://xshop.example.com', 'null', null])
      expect(isFromUs(headers({ origin }), US, LISTED), String(origin)).toBe(false)
  })

  it('is told who may read an answer only if it is listed, by its whole name, and never by a star [H8]', () => {
    const ask = (origin: string | null, path = HISTORY, allowed = LISTED) =>
      corsHeaders({ method: 'GET', headers: headers({ origin }) }, path, allowed)

    expect(ask('https://shop.example.com')).toMatchObject({
      'access-control-allow-origin': 'https://shop.example.com',
      vary: 'origin',
    })
    for (const origin of [...HOSTILE, 'https://shop.example.com.evil.example'])
      expect(ask(origin), String(origin)).not.toHaveProperty('access-control-allow-origin')
    expect(ask('https://shop.example.com', HISTORY, [])).toEqual({})
    expect(ask('https://shop.example.com', '/api/health')).toEqual({})
    expect(ask('https://shop.example.com', '/payments')).toEqual({})
  })

  it('gets an answer to a preflight only for addresses meant for others [H8]', () => {
    const ask = (path: string, method: string, origin = 'https://shop.example.com') =>
      preflightHeaders(headers({ origin, 'access-control-request-method': method }), path, LISTED)

    expect(ask(HISTORY, 'GET')).toMatchObject({ 'access-control-allow-methods': 'GET' })
    expect(ask('/api/payments/create-payment-intent', 'POST')).not.toBeNull()
    expect(ask('/api/payments/create-payment-intent', 'DELETE')).toBeNull()
    expect(ask('/api/payments/1/refunds', 'POST')).toBeNull()
    expect(ask('/api/payments/webhook', 'POST')).toBeNull()
    expect(ask('/sign-in', 'POST')).toBeNull()
    expect(ask(HISTORY, 'GET', 'https://evil.example')).toBeNull()
    expect(preflightHeaders(headers({ origin: 'https://shop.example.com' }), HISTORY, LISTED)).toBeNull()
  })

  it.each([
    '*',
    'null',
    'shop.example.com',
    'https://shop.example.com/',
    'https://*.example.com/x',
    'https://a.example, *',
  ])('cannot be listed as %j [H8]', (value) => {
    expect(() => readEnv({ ALLOWED_ORIGINS: value })).toThrow(/ALLOWED_ORIGINS/)
  })
})

describe('RateLimit headers', () => {
  it('say what each limit allows, what is left and until when [F7]', () => {
    const standings = [
      { name: 'writes', limit: 60, seconds: 60, remaining: 59, resetSeconds: 30 },
      { name: 'starting', limit: 10, seconds: 60, remaining: 0, resetSeconds: 7 },
    ] as const

    expect(rateLimitHeaders([...standings])).toEqual({
      'ratelimit-policy': '"writes";q=60;w=60, "starting";q=10;w=60',
      ratelimit: '"writes";r=59;t=30, "starting";r=0;t=7',
    })
    expect(rateLimitHeaders([])).toEqual({})
  })
})

describe('JSON that is taken from strangers', () => {
  it('is read as it is, whatever it says [H17]', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        fc.pre(!text.includes('__proto__'))

        expect(parseJsonText(text)).toEqual(JSON.parse(text))
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    ['a name twice', '{"a":1,"a":2}'],
    ['a name twice, once in disguise', '{"a":1,"\\u0061":2}'],
    ['a name twice, deep inside', '[{"x":{"b":[],"c":"}","b" : 1}}]'],
    ['a prototype', '{"a":[{"__proto__":1}]}'],
    ['lists in lists', '['.repeat(5_000) + ']'.repeat(5_000)],
    ['objects in objects', `${'{"a":'.repeat(13)}1${'}'.repeat(13)}`],
    ['no JSON', "{'a':1}"],
    ['nothing', ''],
  ])('is refused with %s [H17]', (_what, text) => {
    expect(() => parseJsonText(text)).toThrow(SyntaxError)
  })

  it.each(['{"a":{"a":{"a":1}}}', '[{"a":1},{"a":2}]', '{"a":"a","b":"\\"a\\":"}', '{"a":"{","b":"["}'])(
    'may use a name in several objects, and any text: %s [H17]',
    (text) => {
      expect(parseJsonText(text)).toEqual(JSON.parse(text))
    },
  )
})
