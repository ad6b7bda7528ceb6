import { Ratelimit } from '@upstash/ratelimit'
import { Redis } from '@upstash/redis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Listening } from '../../../sandbox/listen.ts'
import { startUpstash } from '../../../sandbox/upstash/server.ts'

const TOKEN = 'token-of-the-tests'
const LOCAL_SECRET = 'secret-of-the-tests'

let upstash: Listening
let url: string

beforeAll(async () => {
  upstash = await startUpstash({
    port: 0,
    token: TOKEN,
    localSecret: LOCAL_SECRET,
    redisUrl: process.env.REDIS_URL,
  })
  url = `http://127.0.0.1:${upstash.port}`
})

beforeEach(() => connect().flushall())

afterAll(() => upstash?.close())

const connect = (token = TOKEN, patienceMs = 20_000) =>
  new Redis({
    url,
    token,
    retry: false,
    enableTelemetry: false,
    signal: () => AbortSignal.timeout(patienceMs),
  })

const fault = async (mode: string) =>
  fetch(`${url}/_local/fault`, {
    method: 'POST',
    headers: { authorization: `Bearer ${LOCAL_SECRET}` },
    body: JSON.stringify({ mode }),
  })

describe('commands', () => {
  it('values come back as they were: texts of any script, objects, numbers, nothing', async () => {
    const redis = connect()
    await redis.set('text', 'naïve ☕ 日本 PONG')
    await redis.set('ok', 'OK')
    await redis.set('object', { a: [1, null, { b: 'ü' }] })
    await redis.hset('hash', { name: 'Ada', visits: 3 })

    expect(await redis.get('text')).toBe('naïve ☕ 日本 PONG')
    expect(await redis.get('ok')).toBe('OK')
    expect(await redis.get('object')).toEqual({ a: [1, null, { b: 'ü' }] })
    expect(await redis.hgetall('hash')).toEqual({ name: 'Ada', visits: 3 })
    expect(await redis.get('missing')).toBeNull()
    expect(await redis.mget('text', 'missing')).toEqual(['naïve ☕ 日本 PONG', null])
    expect(await redis.ping()).toBe('PONG')
  })

  it('SET with NX and PX takes a lock once, and it goes away by itself', async () => {
    const redis = connect()

    const first = await redis.set('lock', 'a', { nx: true, px: 60_000 })
    const second = await redis.set('lock', 'b', { nx: true, px: 60_000 })
    const left = await redis.pttl('lock')
    await redis.set('brief', 'a', { nx: true, px: 50 })
    await expect.poll(() => redis.get('brief')).toBeNull()
    const third = await redis.set('brief', 'b', { nx: true, ex: 60 })

    expect([first, second, third]).toEqual(['OK', null, 'OK'])
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThanOrEqual(60_000)
    expect(await redis.ttl('brief')).toBeGreaterThan(30)
  })

  it('counters, deadlines and deletion', async () => {
    const redis = connect()

    expect(await redis.incr('n')).toBe(1)
    expect(await redis.incrby('n', 4)).toBe(5)
    expect(await redis.expire('n', 10)).toBe(1)
    expect(await redis.del('n', 'missing')).toBe(1)
    expect(await redis.ttl('n')).toBe(-2)
  })

  it('a hundred increments at once are a hundred', async () => {
    const redis = connect()

    await Promise.all(Array.from({ length: 100 }, () => redis.incr('race')))

    expect(await redis.get('race')).toBe(100)
  })

  it('sorted sets keep scores and ranges', async () => {
    const redis = connect()
    await redis.zadd('log', { score: 1, member: 'a' }, { score: 2.5, member: 'b' }, { score: 3, member: 'c' })
    await redis.zadd('log', { nx: true }, { score: 9, member: 'a' })

    expect(await redis.zrange('log', 0, -1, { withScores: true })).toEqual(['a', 1, 'b', 2.5, 'c', 3])
    expect(await redis.zremrangebyscore('log', 0, 1)).toBe(1)
    expect(await redis.zcard('log')).toBe(2)
    expect(await redis.zscore('log', 'b')).toBe(2.5)
    expect(await redis.zcount('log', '-inf', '+inf')).toBe(2)
  })

  it('a command it does not know and a wrong kind of value fail loudly', async () => {
    const redis = connect()
    await redis.hset('hash', { a: 1 })

    await expect(redis.incr('hash')).rejects.toThrow(/WRONGTYPE/)
    await expect(redis.get('hash')).rejects.toThrow(/WRONGTYPE/)
    await expect(redis.exec(['NOPE'])).rejects.toThrow(/unknown command/)
  })

  it('a wrong token is refused', async () => {
    await expect(connect('wrong').get('a')).rejects.toThrow(/WRONGPASS/)
  })
})

