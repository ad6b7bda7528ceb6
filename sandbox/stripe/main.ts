import { numberSetting, runPart, setting } from '../part.ts'
import { PortTakenError, portSetting } from '../ports.ts'
import type { Observer } from './observer.ts'
import { startStripe } from './server.ts'

/** The process: settings from the environment, `ready` on stdout, ends with its parent. */
await runPart(async () => {
  if (process.env.NODE_ENV === 'production' && process.env.SANDBOX_ALLOW_PRODUCTION !== '1') {
    throw new Error(
      'The local stand-in for Stripe does not start with NODE_ENV=production. It takes no real payments. Set SANDBOX_ALLOW_PRODUCTION=1 if a production build is to be tried against it.',
    )
  }
  const port = numberSetting(portSetting('stripe'))
  const localSecret = process.env.SANDBOX_LOCAL_SECRET
  const [profile, seed] = process.env.SANDBOX_STRIPE_CHAOS?.split(':') ?? []
  const webhookUrl = process.env.STRIPE_WEBHOOK_URL
  try {
    return await startStripe({
      port,
      databasePath: setting('SANDBOX_STRIPE_DB'),
      secretKey: setting('STRIPE_SECRET_KEY'),
      publishableKey: setting('STRIPE_PUBLISHABLE_KEY'),
      appOrigin: setting('APP_ORIGIN'),
      ...(process.env.SANDBOX_STRIPE_CONTRACT === '1' ? { observer: await contractChecker() } : {}),
      settlementCurrency: process.env.SANDBOX_STRIPE_SETTLEMENT_CURRENCY?.toLowerCase() || null,
      ...(profile ? { chaos: { profile, ...(seed ? { seed } : {}) } } : {}),
      ...(localSecret ? { localSecret } : {}),
      ...(webhookUrl ? { webhook: { url: webhookUrl, secret: setting('STRIPE_WEBHOOK_SECRET') } } : {}),
      log: (line) => console.error(line),
    })
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
    throw taken ? new PortTakenError(port, portSetting('stripe')) : error
  }
})

/** For tests: hold all that is said against the SDK's types. Loaded on demand, for it brings a compiler and a validator along. */
async function contractChecker(): Promise<Observer> {
  const { startContractChecker } = await import('./contract/beside.ts')
  return startContractChecker()
}
