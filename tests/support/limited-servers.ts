import { waitUntilReady } from '../../scripts/health'
import { freePort } from '../../scripts/ports'
import { type RedisFront, startRedisFront } from './redis-front'
import { startServer } from './stack'
import { stack } from './stack-in-test'

export type LimitedServers = {
  urls: [string, string]
  redis: RedisFront
  /** End one and start it again: what it counted by itself is gone. */
  restart(index: 0 | 1, settings?: Record<string, string>): Promise<void>
  stop(): Promise<void>
}

/** Two servers behind one trusted proxy, and a Redis that can be cut off. */
export async function startLimitedServers(): Promise<LimitedServers> {
  const redis = await startRedisFront()
  const ports = [await freePort(), await freePort()] as const
  const urls: [string, string] = [`http://localhost:${ports[0]}`, `http://localhost:${ports[1]}`]
  const start = (port: number, settings: Record<string, string> = {}) =>
    startServer(port, {
      ...stack().env,
      UPSTASH_REDIS_REST_URL: redis.url,
      TRUSTED_PROXY_HOPS: '1',
      // A machine that runs all of this at once is slow: late is no outage here.
      REDIS_TIMEOUT_MS: '3000',
      ...settings,
    })
  const running = [start(ports[0]), start(ports[1])]
  await Promise.all(urls.map((url) => waitUntilReady(url, 60_000)))
  return {
    urls,
    redis,
    restart: async (index, settings) => {
      await running[index]?.stop()
      running[index] = start(ports[index], settings)
      await waitUntilReady(urls[index], 60_000)
    },
    stop: async () => {
      await Promise.all(running.map((server) => server.stop()))
      await redis.close()
    },
  }
}