describe('pipelines', () => {
  it('a pipeline answers each command, and one bad command does not hurt the others', async () => {
    const redis = connect()
    await redis.hset('hash', { a: 1 })
    const pipeline = redis.pipeline()
    pipeline.set('a', 'ü')
    pipeline.incr('hash')
    pipeline.get('a')

    const results = await pipeline.exec({ keepErrors: true })

    expect(results.map(({ result }) => result)).toEqual(['OK', undefined, 'ü'])
    expect(results[1]?.error).toMatch(/WRONGTYPE/)
  })

  it('nobody comes between the commands of a transaction', async () => {
    const redis = connect()
    const transact = async () => {
      const transaction = redis.multi()
      transaction.incr('n')
      transaction.incr('n')
      const [first, second] = await transaction.exec<[number, number]>()
      return second - first
    }

    const gaps = await Promise.all(Array.from({ length: 20 }, transact))

    expect(gaps).toEqual(Array(20).fill(1))
  })
})

describe('scripts', () => {
  const COMPARE_AND_DELETE = `
    if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
    return 0`

  it('a lease is given back only by its owner', async () => {
    const redis = connect()
    await redis.set('lease', 'mine')

    expect(await redis.eval(COMPARE_AND_DELETE, ['lease'], ['theirs'])).toBe(0)
    expect(await redis.eval(COMPARE_AND_DELETE, ['lease'], ['mine'])).toBe(1)
  })

  it('EVALSHA knows a script by the hash of what the client sent, its first line included', async () => {
    const redis = connect()
    const script = redis.createScript<string>('#!lua flags=allow-key-locking\nreturn ARGV[1]')

    await expect(redis.evalsha('0'.repeat(40), [], [])).rejects.toThrow(/NOSCRIPT/)
    expect(await script.exec([], ['first'])).toBe('first')
    expect(await script.exec([], ['again'])).toBe('again')
  })

  it('a log in a sorted set is exact over any window', async () => {
    const redis = connect()
    const script = `
      redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1] - ARGV[2])
      local used = redis.call('ZCARD', KEYS[1])
      if used >= tonumber(ARGV[3]) then
        local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
        return {0, oldest[2] + ARGV[2]}
      end
      redis.call('ZADD', KEYS[1], ARGV[1], ARGV[4])
      redis.call('PEXPIRE', KEYS[1], ARGV[2])
      return {1, redis.call('ZSCORE', KEYS[1], ARGV[4]) ~= false, redis.call('ZSCORE', KEYS[1], 'none') == false}`
    // The window is also the life of the key, which is of real time: the machine must not use it up.
    const take = (now: number, id: string) =>
      redis.eval<unknown[], number[]>(script, ['log'], [now, 100_000, 3, id])

    const taken = []
    for (const [now, id] of [
      [10_000, 'a'],
      [20_000, 'b'],
      [30_000, 'c'],
      [105_000, 'd'],
      [110_001, 'e'],
    ] as const) {
      taken.push((await take(now, id))[0])
    }
    const refused = await take(115_000, 'f')

    expect(taken).toEqual([1, 1, 1, 0, 1])
    expect(refused).toEqual([0, 120_000])
    expect(await take(500_000, 'g')).toEqual([1, 1, 1])
  })

  it('tells the time, to a script too', async () => {
    const redis = connect()
    const before = Math.floor(Date.now() / 1000)

    const told = [await redis.time(), await redis.eval("return redis.call('TIME')", [], [])]

    for (const [seconds] of told as [number, number][]) {
      expect(Number(seconds)).toBeGreaterThanOrEqual(before)
      expect(Number(seconds)).toBeLessThanOrEqual(Date.now() / 1000)
    }
  })

  it('Lua values become replies as in Redis', async () => {
    const run = (script: string) => connect().eval(script, [], [])

    expect(await run('return 3.9')).toBe(3)
    expect(await run('return true')).toBe(1)
    expect(await run('return false')).toBeNull()
    expect(await run("return {1, 'two', false, {3}}")).toEqual([1, 'two', null, [3]])
    expect(await run("return {redis.call('MGET', 'a', 'b')[2] == false, #redis.call('KEYS', '*')}")).toEqual([
      1, 0,
    ])
    expect(await run("redis.call('SET', 'n', 5) return redis.call('GET', 'n') == '5'")).toBe(1)
    expect(await run("redis.call('SET', 'e', '') return redis.call('GET', 'e')")).toBe('')
    expect(
      await run("redis.call('RPUSH', 'l', 1, 2) return {unpack(redis.call('LRANGE', 'l', 0, -1))}"),
    ).toEqual([1, 2])
    await expect(run("return redis.error_reply('BUSY now')")).rejects.toThrow(/BUSY now/)
    await expect(run('this is no lua')).rejects.toThrow(/ERR/)
  })
})

