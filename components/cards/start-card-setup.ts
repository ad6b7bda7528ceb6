const DEADLINE_MS = 20_000
const NO_ANSWER = 'We had no answer. Nothing was charged; please press the button again.'

type Answer = { clientSecret?: string; error?: { code?: string; message?: string } }

/** `isOver`: nothing comes of this key any more. */
type Problem = { problem: string; isOver?: boolean }

/** Tell the server that the person agrees, and get what Stripe's fields need. The same key gets the same again. */
export async function startCardSetup(
  consent: string,
  key: string,
): Promise<{ clientSecret: string } | Problem> {
  try {
    const response = await fetch('/api/payment-methods', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify({ consent }),
      signal: AbortSignal.timeout(DEADLINE_MS),
    })
    if (response.status === 401) window.location.reload()
    const { clientSecret, error }: Answer = await response.json()
    if (response.ok && clientSecret) return { clientSecret }
    return {
      problem: response.status < 500 && error?.message ? error.message : NO_ANSWER,
      isOver: error?.code === 'too_many_card_failures',
    }
  } catch {
    return { problem: NO_ANSWER }
  }
}
