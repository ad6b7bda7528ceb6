const DEADLINE_MS = 6_000

/**
 * What lets Stripe's fields offer the person's saved cards; null where there are none, or no answer: a card can be entered
 * without.
 */
export async function startCardChoice(): Promise<string | null> {
  try {
    const response = await fetch('/api/payment-methods/sessions', {
      method: 'POST',
      signal: AbortSignal.timeout(DEADLINE_MS),
    })
    if (!response.ok) return null
    const { clientSecret }: { clientSecret: string | null } = await response.json()
    return clientSecret
  } catch {
    return null
  }
}
