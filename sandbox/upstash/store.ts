import { createHash } from 'node:crypto'
import { Redis } from 'ioredis'
import { memoryRedis } from './memory-redis.ts'
import { fromClient, fromLua, RedisError, type RedisValue, toRedisError } from './values.ts'

/** Runs Redis commands one after the other. `atomically` keeps others out between the commands of one list. */
export type RedisStore = {
  run(command: string[]): Promise<RedisValue>
  atomically<T>(work: (run: (command: string[]) => Promise<RedisValue>) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Runs one command. */
export type RedisBackend = { call(name: string, args: string[]): Promise<unknown>; close(): Promise<void> }

/** In memory, or a real Redis when an address is given. */
export function openRedisStore(redisUrl: string | undefined): RedisStore {
  const backend = redisUrl ? realRedis(redisUrl) : memoryRedis()
  const scripts = new Map<string, string>()
  let queue: Promise<unknown> = Promise.resolve()

  // Redis runs one command at a time; a command of the stand-in is not atomic by itself.
  const exclusively = <T>(work: () => Promise<T>): Promise<T> => {
    const result = queue.then(work)
    queue = result.catch(() => {})
    return result
  }

  const execute = async (command: string[]): Promise<RedisValue> => {
    const [first = '', ...args] = command
    const name = first.toUpperCase()
    if (!ALLOWED_COMMANDS.has(name)) throw new RedisError(`ERR unknown command '${first}'`)
    if (name === 'SCRIPT') return manageScripts(scripts, args)
    try {
      if (name === 'EVAL' || name === 'EVALSHA') return await evaluate(backend, scripts, name, args)
      return fromClient(await backend.call(name, args))
    } catch (error) {
      throw toRedisError(error)
    }
  }

  return {
    run: (command) => exclusively(() => execute(command)),
    atomically: (work) => exclusively(() => work(execute)),
    close: () => backend.close(),
  }
}

/**
 * EVALSHA finds a script by the hash of the text the client sent, first line included. That line
 * (`#!lua flags=allow-key-locking`) is Upstash's own; neither Redis 7 nor the stand-in takes it.
 */
async function evaluate(
  backend: RedisBackend,
  scripts: Map<string, string>,
  name: 'EVAL' | 'EVALSHA',
  args: string[],
): Promise<RedisValue> {
  const [scriptOrHash = '', ...rest] = args
  if (name === 'EVAL') scripts.set(sha1(scriptOrHash), scriptOrHash)
  const script = name === 'EVAL' ? scriptOrHash : scripts.get(scriptOrHash.toLowerCase())
  if (script === undefined) throw new RedisError('NOSCRIPT No matching script. Please use EVAL.')
  const keyCount = Number(rest[0])
  if (!Number.isInteger(keyCount) || keyCount < 0) {
    throw new RedisError('ERR value is not an integer or out of range')
  }
  if (keyCount > rest.length - 1)
    throw new RedisError("ERR Number of keys can't be greater than number of args")
  return fromLua(await backend.call('EVAL', [script.replace(/^#![^\n]*/, ''), ...rest]))
}

function manageScripts(scripts: Map<string, string>, args: string[]): RedisValue {
  const [verb = '', ...rest] = args
  switch (verb.toUpperCase()) {
    case 'LOAD': {
      const hash = sha1(rest[0] ?? '')
      scripts.set(hash, rest[0] ?? '')
      return hash
    }
    case 'EXISTS':
      return rest.map((hash) => (scripts.has(hash.toLowerCase()) ? 1 : 0))
    case 'FLUSH':
      scripts.clear()
      return 'OK'
    default:
      throw new RedisError(`ERR unknown subcommand '${verb}'`)
  }
}

function realRedis(url: string): RedisBackend {
  const redis = new Redis(url, { maxRetriesPerRequest: 1 })
  redis.on('error', (error) => console.error('redis:', error.message))
  return {
    call: (name, args) => redis.call(name, ...args),
    close: async () => redis.disconnect(),
  }
}

const sha1 = (text: string) => createHash('sha1').update(text).digest('hex')

/** What the app and the Upstash SDKs use, and its neighbours. Anything else fails loudly. */
const ALLOWED_COMMANDS = new Set(
  `PING ECHO TIME DBSIZE FLUSHALL FLUSHDB TYPE EXISTS DEL UNLINK KEYS SCAN RENAME PERSIST TOUCH
  EXPIRE PEXPIRE EXPIREAT PEXPIREAT TTL PTTL
  GET SET SETEX PSETEX SETNX GETSET GETDEL GETEX MGET MSET APPEND STRLEN INCR INCRBY INCRBYFLOAT DECR DECRBY
  HGET HSET HSETNX HMGET HMSET HGETALL HDEL HEXISTS HLEN HKEYS HVALS HINCRBY HINCRBYFLOAT HSCAN
  LPUSH RPUSH LPOP RPOP LRANGE LLEN LINDEX LSET LREM LTRIM
  SADD SREM SCARD SMEMBERS SISMEMBER SMISMEMBER SPOP SRANDMEMBER SSCAN
  ZADD ZREM ZCARD ZCOUNT ZSCORE ZMSCORE ZRANK ZREVRANK ZINCRBY ZRANGE ZREVRANGE ZRANGEBYSCORE ZREVRANGEBYSCORE
  ZREMRANGEBYSCORE ZREMRANGEBYRANK ZPOPMIN ZPOPMAX ZSCAN
  EVAL EVALSHA SCRIPT`.split(/\s+/),
)
