import { describe, expect, it } from 'vitest'
import { readSession, sessionChanges } from '@/lib/edge/session-cookie'
import { hasLapsed, proofTimes } from '@/lib/edge/session-lifetime'

const MINUTE = 60_000
const now = Date.parse('2026-11-25T12:00:00Z')
const seconds = (minutesAgo: number) => (now - minutesAgo * MINUTE) / 1000

describe('a session by its token', () => {
  it('is over half an hour after the token was issued, to the second (A4)', () => {
    const amr = [{ method: 'password', timestamp: seconds(60) }]

    expect(hasLapsed({ iat: seconds(30), amr }, now)).toBe(false)
    expect(hasLapsed({ iat: seconds(30) - 1, amr }, now)).toBe(true)
  })

  it('is over twelve hours after the first proof, whatever came later (A4)', () => {
    const began = (minutesAgo: number) => [
      { method: 'otp', timestamp: seconds(1) },
      { method: 'password', timestamp: seconds(minutesAgo) },
    ]

    expect(hasLapsed({ iat: seconds(0), amr: began(12 * 60) }, now)).toBe(false)
    expect(hasLapsed({ iat: seconds(0), amr: began(12 * 60 + 1) }, now)).toBe(true)
  })

  it('is over when it names no proof, or only that it was renewed (A4)', () => {
    expect(hasLapsed({ iat: seconds(0), amr: [] }, now)).toBe(true)
    expect(
      hasLapsed({ iat: seconds(0), amr: [{ method: 'token_refresh', timestamp: seconds(0) }] }, now),
    ).toBe(true)
  })

  it('takes no renewal for a proof of who somebody is', () => {
    const amr = [
      { method: 'token_refresh', timestamp: seconds(0) },
      { method: 'password', timestamp: seconds(20) },
    ]

    expect(proofTimes({ iat: seconds(0), amr }).lastAt).toBe(now - 20 * MINUTE)
  })
})

describe('the session cookie', () => {
  const session = {
    access_token: 'a'.repeat(5_000),
    refresh_token: 'r',
    token_type: 'bearer',
    expires_in: 600,
    expires_at: 1,
  }
  const https = { isHttps: true }

  it('is read back as it was written, in pieces when it is long', () => {
    const pieces = sessionChanges([], session, https)

    expect(pieces.map(({ name }) => name)).toEqual([
      '__Host-session.0',
      '__Host-session.1',
      '__Host-session.2',
    ])
    expect(readSession(pieces, '__Host-session')).toEqual(session)
  })

  it('takes the place of whatever was there, other pieces included (A11)', () => {
    const present = ['__Host-session.0', '__Host-session.4', '__Host-session-code-verifier', 'theme'].map(
      (name) => ({
        name,
        value: 'x',
      }),
    )

    const changes = sessionChanges(present, { ...session, access_token: 'short' }, https)

    expect(changes.map(({ name, flags }) => [name, flags.maxAge])).toEqual([
      ['__Host-session.0', 0],
      ['__Host-session.4', 0],
      ['__Host-session-code-verifier', 0],
      ['__Host-session', 43_200],
    ])
  })

  it.each(['', 'garbage', 'base64-', 'base64-e30', `base64-${btoa('{"access_token":1}')}`])(
    'that says %j is none',
    (value) => {
      expect(readSession([{ name: 'session', value }], 'session')).toBeNull()
    },
  )
})
