import type { FormState } from '@/lib/form-state'

/**
 * Sign in, and go where `next` leads by loading it anew: nothing that was shown to nobody, or to somebody else, is kept.
 * A password that was wrong is nothing to look up; a fault of ours is, by its request id.
 */
export async function sendSignIn(_previous: FormState, data: FormData): Promise<FormState> {
  const { email = '', password = '', next } = Object.fromEntries(data) as Record<string, string>
  const values = { email }
  const fieldErrors = missing(email, password)
  if (fieldErrors) return { status: 'error', fieldErrors, values }
  try {
    const response = await fetch('/api/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, password, next }),
    })
    const answer = (await response.json()) as Answer
    if ('next' in answer) {
      window.location.assign(answer.next)
      // The form stays busy until the next page is there.
      return await new Promise<never>(() => {})
    }
    const { message, requestId } = answer.error
    return { status: 'error', message, values, ...(response.status >= 500 && { requestId }) }
  } catch {
    return { status: 'error', message: 'We could not be reached. Please try again.', values }
  }
}

type Answer = { next: string } | { error: { message: string; requestId: string } }

function missing(email: string, password: string): Record<string, string> | null {
  if (!/^\S+@\S+\.\S+$/.test(email.trim())) return { email: 'Enter an e-mail address like name@example.com.' }
  return password === '' ? { password: 'Enter your password.' } : null
}
