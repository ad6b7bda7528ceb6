import { beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'

const ORIGIN = 'https://pay.example.com'
const request = vi.hoisted(() => ({ headers: new Headers() }))
const redis = vi.hoisted(() => ({ given: [] as string[], back: 0 }))

vi.mock('next/headers', () => ({ headers: async () => request.headers }))
vi.mock('@/lib/env', () => ({ env: () => ({ appOrigin: ORIGIN, trustedProxyHops: 0, logLevel: 'silent' }) }))
vi.mock('@/lib/auth/session', () => ({ findUser: async () => null }))
vi.mock('@/lib/take-from-limits', () => ({
  takeFromLimits: async (names: string[]) => {
    redis.given.push(...names)
    return { giveBack: async () => void redis.back++ }
  },
}))

const { buttonAction, formAction } = await import('@/lib/form-action')
const { AppError } = await import('@/lib/errors')
const idle = { status: 'idle' as const }

/** An action by itself, without middleware before it. */
describe('a server action', () => {
  const act = vi.fn(async () => {})
  const action = formAction(
    'requestPasswordResetAction',
    z.strictObject({ email: z.string(), note: z.string().optional() }),
    act,
  )
  const send = (fields: [string, string][]) => {
    const data = new FormData()
    for (const [name, value] of fields) data.append(name, value)
    return action(idle, data)
  }

  beforeEach(() => {
    act.mockReset()
    redis.given = []
    redis.back = 0
    request.headers = new Headers({ origin: ORIGIN })
  })

  it.each([
    ['no Origin', {}],
    ['a null Origin', { origin: 'null' }],
    ['a foreign Origin', { origin: 'https://evil.example' }],
    ['our Origin with more behind it', { origin: `${ORIGIN}.evil.example` }],
    ['another site', { origin: ORIGIN, 'sec-fetch-site': 'cross-site' }],
    [
      'a forged host',
      { origin: 'https://evil.example', host: 'evil.example', 'x-forwarded-host': 'evil.example' },
    ],
  ])('does nothing for %s [H7]', async (_what, headers) => {
    request.headers = new Headers(headers as Record<string, string>)

    expect(await send([['email', 'a@example.com']])).toMatchObject({ status: 'error' })
    await expect(buttonAction('signOutAction', act)()).rejects.toThrow('did not come from this site')
    expect(act).not.toHaveBeenCalled()
  })

  it.each(['id', 'user_id', 'status', 'amount', 'role', '__proto__', 'constructor'])(
    'does nothing for a form with a field %s [Z13]',
    async (name) => {
      expect(
        (
          await send([
            ['email', 'a@example.com'],
            [name, 'x'],
          ])
        ).status,
      ).toBe('error')
      expect(act).not.toHaveBeenCalled()
    },
  )

  it('does nothing for a form that names a field twice [H17]', async () => {
    const state = await send([
      ['email', 'a@example.com'],
      ['email', 'b@example.com'],
    ])

    expect(state.status).toBe('error')
    expect(act).not.toHaveBeenCalled()
  })

  it('does nothing for a card number, and does not send it back [L2]', async () => {
    const state = await send([
      ['email', 'a@example.com'],
      ['note', 'it is 4242 4242 4242 4242'],
    ])

    expect(state).toEqual({ status: 'error', message: new AppError('card_number_refused').message })
    expect(redis.given).toEqual([])
    expect(act).not.toHaveBeenCalled()
  })

  it('takes the limits of its row, and gives back what went well or was our own fault [F7]', async () => {
    await send([['email', 'a@example.com']])
    act.mockRejectedValueOnce(new AppError('unavailable'))
    await send([['email', 'a@example.com']])
    act.mockRejectedValueOnce(new AppError('wrong_credentials'))
    await send([['email', 'a@example.com']])

    expect(redis.given).toEqual(Array(3).fill(['recovery', 'recovery-address']).flat())
    expect(redis.back).toBe(2)
  })
})
