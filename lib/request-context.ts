import { AsyncLocalStorage } from 'node:async_hooks'
import { processWide } from './process-wide'

/** What every log record of a request says by itself, whichever layer writes it. */
export type RequestContext = {
  requestId: string
  /** Who asks: the person's id, once it is known. */
  actorId?: string
  /** The Stripe event that is being applied. */
  eventId?: string
}

const contexts = processWide('request', () => new AsyncLocalStorage<RequestContext>())

export function currentRequest(): RequestContext | undefined {
  return contexts.getStore()
}

/** Do `work` as part of the request that is going on, or of a new one with this id where none is known. */
export function inRequest<Result>(requestId: string, work: (requestId: string) => Result): Result {
  const current = contexts.getStore()
  return current ? work(current.requestId) : contexts.run({ requestId }, () => work(requestId))
}

/** For the rest of what runs from here: each request of a server starts with this. */
export function enterRequest(requestId: string): void {
  contexts.enterWith({ requestId })
}

/** From here on every record of this request names the person. */
export function noteActor(actorId: string): void {
  const current = contexts.getStore()
  if (current) current.actorId = actorId
}

/** Do `work` with every record naming this event. */
export function forEvent<Result>(eventId: string, work: () => Result): Result {
  const current = contexts.getStore()
  return contexts.run({ ...(current ?? { requestId: crypto.randomUUID() }), eventId }, work)
}

/** An id as we give them, or null: what a header says may be anything. */
export function readRequestId(given: string | null | undefined): string | null {
  return given && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(given) ? given : null
}
