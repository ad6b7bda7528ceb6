import 'server-only'
import { z } from 'zod'
import type { User } from '../auth/session'
import { callService, databaseCode } from '../db/sql'
import { env } from '../env'
import { AppError } from '../errors'
import { errorFields, log } from '../log'
import { crashPoint } from '../payments/crash-point'
import { makeStripeCustomer } from '../payments/ensure-customer'
import { askStripe, isNotFound } from '../stripe/server'
import { Blocker } from './schema'

const Begun = z.object({ customerId: z.uuid(), blockers: z.array(Blocker) })
const ToDelete = z.object({ stripeCustomerId: z.string().nullable(), attempt: z.number().int() }).nullable()

/** An erasure that has begun. */
export const Erasure = z.object({ customerId: z.uuid() })
export type Erasure = z.infer<typeof Erasure>

/** Rows of each table in one transaction. */
const BATCH = 200

/**
 * Let a person go: their sign-in is removed at once, and with it every way in; the rest follows here, or by the sweeper. The books
 * stay under the pseudonym.
 * @throws AppError payment_open, refund_open, dispute_open, subscription_live or still_staff, and nothing has happened
 */
export async function eraseAccount({ user }: { user: User }): Promise<void> {
  const { customerId, blockers } = Begun.parse(await begin(user))
  const [blocker] = blockers
  if (blocker) throw new AppError(blocker)
  log.security('account_erased')
  crashPoint('erasure.begun')
  try {
    await continueErasure({ customerId })
  } catch (error) {
    log.warn('erasure_unfinished', errorFields(error))
  }
}

/**
 * Go on with an erasure, wherever it is: every step can be repeated, by anybody.
 * @throws AppError or StripeError when it has to be tried again
 */
export async function continueErasure({ customerId }: Erasure): Promise<void> {
  while (await callService<boolean>('erase_rows', { p_customer_id: customerId, p_limit: BATCH }));
  crashPoint('erasure.rows_erased')
  await deleteAtStripe(customerId)
  await callService('finish_erasure', { p_customer_id: customerId })
}

async function begin(user: User): Promise<unknown> {
  try {
    return await callService('begin_erasure', { p_actor: user.id })
  } catch (error) {
    // Another request was quicker: they are nobody already.
    if (databaseCode(error) === 'P0002') throw new AppError('sign_in_required', { cause: error })
    throw error
  }
}

/** With the customer go its cards, addresses and whatever else Stripe knew of the person. Its payments stay there, as ours do. */
async function deleteAtStripe(customerId: string): Promise<void> {
  const mode = { p_customer_id: customerId, p_livemode: env().livemode }
  const toDelete = ToDelete.parse(await callService('stripe_customer_to_delete', mode))
  if (!toDelete) return
  const id =
    toDelete.stripeCustomerId ?? (await makeStripeCustomer({ customerId, attempt: toDelete.attempt }))
  await askStripe((stripe) => stripe.customers.del(id)).catch((error: unknown) => {
    if (!isNotFound(error)) throw error
  })
  crashPoint('erasure.asked')
  await callService('note_stripe_deletion', { ...mode, p_stripe_customer_id: id })
}
