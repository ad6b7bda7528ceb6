import { type Context, Hono } from 'hono'
import { hidingError, playAfter, playBefore } from '../chaos/api-faults.ts'
import { type Fault, findFault } from '../chaos/faults.ts'
import { type Rule, readChaosHeader } from '../chaos/rules.ts'
import { API_VERSION } from '../config.ts'
import type { StripeContext } from '../context.ts'
import { expand } from '../core/expand.ts'
import { newId } from '../core/ids.ts'
import type { ObservedResponse } from '../observer.ts'
import { assertSecretKey, authenticate, type KeyKind } from './authenticate.ts'
import type { Call } from './call.ts'
import { StripeError, unknownRoute } from './errors.ts'
import { assertFormType, decodeForm, type FormFields } from './form.ts'
import { assertOwnHost, assertOwnOrigin } from './guard.ts'
import { claimKey, releaseKey, requestFingerprint, type SavedAnswer, saveAnswer } from './idempotency.ts'
import { explainUnknownParameter } from './known-parameters.ts'
import type { Operation, PathIds } from './operation.ts'
import { list, type Params, type ReadParams, readParams, word } from './params.ts'
import { present, presentError } from './present.ts'

const EXPAND = { expand: list(word(), { max: 20 }) }

/** A request that passed every check that needs no state. */
type Admitted = {
  operation: Operation
  requestId: string
  idempotencyKey: string | null
  fingerprint: string
  key: KeyKind
  params: ReadParams<Params>
  expandPaths: string[]
  ids: PathIds
  wishes: Rule[]
}

/** The API under `/v1`. Anything that is not an operation is refused in Stripe's own error shape (stripe.R7). */
export function apiRoutes(context: StripeContext, operations: Operation[]): Hono {
  const app = new Hono()
  for (const operation of operations) {
    app.on(operation.method, operation.path, (c) => respond(context, c, operation))
  }
  app.all('/v1/*', (c) => respond(context, c, null))
  app.all('/v2/*', (c) => respond(context, c, null))
  return app
}

async function respond(context: StripeContext, c: Context, operation: Operation | null): Promise<Response> {
  const requestId = newId('request')
  try {
    assertOwnHost(c.req.header('host'))
    assertOwnOrigin(context.config, c.req.header('origin'))
    if (!operation || c.req.param('id') === 'search') throw unknownRoute(c.req.method, c.req.path)
    const admitted = admit(context, c, operation, requestId, await c.req.text())
    return await runWithFaults(context, c, admitted)
  } catch (error) {
    const answer = errorAnswer(context, error, requestId, 'publishable')
    observe(context, { method: c.req.method, path: operation?.path ?? null, key: 'publishable' }, answer)
    return jsonResponse(answer)
  }
}

/** Everything that can be said about a request by looking at it alone. @throws StripeError */
function admit(
  { store, config }: StripeContext,
  c: Context,
  operation: Operation,
  requestId: string,
  body: string,
): Admitted {
  assertFormType(c.req.header('content-type'), body)
  const query = new URL(c.req.url).search.slice(1)
  const fields = decodeForm([query, body].filter(Boolean).join('&'))
  const key = authenticate(config, c.req.header('authorization'), fields)
  if (!operation.publishable) assertSecretKey(key)
  assertVersion(c.req.header('stripe-version'))

  const idempotencyKey = operation.method === 'POST' ? c.req.header('idempotency-key') || null : null
  const fingerprint = requestFingerprint(store.salt, {
    method: c.req.method,
    path: c.req.path,
    caller: key,
    fields,
  })
  const { expand: expandPaths, ...params } = readKnownParams(operation, fields)
  return {
    operation,
    requestId,
    idempotencyKey,
    fingerprint,
    key,
    params,
    expandPaths: expandPaths ?? [],
    ids: { id: c.req.param('id') ?? '', child: c.req.param('child') ?? '' },
    wishes: readChaosHeader(c.req.header('x-local-chaos')),
  }
}

function readKnownParams(operation: Operation, fields: FormFields) {
  try {
    return readParams({ ...operation.params, ...EXPAND }, fields)
  } catch (error) {
    throw explainUnknownParameter(error, operation)
  }
}

/** Around the call itself: what is to go wrong before it, and with its answer. Usually nothing. */
async function runWithFaults(context: StripeContext, c: Context, admitted: Admitted): Promise<Response> {
  const { store, jobs } = context
  const { method, path } = c.req
  const subject = `${method} ${path} ${admitted.requestId}`
  const faults = store.chaos.decide({ point: 'request', method, path, subject }, admitted.wishes)
  const instead = await playBefore(faults, c)
  if (instead) return instead
  const answer = await run(context, admitted, faults)
  const jump = findFault(faults, 'domain.clockJump')
  if (jump) jobs.advance(jump.seconds * 1000)
  return playAfter(faults, c, store, admitted.requestId, answer)
}

