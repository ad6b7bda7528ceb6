import RedisMock from 'ioredis-mock'
import type { RedisBackend } from './store.ts'
import { RedisError } from './values.ts'

type Methods = Record<string, (...args: string[]) => Promise<unknown>>

/** ioredis-mock, with what it does differently from Redis put right where the app could notice. */
export function memoryRedis(): RedisBackend {
  const memory = new RedisMock()
  const methods = memory as unknown as Methods
  return {
    async call(name, args) {
      if (name === 'TIME') return redisTime()
      const method = methods[name.toLowerCase()]
      if (!method) throw new RedisError(`ERR unknown command '${name}'`)
      await refuseWrongType(methods, name, args)
      const [script = '', ...rest] = args
      return method.apply(
        memory,
        name === 'EVAL'
          ? [
              `${timeForScripts()}${LUA_REPAIRS}local function script() ${script}\nend return (script())`,
              ...rest,
            ]
          : upperCaseFlags(name, args),
      )
    },
    close: async () => memory.disconnect(),
  }
}

/** The stand-in's own TIME fails. */
function redisTime(): [string, string] {
  const now = Date.now()
  return [String(Math.floor(now / 1000)), String((now % 1000) * 1000)]
}

const timeForScripts = (): string => `local redis_time = {'${redisTime().join("', '")}'} `

/** @upstash/redis sends `nx` and `ex` in lower case; the stand-in knows them in upper case only. */
function upperCaseFlags(name: string, args: string[]): string[] {
  if (name === 'SET') return args.map((arg, index) => (index < 2 ? arg : arg.toUpperCase()))
  if (name === 'ZRANGE') return args.map((arg, index) => (index < 3 ? arg : arg.toUpperCase()))
  if (name !== 'ZADD') return args
  const firstScore = args.findIndex((arg, index) => index > 0 && !/^(nx|xx|gt|lt|ch|incr)$/i.test(arg))
  return args.map((arg, index) => (index > 0 && index < firstScore ? arg.toUpperCase() : arg))
}

/** It counts on a hash or list without a word, where Redis refuses. */
async function refuseWrongType(methods: Methods, name: string, args: string[]): Promise<void> {
  const wanted = TYPE_OF_COMMAND.find(([shape]) => shape.test(name))?.[1]
  const key = args[0]
  if (!wanted || key === undefined) return
  const type = await methods.type?.(key)
  if (type !== 'none' && type !== wanted) {
    throw new RedisError('WRONGTYPE Operation against a key holding the wrong kind of value')
  }
}

const TYPE_OF_COMMAND: [RegExp, string][] = [
  [/^(GET|GETDEL|GETEX|GETSET|APPEND|STRLEN|INCR|INCRBY|INCRBYFLOAT|DECR|DECRBY)$/, 'string'],
  [/^Z/, 'zset'],
  [/^H/, 'hash'],
  [/^S(ADD|REM|CARD|MEMBERS|ISMEMBER|MISMEMBER|POP|RANDMEMBER|SCAN)$/, 'set'],
  [/^(L|R(PUSH|POP))/, 'list'],
]

/**
 * Runs before every script, in one line so that line numbers in errors stay right. In scripts the stand-in
 * hands numbers on as numbers (Redis: texts), gives lists that are no tables, nil where Redis has false, nothing
 * for an empty text, cannot say what is in the list of a SCAN, and fails on a script that returns nothing.
 * Its whole numbers have 32 bits, which is why they are written without %d.
 */
const LUA_REPAIRS = `
local original = redis.call
local function text(value)
  if type(value) ~= 'number' then return value end
  if value == math.floor(value) then return string.format('%.0f', value) end
  return string.format('%.17g', value)
end
local function is_null(value) return value == nil or (type(value) == 'userdata' and tostring(value) == 'null') end
local function list(value)
  if type(value) ~= 'userdata' then return value end
  local result = {}
  for i = 1, #value do if is_null(value[i]) then result[i] = false else result[i] = value[i] end end
  return result
end
local function each(command, keys)
  local result = {}
  for i, key in ipairs(keys) do result[i] = redis.call(command, table.unpack(key)) end
  return result
end
redis.call = function(name, ...)
  local args = {...}
  for i = 1, #args do args[i] = text(args[i]) end
  local command = string.upper(name)
  if command == 'TIME' then return redis_time end
  if command == 'HMGET' then
    local keys = {}
    for i = 2, #args do keys[i - 1] = {args[1], args[i]} end
    return each('HGET', keys)
  end
  if command == 'MGET' then
    local keys = {}
    for i = 1, #args do keys[i] = {args[i]} end
    return each('GET', keys)
  end
  if command == 'SCAN' then
    local pattern = '*'
    for i = 2, #args - 1 do if string.upper(args[i]) == 'MATCH' then pattern = args[i + 1] end end
    return {'0', redis.call('KEYS', pattern)}
  end
  local value = original(name, table.unpack(args))
  if value == false and command == 'GET' and original('EXISTS', args[1]) == 1 then return '' end
  if value == false and command == 'HGET' and original('HEXISTS', args[1], args[2]) == 1 then return '' end
  if type(value) == 'number' and (command == 'GET' or command == 'HGET' or command == 'ZSCORE') then return text(value) end
  return list(value)
end
redis.status_reply = function(message) return message end
redis.error_reply = function(message) error(message, 0) end;`
  .replace(/\s*\n\s*/g, ' ')
  .concat(' ')
