/** Longest life of a session cookie; @supabase/ssr asks for 400 days. */
const MAX_AGE_SECONDS = 12 * 60 * 60

/**
 * The session cookie's name and flags. On https the `__Host-` prefix binds it to this very host; browsers differ on
 * whether they take that over plain http on localhost, so there it goes without.
 */
export function sessionCookie({ isHttps }: { isHttps: boolean }) {
  return {
    cookieOptions: {
      name: isHttps ? '__Host-session' : 'session',
      httpOnly: true,
      secure: isHttps,
      sameSite: 'lax' as const,
      path: '/',
    },
  }
}

/** A cookie lives as long as asked for, but never longer than a session of ours. A clearing cookie keeps its zero. */
export function sessionLifetime(maxAge: number | undefined): { maxAge: number } {
  return { maxAge: Math.min(maxAge ?? MAX_AGE_SECONDS, MAX_AGE_SECONDS) }
}
