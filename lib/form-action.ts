import 'server-only'
import { headers } from 'next/headers'
import { unstable_rethrow } from 'next/navigation'
import type { z } from 'zod'
import { AppError, isAppError } from './errors'
import type { FormState } from './form-state'
import { requireSameOrigin } from './http'
import { logFailure } from './log-failure'
import { inRequest, readRequestId } from './request-context'

/**
 * Wrap what a form does into a server action: the Origin is checked (Next lets a missing one pass), the fields are parsed
 * strictly, an AppError becomes words beside the form, anything else a bare message and a request id.
 */
export function formAction<Input>(
  schema: z.ZodType<Input>,
  act: (input: Input) => Promise<FormState> | Promise<void>,
) {
  return async (_previous: FormState, data: FormData): Promise<FormState> => {
    const requestHeaders = await headers()
    const newId = readRequestId(requestHeaders.get('x-request-id')) ?? crypto.randomUUID()
    const fields = Object.fromEntries([...data].filter(([name]) => !name.startsWith('$ACTION'))) as Record<
      string,
      string
    >
    const { password: _password, tokenHash: _tokenHash, ...values } = fields
    return await inRequest(newId, async (requestId) => {
      try {
        requireSameOrigin({ headers: requestHeaders })
        const parsed = schema.safeParse(fields)
        if (!parsed.success) return { status: 'error', fieldErrors: firstByField(parsed.error), values }
        return (await act(parsed.data)) ?? { status: 'done' }
      } catch (error) {
        unstable_rethrow(error)
        const known = isAppError(error) ? error : new AppError('internal')
        logFailure('action', known, error)
        // A wrong password is nothing to look up; a fault of ours is.
        return { status: 'error', message: known.message, values, ...(known.status >= 500 && { requestId }) }
      }
    })
  }
}

function firstByField(error: z.ZodError): Record<string, string> {
  const messages: Record<string, string> = {}
  for (const issue of error.issues) messages[String(issue.path[0] ?? 'form')] ??= issue.message
  return messages
}
