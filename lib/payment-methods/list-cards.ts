import 'server-only'
import type { User } from '../auth/session'
import { isAppError } from '../errors'
import { log } from '../log'
import type { Stripe } from '../stripe/server'
import { askAboutCards, findStripeCustomer } from './ask-about-cards'
import { expiryOf } from './expiry'
import type { SavedCard } from './views'

const MOST_CARDS = 100

/** The person's saved cards as Stripe has them now, the newest first. @throws AppError provider_unavailable */
export async function listCards({ user }: { user: User }): Promise<SavedCard[]> {
  const stripeCustomerId = await findStripeCustomer(user)
  if (!stripeCustomerId) return []
  const [customer, methods] = await Promise.all([
    askAboutCards((stripe) => stripe.customers.retrieve(stripeCustomerId)),
    askAboutCards((stripe) =>
      stripe.customers.listPaymentMethods(stripeCustomerId, { type: 'card', limit: MOST_CARDS }),
    ),
  ]).catch((error: unknown) => {
    // A customer that was deleted at Stripe has no cards; the next payment makes a new one.
    if (isAppError(error, 'not_found')) return [null, { data: [] }] as const
    throw error
  })
  const defaultId =
    customer === null || customer.deleted ? null : idOf(customer.invoice_settings.default_payment_method)
  const cards = methods.data.flatMap((method) => toSavedCard(method, defaultId))
  log.access('cards_listed', { count: cards.length })
  return cards
}

function toSavedCard({ id, card }: Stripe.PaymentMethod, defaultId: string | null): SavedCard[] {
  if (!card) return []
  const { brand, last4, exp_month: expMonth, exp_year: expYear } = card
  const expiry = expiryOf({ expMonth, expYear }, new Date())
  return [{ id, brand, last4, expMonth, expYear, expiry, isDefault: id === defaultId }]
}

function idOf(reference: string | { id: string } | null): string | null {
  return typeof reference === 'string' ? reference : (reference?.id ?? null)
}
