import 'server-only'
import { findUser } from './auth/session'
import { clientAddress } from './edge/client-address'
import { corsHeaders } from './edge/cors'
import { findHandlerRule } from './edge/find-rule'
import { readNotes } from './edge/gate-notes'
import { LIMITS, type LimitName } from './edge/limits'
import { rateLimitHeaders } from './edge/rate-limit-headers'
import type { HandlerRule } from './edge/route-table'
import { isFromUs } from './edge/same-origin'
import { type Subject, type Taken, takeLimits } from './edge/take-limits'
import { env } from './env'
import { AppError } from './errors'
import { doWithoutRedis } from './redis/client'

/**
 * What the route table asks of a request before its handler runs. `pass` throws what refuses it; `finish` writes on any
 * answer, a refusal too, how the limits stand and who may read it.
 */
export type Gate = { rule: HandlerRule; pass(): Promise<void>; finish(response: Response): Response }

/** @throws AppError not_found for an address that the table does not list: nobody has said who may call it */
export function gateOf(request: Request): Gate {
  const { pathname } = new URL(request.url)
  const rule = findHandlerRule(request.method, pathname)
  if (!rule) throw new AppError('not_found')
  let headers: Record<string, string> = {}
  return {
    rule,
    pass: async () => {
      const listed = rule.cors ? env().allowedOrigins : []
      if (rule.csrf === 'origin' && !isFromUs(request.headers, env().appOrigin, listed))
        throw new AppError('foreign_origin')
      const notes = rule.middleware ? readNotes(request.headers) : { isAway: false, standings: {} }
      headers = notes.standings
      if (notes.isAway) doWithoutRedis()
      const taken = await takeLimits(limitsLeft(rule), await subjectOf(request, rule), rule.outage)
      headers = joined(headers, rateLimitHeaders(taken.standings))
      refuse(taken)
    },
    finish: (response) => {
      const all = {
        'cache-control': rule.cache,
        ...headers,
        ...corsHeaders(request, pathname, env().allowedOrigins),
      }
      for (const [name, value] of Object.entries(all)) response.headers.set(name, value)
      return response
    },
  }
}

/** Where middleware.ts has been, addresses are counted already. */
function limitsLeft(rule: HandlerRule): readonly LimitName[] {
  return rule.middleware ? rule.limits.filter((name) => LIMITS[name].by !== 'address') : rule.limits
}

/** A person is somebody with a valid token here: whether the session has been ended meanwhile is for the handler. */
async function subjectOf(request: Request, rule: HandlerRule): Promise<Subject> {
  const counts = new Set(limitsLeft(rule).map((name) => LIMITS[name].by as string))
  const person = counts.has('person') ? (await findUser())?.id : undefined
  const token = request.headers.get('authorization')
  return {
    address: clientAddress(request.headers, env().trustedProxyHops),
    ...(person !== undefined && { person }),
    ...(token !== null && { token }),
  }
}

function refuse({ outcome, retryAfterSeconds }: Taken): void {
  if (outcome === 'refused') throw new AppError('too_many_requests', { retryAfterSeconds })
  if (outcome === 'closed') throw new AppError('unavailable', { retryAfterSeconds })
}

function joined(first: Record<string, string>, second: Record<string, string>): Record<string, string> {
  const names = new Set([...Object.keys(first), ...Object.keys(second)])
  return Object.fromEntries(
    [...names].map((name) => [
      name,
      [first[name], second[name]].filter((part) => part !== undefined).join(', '),
    ]),
  )
}
