import { waitUntilReady } from '../../scripts/health'
import { freePort } from '../../scripts/ports'
import { type FaultProxy, startFaultProxy } from './fault-proxy'
import { startServer } from './stack'
import { stack } from './stack-in-test'
import { type StripeProxy, startStripeProxy } from './stripe-proxy'

export type ProxiedServer = {
  url: string
  /** Its ways to what it depends on: each can be cut, and what passes there can be counted. */
  database: FaultProxy
  redis: FaultProxy
  stripe: StripeProxy
  stop(): Promise<void>
}

/** A server of its own beside the two of the stack. */
export async function startProxiedServer(
  stripeTrouble?: Parameters<typeof startStripeProxy>[1],
  keyAs?: Parameters<typeof startStripeProxy>[2],
  settings: Record<string, string> = {},
): Promise<ProxiedServer> {
  const { env } = stack()
  const portOf = (address: string | undefined) => Number(new URL(address ?? '').port)
  const [database, redis, stripe] = await Promise.all([
    startFaultProxy({ host: '127.0.0.1', port: portOf(env.DATABASE_URL) }),
    startFaultProxy({ host: '127.0.0.1', port: portOf(env.UPSTASH_REDIS_REST_URL) }),
    startStripeProxy(env.STRIPE_API_BASE ?? '', stripeTrouble, keyAs),
  ])
  const port = await freePort()
  const url = `http://localhost:${port}`
  const databaseUrl = new URL(env.DATABASE_URL ?? '')
  databaseUrl.port = String(database.port)
  const server = startServer(port, {
    ...env,
    DATABASE_URL: databaseUrl.href,
    STRIPE_API_BASE: stripe.url,
    UPSTASH_REDIS_REST_URL: `http://127.0.0.1:${redis.port}`,
    ...settings,
  })
  await waitUntilReady(url, 60_000)
  return {
    url,
    database,
    redis,
    stripe,
    stop: async () => {
      await server.stop()
      await Promise.all([database, redis, stripe].map((proxy) => proxy.close()))
    },
  }
}
