import 'server-only'
import { log } from '../log'
import { crashPoint } from '../payments/crash-point'
import { withRedis } from '../redis/client'

/** Where the chain of seals ended at some moment: how many rows it held, and the last hash (hex). */
export type Head = { count: number; hash: string }

const KEY = 'audit:head'

/** Never back: of two servers that publish at once, the longer chain stays. */
const RAISE = `
local now = redis.call('GET', KEYS[1])
local count = now and string.match(now, '^(%d+):')
if not count or tonumber(count) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1] .. ':' .. ARGV[2]) end
return ''
`

/** The head that was published last: null when there is none, `away` when Redis cannot be asked. */
export async function publishedHead(): Promise<Head | null | 'away'> {
  return await withRedis<Head | null | 'away'>(
    async (redis) => parseHead(String(await redis.get(KEY))),
    () => 'away',
  )
}

/** Tell the head to what is not this database: the log stream and Redis. Whoever changes the log later cannot take it back. */
export async function publishHead(head: Head): Promise<void> {
  log.info('audit_head', { count: head.count, hash: head.hash })
  crashPoint('audit.told')
  await withRedis(
    async (redis) => {
      await redis.eval(RAISE, [KEY], [String(head.count), head.hash])
    },
    () => undefined,
  )
}

/** `<count>:<hash>` as it is kept in Redis and given on the command line; null for anything else. */
export function parseHead(text: string): Head | null {
  const [, count, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? []
  return count === undefined || hash === undefined ? null : { count: Number(count), hash }
}
