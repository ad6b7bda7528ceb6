import type Stripe from 'stripe'
import type { HandlerName } from '@/lib/edge/route-table'
import { CARD_CONSENT } from '@/lib/payment-methods/consent'
import { callService } from './db'
import type { Person } from './people'
import { get, post } from './requests'
import { stripeSdk } from './stripe-sdk'

/** Begin to save a card, as the page does. */
export function startCard(person: Person | null, options?: Parameters<typeof post>[3]): Promise<Response> {
  return post('/api/payment-methods', person, { consent: CARD_CONSENT.version }, options)
}

export const makeDefault = (person: Person | null, id: string) =>
  post(`/api/payment-methods/${id}/default`, person, undefined, { method: 'PUT' })

export const removeCard = (person: Person | null, id: string) =>
  post(`/api/payment-methods/${id}`, person, undefined, { method: 'DELETE' })

/** The person's customer at Stripe. */
export async function stripeCustomerOf(person: Person): Promise<string> {
  return await callService<string>('find_stripe_customer', { p_actor: person.id, p_livemode: false })
}

/** A card saved the whole way: our route, and what Stripe's fields do after it. */
export async function savedCard(
  person: Person,
  card = 'pm_card_visa',
  expiry: Stripe.PaymentMethodUpdateParams.Card = { exp_month: 7, exp_year: 2041 },
): Promise<string> {
  const response = await startCard(person)
  const { clientSecret } = (await response.json()) as { clientSecret: string }
  const [setupIntentId = ''] = clientSecret.split('_secret_')
  const stripe = stripeSdk()
  const setup = await stripe.setupIntents.confirm(setupIntentId, {
    payment_method: card,
    return_url: 'http://localhost/',
  })
  const id = String(setup.payment_method)
  await stripe.paymentMethods.update(id, { allow_redisplay: 'always', card: expiry })
  return id
}

type CardAddress = Extract<HandlerName, `${string}/api/payment-methods${string}`>

/** A right call of each address about cards. */
export async function cardRequests(person: Person): Promise<Record<CardAddress, () => Promise<Response>>> {
  const id = await savedCard(person)
  return {
    'GET /api/payment-methods': () => get('/api/payment-methods', person),
    'POST /api/payment-methods': () => startCard(person),
    'POST /api/payment-methods/sessions': () => post('/api/payment-methods/sessions', person, ''),
    'PUT /api/payment-methods/[id]/default': () => makeDefault(person, id),
    'DELETE /api/payment-methods/[id]': () => removeCard(person, id),
  }
}
