import 'server-only'
import { z } from 'zod'
import type { User } from '../auth/session'
import { callService, databaseCode, databaseDetail } from '../db/sql'
import { addressPrefix } from '../edge/client-address'
import { env } from '../env'
import { AppError, isAppError } from '../errors'
import { ensureStripeCustomer } from '../payments/ensure-customer'
import { sha256 } from '../payments/facts'
import type { Stripe } from '../stripe/server'
import { takeFromLimits } from '../take-from-limits'
import { askAboutCards } from './ask-about-cards'
import { CARD_CONSENT } from './consent'

const CardSetup = z.object({ id: z.uuid(), setupIntentId: z.string().nullable() })
type CardSetup = z.infer<typeof CardSetup>

type Asked = {
  user: User
  key: string
  /** The person's address by a trusted proxy; null when there is none. */
  address: string | null
}

/**
 * A SetupIntent for one more card, after the person has agreed to the words of CARD_CONSENT: the agreement is kept first. The
 * same key always leads to the same SetupIntent. Who has to wait is told so before Stripe is asked for anything.
 * @throws AppError too_many_requests, too_many_card_failures, provider_unavailable
 */
export async function addCard({ user, key, address }: Asked): Promise<{ id: string; clientSecret: string }> {
  // Whoever tries out cards that are not theirs could do it here as well as by paying.
  await takeFromLimits(
    ['new-cards', 'new-cards-address'],
    { person: user.id, address },
    { outage: 'local', member: `${user.id}:${key}` },
  )
  const setup = await openSetup({ user, key, address })
  const intent = await ensureSetupIntent(setup, await ensureStripeCustomer(user))
  // Ended by us after too many tries, and the wait is over: another key starts afresh.
  if (intent.status === 'canceled') throw new AppError('too_many_card_failures', { retryAfterSeconds: 1 })
  if (!setup.setupIntentId)
    await callService('link_card_setup', { p_id: setup.id, p_setup_intent_id: intent.id })
  if (!intent.client_secret) throw new AppError('provider_unavailable')
  return { id: setup.id, clientSecret: intent.client_secret }
}

async function openSetup({ user, key, address }: Asked): Promise<CardSetup> {
  try {
    const opened = await callService('open_card_setup', {
      p_actor: user.id,
      p_livemode: env().livemode,
      p_key: key,
      p_consent_text: CARD_CONSENT.text,
      p_address_hash: address && (await sha256(addressPrefix(address))),
    })
    return CardSetup.parse(opened)
  } catch (error) {
    if (databaseCode(error) !== 'PW006') throw error
    const retryAfterSeconds = Number(databaseDetail(error))
    throw new AppError('too_many_card_failures', { cause: error, retryAfterSeconds })
  }
}

async function ensureSetupIntent(
  { id, setupIntentId }: CardSetup,
  customer: string,
): Promise<Stripe.SetupIntent> {
  try {
    return await askAboutCards((stripe) =>
      setupIntentId
        ? stripe.setupIntents.retrieve(setupIntentId)
        : stripe.setupIntents.create(requestFor(customer, id), {
            idempotencyKey: `card_setup:${id}:${customer}`,
          }),
    )
  } catch (error) {
    if (!isAppError(error, 'not_found')) throw error
    // The customer was deleted at Stripe. The next try makes a new one.
    await callService('forget_stripe_customer', {
      p_livemode: env().livemode,
      p_stripe_customer_id: customer,
    })
    throw new AppError('provider_unavailable', { cause: error, retryAfterSeconds: 1 })
  }
}

function requestFor(customer: string, setupId: string): Stripe.SetupIntentCreateParams {
  return {
    customer,
    usage: 'off_session',
    automatic_payment_methods: { enabled: true },
    metadata: { card_setup_id: setupId },
  }
}
