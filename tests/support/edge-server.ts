import { waitUntilReady } from '../../scripts/health'
import { freePort } from '../../scripts/ports'
import { type FaultProxy, startFaultProxy } from './fault-proxy'
import { startServer } from './stack'
import { stack } from './stack-in-test'

export type EdgeServer = {
  url: string
  /** Its way to Stripe: what passes there can be counted. */
  stripe: FaultProxy
  /** Everything it has written so far. */
  logs(): string
  stop(): Promise<void>
}

/** A server of its own that stands behind one proxy it trusts; with other settings if need be. */
export async function startEdgeServer(settings: Record<string, string> = {}): Promise<EdgeServer> {
  const { env } = stack()
  const stripePort = Number(new URL(env.STRIPE_API_BASE ?? '').port)
  const stripe = await startFaultProxy({ host: '127.0.0.1', port: stripePort })
  const port = await freePort()
  const url = `http://localhost:${port}`
  const lines: string[] = []
  const server = startServer(
    port,
    {
      ...env,
      STRIPE_API_BASE: `http://127.0.0.1:${stripe.port}`,
      TRUSTED_PROXY_HOPS: '1',
      // A busy machine is no outage of Redis.
      REDIS_TIMEOUT_MS: '5000',
      ...settings,
    },
    (line) => lines.push(line),
  )
  await waitUntilReady(url, 60_000)
  return {
    url,
    stripe,
    logs: () => lines.join('\n'),
    stop: async () => {
      await server.stop()
      await stripe.close()
    },
  }
}
