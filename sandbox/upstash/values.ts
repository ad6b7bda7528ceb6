/** A Redis error the way Redis words it, e.g. `WRONGTYPE …`. */
export class RedisError extends Error {
  override readonly name = 'RedisError'
}

export type RedisValue = string | number | null | RedisValue[]

/** What a client library gives back, as it was on the wire. */
export function fromClient(value: unknown): RedisValue {
  if (value === null || value === undefined) return null
  if (typeof value === 'number' || typeof value === 'string') return value
  if (typeof value === 'boolean') return value ? 1 : 0
  if (Array.isArray(value)) return value.map(fromClient)
  // ioredis makes an object of HGETALL; on the wire it is a flat list.
  if (typeof value === 'object')
    return Object.entries(value).flatMap(([field, item]) => [field, fromClient(item)])
  return String(value)
}

/** The rules Redis turns Lua values into replies by: true is 1, false is nil, numbers lose their fraction. */
export function fromLua(value: unknown): RedisValue {
  if (value === false) return null
  if (typeof value === 'number') return Math.trunc(value)
  if (Array.isArray(value)) return value.map(fromLua)
  return fromClient(value)
}

/** Redis errors begin with a word in capitals. */
export function toRedisError(error: unknown): RedisError {
  if (error instanceof RedisError) return error
  const message = error instanceof Error ? error.message : String(error)
  const text = message.replace(/^Error trying to loading or executing lua code string in VM: /, '')
  return new RedisError(/^[A-Z]{3,} /.test(text) ? text : `ERR ${text}`)
}
