import type Stripe from 'stripe'
import type { Store } from '../core/store.ts'
import { automaticCall } from '../http/call.ts'
import { failSetupAuthentication, finishAuthenticatedSetup } from '../saving/attempt-setup.ts'
import { failAuthentication, finishAuthenticated } from './attempt.ts'
import {
  type ChallengeState,
  closeChallenge,
  readChallenge,
  type StoredChallenge,
} from './challenge-store.ts'

/** A 3-D Secure question put to the customer's bank. `superseded`: the payment went another way before it was answered. */
export type Challenge = {
  token: string
  state: ChallengeState
  intentId: string
  clientSecret: string
  /** What is to be paid, in minor units of `currency`. Null when a card is only kept for later. */
  amount: { minor: number; currency: string } | null
  card: { brand: string; last4: string }
  /** Where the customer goes afterwards: only when the confirmation asked for a redirect; null when Stripe.js waits in the page. */
  returnUrl: string | null
}

export type CompletedChallenge = {
  challenge: Challenge
  /** The intent's status now: `succeeded` (`requires_capture` when that is done by hand), or `requires_payment_method` after a failure or a decline. */
  status: string
  /** `returnUrl` with `payment_intent` (or `setup_intent`), its `..._client_secret` and `redirect_status` filled in. */
  redirectTo: string | null
}

/** The bank agreed, whether the money is taken now or later. */
const PASSED = ['succeeded', 'requires_capture']

/** The challenge behind a token of `/3ds/:token`; null when there was never one. */
export function findChallenge(store: Store, token: string): Challenge | null {
  const found = load(store, token)
  return found && describe(found)
}

/** Answer for the bank. Only an open challenge changes anything; any other is returned as it stands. Null for an unknown token. */
export function completeChallenge(
  store: Store,
  token: string,
  answer: 'pass' | 'fail',
): CompletedChallenge | null {
  return store.transaction(() => {
    const found = load(store, token)
    if (!found) return null
    const { stored, intent, method } = found
    if (stored.state !== 'open' || intent.status !== 'requires_action') return completed(found)

    const call = automaticCall(store)
    closeChallenge(store, token, answer === 'pass' ? 'passed' : 'failed')
    if (intent.object === 'setup_intent') {
      const finish = answer === 'pass' ? finishAuthenticatedSetup : failSetupAuthentication
      finish(call, { ...intent, next_action: null }, method)
    } else {
      const finish = answer === 'pass' ? finishAuthenticated : failAuthentication
      finish(call, { ...intent, next_action: null }, method)
    }
    const after = load(store, token)
    return after && completed(after)
  })
}

type Loaded = {
  stored: StoredChallenge
  intent: Stripe.PaymentIntent | Stripe.SetupIntent
  method: NonNullable<ReturnType<typeof findMethod>>
}

function load(store: Store, token: string): Loaded | null {
  const stored = readChallenge(store, token)
  const intent =
    stored && (store.find('payment_intent', stored.intentId) ?? store.find('setup_intent', stored.intentId))
  const method = stored && findMethod(store, stored.paymentMethod)
  return stored && intent && method ? { stored, intent: intent.object, method } : null
}

function findMethod(store: Store, id: string) {
  return store.find('payment_method', id)
}

function describe({ stored, intent, method }: Loaded): Challenge {
  return {
    token: stored.token,
    state: stored.state,
    intentId: intent.id,
    clientSecret: intent.client_secret ?? '',
    amount: intent.object === 'payment_intent' ? { minor: intent.amount, currency: intent.currency } : null,
    card: { brand: method.object.card?.brand ?? '', last4: method.object.card?.last4 ?? '' },
    returnUrl: stored.returnUrl,
  }
}

function completed(found: Loaded): CompletedChallenge {
  const challenge = describe(found)
  return {
    challenge,
    status: found.intent.status,
    redirectTo: redirectTarget(challenge, found.intent),
  }
}

function redirectTarget(
  { returnUrl, clientSecret }: Challenge,
  { id, object, status }: Loaded['intent'],
): string | null {
  if (!returnUrl) return null
  const url = new URL(returnUrl)
  url.searchParams.set(object, id)
  url.searchParams.set(`${object}_client_secret`, clientSecret)
  url.searchParams.set('redirect_status', PASSED.includes(status) ? 'succeeded' : 'failed')
  return url.href
}