async function run(context: StripeContext, admitted: Admitted, faults: Fault[]): Promise<Response> {
  const { store, config } = context
  const { idempotencyKey, requestId, key, operation } = admitted

  if (idempotencyKey) {
    const { saved } = claimKey(store, idempotencyKey, admitted.fingerprint)
    if (saved) return replay(saved, idempotencyKey, requestId)
  }
  let answer: SavedAnswer
  try {
    await config.beforeExecution({ method: operation.method, path: operation.path, requestId })
    answer = execute(context, admitted)
  } catch (error) {
    answer = errorAnswer(context, error, requestId, key)
    if (idempotencyKey) {
      const began = !(error instanceof StripeError && error.beforeExecution)
      if (began) saveAnswer(store, idempotencyKey, answer)
      else releaseKey(store, idempotencyKey)
    }
  }
  if (findFault(faults, 'after.error500')) {
    answer = hidingError(requestId)
    if (idempotencyKey) saveAnswer(store, idempotencyKey, answer)
  }
  const { contract = operation } = operation
  if (contract) observe(context, { method: contract.method, path: contract.path, key }, answer)
  return jsonResponse(answer, idempotencyKey ? { 'Idempotency-Key': idempotencyKey } : {})
}

function observe(
  { config }: StripeContext,
  request: Pick<ObservedResponse, 'method' | 'path' | 'key'>,
  { status, body }: SavedAnswer,
): void {
  config.observer?.response({ ...request, status, body })
}

/** One transaction: the change, its events, and the answer kept under the idempotency key. */
function execute({ store }: StripeContext, admitted: Admitted): SavedAnswer {
  const { operation, requestId, idempotencyKey, key, params, ids, expandPaths } = admitted
  const call: Call = { store, cause: { requestId, idempotencyKey }, key, wishes: admitted.wishes }
  const render = (object: Record<string, unknown>) => present(object, key)
  return store.transaction(() => {
    const answer = answerOrDecline(
      () =>
        expand(
          store,
          render(operation.handle(call, params, ids) as Record<string, unknown>),
          expandPaths,
          render,
        ),
      requestId,
      key,
    )
    if (idempotencyKey) saveAnswer(store, idempotencyKey, answer)
    return answer
  })
}

/** A declined card is an error to the caller and yet a change that stays. */
function answerOrDecline(work: () => unknown, requestId: string, key: KeyKind): SavedAnswer {
  try {
    return { status: 200, body: JSON.stringify(work(), null, 2), requestId }
  } catch (error) {
    if (!(error instanceof StripeError) || !error.keepsChanges) throw error
    return { status: error.status, body: errorBody(error, key), requestId }
  }
}

function errorAnswer(
  { config }: StripeContext,
  error: unknown,
  requestId: string,
  key: KeyKind,
): SavedAnswer {
  if (error instanceof StripeError) return { status: error.status, body: errorBody(error, key), requestId }
  config.log(`${requestId} failed: ${error instanceof Error ? error.stack : 'unknown error'}`)
  const unexpected = new StripeError(500, {
    type: 'api_error',
    message: `An unknown error occurred in the local stand-in (request ${requestId}).`,
  })
  return { status: 500, body: errorBody(unexpected, key), requestId }
}

function errorBody(error: StripeError, key: KeyKind): string {
  return JSON.stringify({ error: presentError(error.body, key) }, null, 2)
}

function replay(saved: SavedAnswer, key: string, requestId: string): Response {
  return jsonResponse(
    { ...saved, requestId },
    { 'Idempotency-Key': key, 'Idempotent-Replayed': 'true', 'Original-Request': saved.requestId },
  )
}

function jsonResponse(
  { status, body, requestId }: SavedAnswer,
  headers: Record<string, string> = {},
): Response {
  return new Response(body, {
    status,
    headers: {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
      'Request-Id': requestId,
      'Stripe-Version': API_VERSION,
      ...headers,
    },
  })
}

function assertVersion(version: string | undefined): void {
  if (version === undefined || version === API_VERSION) return
  throw new StripeError(
    400,
    {
      type: 'invalid_request_error',
      message: `local stand-in: only API version ${API_VERSION} is available, not ${version.slice(0, 40)}`,
    },
    { beforeExecution: true },
  )
}
