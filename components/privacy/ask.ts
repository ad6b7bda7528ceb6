/** Why something was refused, in words; or that the password is wanted first. */
export type Refusal = { message: string; requestId?: string } | 'confirm-password'

type ErrorBody = { error?: { code?: string; message?: string; requestId?: string } }

const UNREACHED: Refusal = { message: 'We could not be reached. Please try again.' }

/** Ask one of the addresses of this page. Never throws. */
export async function ask(path: string, body?: object): Promise<Response | Refusal> {
  try {
    const response = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    })
    if (response.ok) return response
    const { error = {} } = (await response.json()) as ErrorBody
    if (error.code === 'proof_too_old') return 'confirm-password'
    return {
      message: error.message ?? 'Something went wrong on our side.',
      ...(response.status >= 500 && error.requestId && { requestId: error.requestId }),
    }
  } catch {
    return UNREACHED
  }
}

/** Leads to the page that asks for the password, and back here. The button stays busy until it is there. */
export function goAndConfirm(): void {
  window.location.assign('/confirm-password?next=/privacy')
}
