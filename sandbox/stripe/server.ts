import { createServer, type Server } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { adminRoutes } from './admin/routes.ts'
import { billingOperations, connectBilling } from './billing/billing.ts'
import { billingJobs } from './billing/jobs.ts'
import { browserRoutes } from './browser/routes.ts'
import { type ResolvedConfig, resolveConfig, type StripeConfig } from './config.ts'
import type { StripeContext } from './context.ts'
import { type JobHandlers, JobRunner } from './core/jobs.ts'
import { Store } from './core/store.ts'
import { disputeRefunded, raiseAftermath } from './disputes/aftermath.ts'
import { judgeDispute, passDeadline } from './disputes/dispute.ts'
import { earlyFraudWarningOperations } from './disputes/early-fraud-warnings.ts'
import { disputeOperations } from './disputes/operations.ts'
import { Deliverer } from './events/deliver.ts'
import { ensureEndpoint, webhookEndpointOperations } from './events/endpoints.ts'
import { eventOperations } from './events/events.ts'
import { checkoutElementsOperations } from './hosted/elements-operations.ts'
import { hostedRoutes } from './hosted/routes.ts'
import { apiRoutes } from './http/api.ts'
import { unknownRoute } from './http/errors.ts'
import { ownHostOnly } from './http/guard.ts'
import { balanceTransactionOperations } from './payments/balance-transactions.ts'
import { captureOperations, expireAuthorization } from './payments/capture.ts'
import { chargeOperations } from './payments/charges.ts'
import { customerOperations } from './payments/customers.ts'
import { finishRefund } from './payments/issue-refund.ts'
import { makeAvailable } from './payments/ledger.ts'
import { paymentIntentOperations } from './payments/payment-intents.ts'
import { paymentMethodOperations } from './payments/payment-method-operations.ts'
import { refundOperations } from './payments/refunds.ts'
import { settleCharge } from './payments/settle-charge.ts'
import { confirmationTokenOperations } from './saving/confirmation-tokens.ts'
import { customerSessionOperations } from './saving/customer-sessions.ts'
import { setupAttemptOperations } from './saving/setup-attempts.ts'
import { setupIntentOperations } from './saving/setup-intents.ts'
import { stripeJsOperations } from './saving/stripe-js-operations.ts'

export type RunningStripe = {
  /** Its origin, e.g. `http://127.0.0.1:4010`. */
  url: string
  store: Store
  close(): Promise<void>
}

/** Every address of the API that is answered. */
export const OPERATIONS = [
  ...customerOperations,
  ...paymentMethodOperations,
  ...paymentIntentOperations,
  ...setupIntentOperations,
  ...setupAttemptOperations,
  ...customerSessionOperations,
  ...confirmationTokenOperations,
  ...captureOperations,
  ...chargeOperations,
  ...refundOperations,
  ...disputeOperations,
  ...earlyFraudWarningOperations,
  ...balanceTransactionOperations,
  ...billingOperations,
  ...eventOperations,
  ...webhookEndpointOperations,
]

const JOBS: JobHandlers = {
  settle_charge: settleCharge,
  make_available: makeAvailable,
  expire_authorization: expireAuthorization,
  finish_refund: finishRefund,
  raise_aftermath: raiseAftermath,
  dispute_refunded: disputeRefunded,
  judge_dispute: judgeDispute,
  pass_dispute_deadline: passDeadline,
  ...billingJobs,
}

/** Longer than clients keep an idle connection, so that they and not we end it. */
const KEEP_ALIVE_MS = 65_000

/** @throws Error with code EADDRINUSE when somebody else has the port, and for keys that are not test keys. */
export async function startStripe(config: StripeConfig): Promise<RunningStripe> {
  assertTestKeys(config)
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS })
  const resolved = resolveConfig(config, await listen(server, config.port))
  const store = openStore(server, resolved)

  connectBilling(store)
  const jobs = new JobRunner(store, JOBS)
  const context: StripeContext = { store, config: resolved, jobs }
  const app = new Hono()
  app.route('/', apiRoutes(context, [...OPERATIONS, ...stripeJsOperations, ...checkoutElementsOperations]))
  app.use(ownHostOnly())
  app.route('/', adminRoutes(context))
  app.route('/', browserRoutes(context))
  app.route('/', hostedRoutes(context))
  // A body without `error` would be taken for success by stripe-node (stripe.N1).
  app.notFound((c) => c.json({ error: unknownRoute(c.req.method, c.req.path).body }, 404))
  server.on('request', getRequestListener(app.fetch))

  const deliverer = new Deliverer(store)
  if (config.chaos) store.chaos.configure(config.chaos)
  if (config.webhook) ensureEndpoint(store, config.webhook.url, config.webhook.secret)
  deliverer.wake()
  jobs.wake()

  return {
    url: resolved.baseUrl,
    store,
    async close() {
      deliverer.stop()
      jobs.stop()
      await closeServer(server)
      store.close()
    },
  }
}

function assertTestKeys({ secretKey, publishableKey }: StripeConfig): void {
  if (!secretKey.startsWith('sk_test_') || !publishableKey.startsWith('pk_test_')) {
    throw new Error('The local stand-in for Stripe takes test keys only (sk_test_..., pk_test_...)')
  }
}

function openStore(server: Server, config: ResolvedConfig): Store {
  try {
    return new Store(config)
  } catch (error) {
    server.close()
    throw error
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
