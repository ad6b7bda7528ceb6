/**
 * Waits until the app says a payment could be made.
 * @throws Error when it does not become ready in time; the text is the last answer's, which names no secret.
 */
export async function waitUntilReady(
  origin: string,
  timeoutMs: number,
  stopped?: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  let last = 'no answer'
  while (Date.now() < deadline) {
    stopped?.throwIfAborted()
    try {
      const response = await fetch(new URL('/api/health', origin), { signal: AbortSignal.timeout(30_000) })
      const text = await response.text()
      if (response.ok) return
      last = `${response.status} ${text.slice(0, 300)}`
    } catch {
      last = 'no answer'
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error(
    `${origin} was not ready after ${Math.round(timeoutMs / 1000)} s (last answer of /api/health: ${last})`,
  )
}
