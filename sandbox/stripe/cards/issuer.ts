import type { Decline, TestCard } from './test-cards.ts'

/** What the customer's bank is asked. */
export type Situation = {
  card: TestCard
  cvcGiven: boolean
  /** Authenticated before for payments like this one. */
  setUp: boolean
  offSession: boolean
  /** The merchant asks for 3-D Secure although the rules do not. */
  merchantAsks: boolean
  /** The customer has just passed the challenge. */
  authenticated: boolean
}

export type ThreeDSecureResult =
  | 'authenticated'
  | 'attempt_acknowledged'
  | 'not_supported'
  | 'processing_error'

export type Verdict =
  | { kind: 'approve'; threeDSecure: ThreeDSecureResult | null }
  | { kind: 'challenge' }
  | { kind: 'decline'; decline: Decline; threeDSecure: ThreeDSecureResult | null }

/** Nobody is there to answer the challenge, or the merchant would rather fail than ask. */
export const AUTHENTICATION_REQUIRED: Decline = {
  code: 'authentication_required',
  declineCode: 'authentication_required',
}

/** The bank's answer to a payment. Pure: everything it depends on is in the situation. */
export function decide(situation: Situation): Verdict {
  const { card, authenticated, offSession } = situation
  if (!authenticated && needsAuthentication(situation)) {
    if (!offSession) return { kind: 'challenge' }
    return {
      kind: 'decline',
      decline: AUTHENTICATION_REQUIRED,
      threeDSecure: null,
    }
  }
  const threeDSecure = authenticated ? 'authenticated' : resultWithoutChallenge(situation)
  const applies = card.decline !== null && (!card.declineNeedsCvc || situation.cvcGiven)
  if (card.decline && applies) return { kind: 'decline', decline: card.decline, threeDSecure }
  return { kind: 'approve', threeDSecure }
}

/** Its answer to keeping the card for later. Most cards that decline payments can be kept all the same (stripe.C11, stripe.C12). */
export function decideSetup(situation: Omit<Situation, 'offSession'>): Verdict {
  const { card } = situation
  const refuses = card.attachFails || card.threeDSecure === 'lookupFails'
  return decide({ ...situation, offSession: false, card: refuses ? card : { ...card, decline: null } })
}

function needsAuthentication({ card, setUp, offSession, merchantAsks }: Situation): boolean {
  switch (card.threeDSecure) {
    case 'required':
      return true
    case 'untilSetUp':
      return !(offSession && setUp)
    case 'presentOnly':
      return !offSession
    case 'optional':
      return merchantAsks && !offSession
    default:
      return false
  }
}

/** Asked for on a card that is never challenged: "attempted" is all one gets (stripe.C22). */
function resultWithoutChallenge({ card, merchantAsks, offSession }: Situation): ThreeDSecureResult | null {
  if (card.threeDSecure === 'lookupFails') return 'processing_error'
  if (!merchantAsks || offSession) return null
  if (card.threeDSecure === 'unsupported') return 'not_supported'
  if (card.threeDSecure === 'optionalLookupFails') return 'processing_error'
  return 'attempt_acknowledged'
}
