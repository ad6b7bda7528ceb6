import { afterEach, describe, expect, it, vi } from 'vitest'
import { log, logTo } from '@/lib/log'
import { allowed, errorFields, isCardNumber, withoutSecrets } from '@/lib/log-fields'
import { inRequest, noteActor } from '@/lib/request-context'
import { assertClean } from '../support/log-lines'

vi.mock('@/lib/env', () => ({ env: () => ({ logLevel }) }))
let logLevel = 'info'

const SECRETS = [
  '4242424242424242',
  '4242 4242 4242 4242',
  '378282246310005',
  'sk_test_51Habcdefghijk',
  'rk_live_abcdefgh',
  'whsec_abcdefgh',
  'sb_secret_abcdefgh',
  'pi_3Nabc_secret_xyz',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln',
  'Bearer abcdef',
  'ada@example.test',
  'DE89370400440532013000',
]

function written(): Record<string, unknown>[] {
  const records: Record<string, unknown>[] = []
  logTo((level, event, fields) => records.push({ level, event, ...fields }))
  return records
}

describe('what a record may hold', () => {
  afterEach(() => {
    logLevel = 'info'
  })

  it.each(SECRETS)('withholds %s, alone and within words (L1)', (secret) => {
    expect(allowed({ code: secret }).code).toBe('[withheld]')
    expect(withoutSecrets(`before ${secret} after`)).not.toContain(secret)
  })

  it.each(['Ada Lovelace', '12 Rue de la Paix', 'a@b', 'x\ny', 'é', ''])(
    'withholds %j, which is neither an id nor a code (L1)',
    (text) => {
      expect(allowed({ reason: text }).reason).toBe('[withheld]')
    },
  )

  it('lets ids pass, also one whose digits look like a card number', () => {
    const uuid = '42424242-4242-4242-9242-000000000000'

    expect(allowed({ requestId: uuid, eventId: 'evt_1Nabc', type: 'charge.failed', count: 3 })).toEqual({
      requestId: uuid,
      eventId: 'evt_1Nabc',
      type: 'charge.failed',
      count: 3,
    })
  })

  it('drops a field nobody has allowed', () => {
    const fields = { code: 'x', email: 'ada' }

    expect(allowed(fields)).toEqual({ code: 'x' })
  })

  it('tells of an error its class, its code and its places, never its message (L3)', () => {
    const error = Object.assign(new Error('canary\n    at canary (canary.ts:1:1)'), { code: 'E1' })

    const fields = errorFields(error)

    expect(fields).toMatchObject({ error: 'Error', code: 'E1' })
    expect(fields.at).toContain('log.test.ts')
    expect(JSON.stringify(fields)).not.toContain('canary')
  })

  it('knows a card number by its check digit', () => {
    expect(['4242424242424242', '4242424242424241', '5555 5555 5555 4444'].map(isCardNumber)).toEqual([
      true,
      false,
      true,
    ])
  })
})

describe('a record', () => {
  it('names the request and the person without being told (L5)', async () => {
    const records = written()

    await inRequest('id-of-request', async () => {
      noteActor('id-of-person')
      await Promise.resolve()
      log.info('happened', { count: 1 })
    })

    expect(records).toEqual([
      { level: 'info', event: 'happened', requestId: 'id-of-request', actorId: 'id-of-person', count: 1 },
    ])
  })

  it('of a security event is written at every level but silent (L6)', () => {
    const records = written()
    for (const level of ['error', 'silent']) {
      logLevel = level
      log.info('quiet')
      log.security('refused')
    }

    expect(records).toEqual([{ level: 'info', event: 'refused', category: 'security' }])
  })
})

describe('the look at all that servers wrote during a run', () => {
  const record = '{"level":"info","time":"2026-11-25T10:00:00.000Z","event":"x","code":"y"}'

  it.each([
    'Error: something',
    '    at x (y.js:1:1)',
    record.replace('T10', ' 10'),
    record.replace('"y"', '"4242424242424242"'),
    record.replace('"y"', '"sk_test_51Habcdefgh"'),
    record.replace('"y"', '"ada@example.test"'),
  ])('sees that %j should not be there (L1, L5)', (line) => {
    expect(() => assertClean([record, '▲ Next.js 16.4.6', line])).toThrow()
  })

  it('finds nothing in records and in the banner', () => {
    assertClean([record, '▲ Next.js 16.4.6', ' ✓ Ready in 100ms'.trim(), ''])
  })
})