describe('@upstash/ratelimit', () => {
  it.each([
    ['a fixed window', () => Ratelimit.fixedWindow(5, '10 h')],
    ['a sliding window', () => Ratelimit.slidingWindow(5, '10 h')],
    ['a token bucket', () => Ratelimit.tokenBucket(5, '10 h', 5)],
  ])('%s lets exactly five of twenty pass', async (_, limiter) => {
    const ratelimit = new Ratelimit({ redis: connect(), limiter: limiter(), timeout: 0, analytics: false })

    const results = await Promise.all(Array.from({ length: 20 }, () => ratelimit.limit('ada')))
    const other = await ratelimit.limit('bob')

    expect(results.filter(({ success }) => success)).toHaveLength(5)
    expect(other.success).toBe(true)
    expect(other.remaining).toBe(4)
  })

  it('what is left can be asked for, and given back', async () => {
    const ratelimit = new Ratelimit({
      redis: connect(),
      limiter: Ratelimit.slidingWindow(3, '10 h'),
      timeout: 0,
    })
    await ratelimit.limit('ada')

    const before = await ratelimit.getRemaining('ada')
    await ratelimit.resetUsedTokens('ada')
    const after = await ratelimit.getRemaining('ada')

    expect([before.remaining, after.remaining]).toEqual([2, 3])
  })
})

describe('faults', () => {
  it('500, a wrong answer, a cut connection and silence are errors for the SDK', async () => {
    const redis = connect(TOKEN, 2_000)
    const outcome = async (mode: string) => {
      await fault(mode)
      return redis.get('a').then(
        () => 'answered',
        (error: Error) => error.name,
      )
    }

    expect(await outcome('500')).toBe('UpstashError')
    expect(await outcome('wrong')).toBe('UpstashJSONParseError')
    expect(await outcome('reset')).toBe('TypeError')
    expect(await outcome('hang')).toBe('TimeoutError')
    expect(await outcome('none')).toBe('answered')
  })

  it('only with the secret', async () => {
    expect((await fetch(`${url}/_local/fault`, { method: 'POST', body: '{"mode":"500"}' })).status).toBe(401)
    expect((await fault('unheard-of')).status).toBe(400)
  })
})
