import 'server-only'
import { z } from 'zod'
import { callService } from '../db/sql'
import { env } from '../env'
import { isAppError } from '../errors'
import { errorFields, log } from '../log'
import { endSignal } from '../process/drain'
import type { Stripe } from '../stripe/server'
import { askAboutCards } from './ask-about-cards'
import { brandName } from './brands'
import { endsByNextMonth } from './expiry'

const BATCH = 20
/** Platforms cut a request off after a minute or so; what is left then is for the next call. */
const TIME_BUDGET_MS = 25_000

const Claimed = z.array(z.object({ customerId: z.uuid(), stripeCustomerId: z.string() }))

/**
 * Look at the saved cards of everybody whose turn it is, and owe a mail for each that ends by the end of next month. Any number
 * of runs may go on at once: each customer is claimed by one.
 */
export async function checkExpiry(): Promise<{ customers: number; ending: number; failures: number }> {
  const deadline = Date.now() + TIME_BUDGET_MS
  const { livemode } = env()
  const checked = { customers: 0, ending: 0, failures: 0 }
  for (;;) {
    const claimed = Claimed.parse(
      await callService('cards_to_check', { p_livemode: livemode, p_limit: BATCH }),
    )
    for (const { customerId, stripeCustomerId } of claimed) {
      if (Date.now() > deadline || endSignal().aborted) return checked
      try {
        const ending = (await cardsOf(stripeCustomerId)).flatMap((method) => endingCard(method, new Date()))
        await callService('cards_checked', {
          p_livemode: livemode,
          p_customer_id: customerId,
          p_ending: { json: ending },
        })
        checked.customers++
        checked.ending += ending.length
      } catch (error) {
        // Its claim runs out in an hour; it holds up nobody else.
        checked.failures++
        log.warn('card_check_failed', errorFields(error))
      }
    }
    if (claimed.length < BATCH) return checked
  }
}

async function cardsOf(stripeCustomerId: string): Promise<Stripe.PaymentMethod[]> {
  try {
    const { data } = await askAboutCards((stripe) =>
      stripe.customers.listPaymentMethods(stripeCustomerId, { type: 'card', limit: 100 }),
    )
    return data
  } catch (error) {
    // Deleted at Stripe: no customer, no cards.
    if (isAppError(error, 'not_found')) return []
    throw error
  }
}

/** What the mail has to say of it: lib/mails/facts.ts. */
function endingCard({ id, card }: Stripe.PaymentMethod, now: Date) {
  if (!card) return []
  const { brand, last4, exp_month: expMonth, exp_year: expYear } = card
  if (!endsByNextMonth({ expMonth, expYear }, now)) return []
  return [{ id, brand: brandName(brand) ?? 'saved', last4, expMonth, expYear }]
}
