import 'server-only'
import postgres from 'postgres'
import { env } from '../env'
import { AppError } from '../errors'
import { log } from '../log'
import { beforeExit } from '../process/drain'
import { processWide } from '../process-wide'
import { currentRequest, readRequestId } from '../request-context'

const CONNECT_TIMEOUT_SECONDS = 3
/** The server gives up a statement after this long, unless it is told another limit: as the role's settings say. */
const STATEMENT_LIMIT_MS = 4_000
/** Each try is bounded by its limit and this much more, also when the server never answers. */
const CALL_GRACE_MS = 500
/** Sent before this, a call that is not answered by its deadline has outlived the server's own limit: nobody is there. */
const EARLY_MS = 300
const MAX_TRIES = 3
/** After many connections were cut at once, the library by itself would wait for up to 20 s before it makes new ones. */
const RECONNECT_SECONDS = 0.1

const shared = processWide('database', () => ({ pool: undefined as postgres.Sql | undefined }))

/** One pool a process. Signed in as payments_service, which may call the functions in `service` and nothing else. */
function connection(): postgres.Sql {
  if (shared.pool) return shared.pool
  beforeExit(closeDatabase)
  shared.pool = postgres(env().databaseUrl, {
    max: 10,
    // A transaction pooler hands every transaction another session: prepared statements would not be there.
    prepare: false,
    connect_timeout: CONNECT_TIMEOUT_SECONDS,
    backoff: () => RECONNECT_SECONDS,
    idle_timeout: 60,
    max_lifetime: 60 * 30,
    connection: { application_name: 'paywright' },
    onnotice: () => {},
  })
  return shared.pool
}

export type Argument = string | number | boolean | Date | null | { json: unknown }

/**
 * Call one function of schema `service`: one atomic phase. Serialisation failures and deadlocks are tried again, with
 * jitter, three times in all.
 * @param limitMs for jobs that nobody's page waits for: how long it may take
 * @throws AppError unavailable when the database cannot be reached, is out of connections or does not answer in time.
 * @throws postgres.PostgresError for what the function itself raised; see databaseCode().
 */
export async function callService<Result = unknown>(
  name: string,
  args: Record<string, Argument>,
  { limitMs = STATEMENT_LIMIT_MS }: { limitMs?: number } = {},
): Promise<Result> {
  for (let tryNumber = 1; ; tryNumber++) {
    try {
      return await callOnce<Result>(name, args, limitMs)
    } catch (error) {
      const code = databaseCode(error)
      const isCollision = code === '40001' || code === '40P01'
      if (isCollision && tryNumber < MAX_TRIES) {
        await new Promise((resolve) => setTimeout(resolve, 20 * tryNumber + Math.random() * 40))
      } else if (isCollision || isOutage(error)) {
        log.warn('database_call_failed', { name, cause: outageCode(error) })
        throw new AppError('unavailable', { cause: error, retryAfterSeconds: 5 })
      } else {
        throw error
      }
    }
  }
}

/** The SQLSTATE a function raised, or null when the error is no answer of the database. */
export function databaseCode(error: unknown): string | null {
  return error instanceof postgres.PostgresError ? error.code : null
}

/** The detail a function raised an error with, or null. */
export function databaseDetail(error: unknown): string | null {
  return error instanceof postgres.PostgresError ? (error.detail ?? null) : null
}

/** The server gave up a statement for taking too long. */
export function isStatementTimeout(error: unknown): boolean {
  return databaseCode(error) === '57014'
}

/** Close the pool, letting running calls finish. */
export async function closeDatabase(): Promise<void> {
  const closing = shared.pool
  shared.pool = undefined
  await closing?.end({ timeout: 5 })
}

/** The database has not answered in time, or no connection was free for as long. */
class DeadlineError extends Error {}

async function callOnce<Result>(
  name: string,
  args: Record<string, Argument>,
  limitMs: number,
): Promise<Result> {
  const sql = connection()
  const names = Object.keys(args)
  const values = Object.values(args).map((value) =>
    value !== null && typeof value === 'object' && 'json' in value
      ? sql.json(value.json as postgres.JSONValue)
      : value,
  )
  const list = names.map((argument, index) => `${argument} => $${index + 1}`).join(', ')
  const text = `select service.${name}(${list}) as result${comment()}`
  const query =
    limitMs === STATEMENT_LIMIT_MS ? sql.unsafe(text, values) : patient(sql, text, values, limitMs)

  const timers: NodeJS.Timeout[] = []
  const deadline = new Promise<never>((_, reject) => {
    let wasSentEarly = false
    timers.push(setTimeout(() => (wasSentEarly = wasSent(query)), EARLY_MS))
    timers.push(
      setTimeout(() => {
        reject(new DeadlineError())
        if (wasSentEarly) retire(sql)
        else giveUp(query)
      }, limitMs + CALL_GRACE_MS),
    )
  })
  try {
    const [row] = await Promise.race([query, deadline])
    return row?.result as Result
  } finally {
    timers.forEach(clearTimeout)
  }
}

/** With a limit of its own for the server, too. Whoever is frozen before the commit keeps its locks for moments. */
function patient(
  sql: postgres.Sql,
  text: string,
  values: postgres.ParameterOrJSON<never>[],
  limitMs: number,
) {
  return sql.begin(async (transaction) => {
    const limit = Math.trunc(limitMs)
    await transaction.unsafe(
      `set local statement_timeout = ${limit}; set local idle_in_transaction_session_timeout = ${STATEMENT_LIMIT_MS}`,
    )
    return await transaction.unsafe(text, values)
  })
}

/** The database's list of what is running, and its log of what was slow, then name the request. */
function comment(): string {
  const requestId = readRequestId(currentRequest()?.requestId)
  return requestId ? ` /* request ${requestId} */` : ''
}

/** Or whether it still waits for one of ten connections. Of a patient call that cannot be told. */
function wasSent(query: object): boolean {
  return !('state' in query) || query.state !== null
}

/** A call that waited most of its time for a busy connection: nothing is wrong with those, and others are using them. */
function giveUp(query: object): void {
  if ('cancel' in query && typeof query.cancel === 'function') Promise.resolve(query.cancel()).catch(() => {})
}

/**
 * A pool with a call that was never answered holds a connection that may be dead without knowing it: drop it whole, and
 * let the next call open new ones. Calls on its other connections may finish: each has its own deadline.
 */
function retire(used: postgres.Sql): void {
  if (shared.pool === used) shared.pool = undefined
  used.end({ timeout: (STATEMENT_LIMIT_MS + CALL_GRACE_MS) / 1000 }).catch(() => {})
}

/** Connection refused, reset or timed out; too many connections (53); shutting down (57P); lock or statement timeout. */
function isOutage(error: unknown): boolean {
  if (error instanceof DeadlineError) return true
  const code = databaseCode(error)
  if (code !== null) return /^(08|53|57P|57014|55P03)/.test(code)
  return /^(ECONN|ETIMEDOUT|EPIPE|EHOST|ENET|ENOTFOUND|EAI_AGAIN|CONNECT|CONNECTION_)/.test(
    networkCode(error),
  )
}

function outageCode(error: unknown): string {
  if (error instanceof DeadlineError) return 'deadline'
  return databaseCode(error) ?? networkCode(error)
}

function networkCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
