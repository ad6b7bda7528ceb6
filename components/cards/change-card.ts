const DEADLINE_MS = 20_000
const NO_ANSWER = 'We had no answer. Load the page again to see how it stands.'

type ErrorBody = { error?: { message?: string } }

/** Ask the server for a change of one card. Answers with what went wrong, in words, or null. */
export async function changeCard(id: string, kind: 'default' | 'remove'): Promise<string | null> {
  const address = `/api/payment-methods/${encodeURIComponent(id)}`
  try {
    const response = await fetch(kind === 'remove' ? address : `${address}/default`, {
      method: kind === 'remove' ? 'DELETE' : 'PUT',
      signal: AbortSignal.timeout(DEADLINE_MS),
    })
    // Signed out meanwhile: the page itself knows the way to sign in and back.
    if (response.status === 401) window.location.reload()
    // Gone already, by another tab or at Stripe: the page has only to be drawn anew.
    if (response.ok || response.status === 404) return null
    const body: ErrorBody = await response.json()
    return body.error?.message ?? NO_ANSWER
  } catch {
    return NO_ANSWER
  }
}
