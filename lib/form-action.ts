import 'server-only'
import { headers } from 'next/headers'
import { unstable_rethrow } from 'next/navigation'
import type { z } from 'zod'
import { findUser } from './auth/session'
import { holdsCardNumberDeep } from './edge/card-number'
import { clientAddress } from './edge/client-address'
import { readNotes } from './edge/gate-notes'
import { LIMITS } from './edge/limits'
import { ACTIONS, type ActionName, type ActionRule } from './edge/route-table'
import type { Taken } from './edge/take-limits'
import { env } from './env'
import { AppError, isAppError } from './errors'
import type { FormState } from './form-state'
import { requireSameOrigin } from './http'
import { logFailure } from './log-failure'
import { doWithoutRedis } from './redis/client'
import { inRequest, readRequestId } from './request-context'
import { takeFromLimits } from './take-from-limits'

/**
 * Wrap what a form does into a server action: the Origin is checked (Next lets a missing one pass), the fields are parsed
 * strictly, the limits of the route table are taken, an AppError becomes words beside the form, anything else a bare message
 * and a request id.
 * @param name the name it is exported under: its row in the route table
 */
export function formAction<Input>(
  name: ActionName,
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
    let taken: Taken | undefined
    return await inRequest(newId, async (requestId) => {
      try {
        requireSameOrigin({ headers: requestHeaders })
        if ([...data.keys()].length !== new Set(data.keys()).size) throw new AppError('bad_request')
        if (Object.values(fields).some(holdsCardNumberDeep)) throw new AppError('card_number_refused')
        const parsed = schema.safeParse(fields)
        if (!parsed.success) return { status: 'error', fieldErrors: firstByField(parsed.error), values }
        taken = await takeActionLimits(name, requestHeaders, fields.email)
        const state = (await act(parsed.data)) ?? { status: 'done' as const }
        await taken.giveBack()
        return state
      } catch (error) {
        await rethrowNavigation(error, taken)
        const known = isAppError(error) ? error : new AppError('internal')
        // What is our own fault does not use up anybody's attempts.
        if (known.status >= 500) await taken?.giveBack()
        logFailure('action', known, error)
        // A wrong password is nothing to look up; a fault of ours is.
        return {
          status: 'error',
          message: known.message,
          // What must not have been sent is not sent back.
          ...(known.code !== 'card_number_refused' && { values }),
          ...(known.status >= 500 && { requestId }),
          ...(known.status === 410 && { isOver: true }),
        }
      }
    })
  }
}

/** A form that asks nothing but to be sent: a button. */
export function buttonAction(name: ActionName, act: () => Promise<void>) {
  return async (): Promise<void> => {
    const requestHeaders = await headers()
    requireSameOrigin({ headers: requestHeaders })
    await takeActionLimits(name, requestHeaders)
    await act()
  }
}

/** @throws AppError too_many_requests; unavailable */
async function takeActionLimits(name: ActionName, requestHeaders: Headers, email?: string): Promise<Taken> {
  const { limits, outage }: ActionRule = ACTIONS[name]
  const { isAway } = readNotes(requestHeaders)
  if (isAway) doWithoutRedis()
  const countsPeople = limits.some((limit) => LIMITS[limit].by === 'person')
  const person = countsPeople ? (await findUser())?.id : undefined
  const subject = {
    address: clientAddress(requestHeaders, env().trustedProxyHops),
    ...(person !== undefined && { person }),
    ...(email !== undefined && { account: email }),
  }
  return await takeFromLimits(limits, subject, { outage })
}

/** A redirect is an error to Next, and to us how an action ends well. */
async function rethrowNavigation(error: unknown, taken: Taken | undefined): Promise<void> {
  try {
    unstable_rethrow(error)
  } catch (navigation) {
    await taken?.giveBack()
    throw navigation
  }
}

function firstByField(error: z.ZodError): Record<string, string> {
  const messages: Record<string, string> = {}
  for (const issue of error.issues) messages[String(issue.path[0] ?? 'form')] ??= issue.message
  return messages
}
