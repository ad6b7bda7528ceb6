import 'server-only'
import { createChunks, stringFromBase64URL, stringToBase64URL } from '@supabase/ssr'
import { z } from 'zod'
import { ABSOLUTE_MS } from './session-lifetime'

const PREFIX = 'base64-'

type Cookie = { name: string; value: string }
type Flags = { httpOnly: true; secure: boolean; sameSite: 'lax'; path: '/' }
type CookieChange = Cookie & { flags: Flags & { maxAge: number; expires?: Date } }

/** What the session cookie holds: tokens and their time, nothing of the person. */
export type StoredSession = z.infer<typeof StoredSession>

const StoredSession = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1),
  token_type: z.string(),
  expires_in: z.number(),
  expires_at: z.number(),
})

/**
 * The session cookie's name and flags. On https the `__Host-` prefix binds it to this very host; browsers differ on
 * whether they take that over plain http on localhost, so there it goes without.
 */
export function sessionCookie({ isHttps }: { isHttps: boolean }): {
  cookieOptions: { name: string } & Flags
} {
  const name = isHttps ? '__Host-session' : 'session'
  return { cookieOptions: { name, httpOnly: true, secure: isHttps, sameSite: 'lax', path: '/' } }
}

/**
 * A cookie lives as long as asked for, but never longer than a session of ours; @supabase/ssr asks for 400 days. A
 * clearing cookie keeps its zero.
 */
export function sessionLifetime(maxAge: number | undefined): { maxAge: number } {
  return { maxAge: Math.min(maxAge ?? Number.POSITIVE_INFINITY, ABSOLUTE_MS / 1000) }
}

/** The session that cookies hold, or null; as @supabase/ssr writes it, in one piece or several. */
export function readSession(cookies: Cookie[], name: string): StoredSession | null {
  const pieceOf = (wanted: string) => cookies.find((cookie) => cookie.name === wanted)?.value
  const pieces: string[] = []
  for (let piece = pieceOf(`${name}.0`); piece !== undefined; piece = pieceOf(`${name}.${pieces.length}`))
    pieces.push(piece)
  const value = pieceOf(name) ?? pieces.join('')
  try {
    return StoredSession.parse(JSON.parse(stringFromBase64URL(value.slice(PREFIX.length))))
  } catch {
    return null
  }
}

/** The changes that put a session, or none, in the place of whatever cookies hold now. */
export function sessionChanges(
  cookies: Cookie[],
  session: StoredSession | null,
  settings: { isHttps: boolean },
): CookieChange[] {
  const { name, ...flags } = sessionCookie(settings).cookieOptions
  const pieces = session
    ? createChunks(name, PREFIX + stringToBase64URL(JSON.stringify(StoredSession.parse(session))))
    : []
  const kept = new Set(pieces.map((piece) => piece.name))
  const dropped = cookies.filter((cookie) => isSession(cookie.name, name) && !kept.has(cookie.name))
  // Next hands cookies on to redirects without a max-age of zero.
  const gone = { ...flags, maxAge: 0, expires: new Date(0) }
  return [
    ...dropped.map((cookie) => ({ name: cookie.name, value: '', flags: gone })),
    ...pieces.map((piece) => ({ ...piece, flags: { ...flags, ...sessionLifetime(undefined) } })),
  ]
}

/** `session`, a piece of it (`session.0`), or what a sign-in leaves beside it (`session-code-verifier`). */
export function isSession(name: string, sessionName: string): boolean {
  return name === sessionName || name.startsWith(`${sessionName}.`) || name.startsWith(`${sessionName}-`)
}
