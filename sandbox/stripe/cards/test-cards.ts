/**
 * Stripe's test cards (stripe.C1-C34): what each number stands for. Only the key of a row is ever stored, never a number.
 */
export type Decline = { code: string; declineCode: string | null }

export type TestCard = {
  number: string
  /** `pm_card_<name>` and `tok_<name>`. */
  names: string[]
  brand: string
  country: string
  funding: 'credit' | 'debit'
  threeDSecure: ThreeDSecure
  decline: Decline | null
  /** `first`: the decline comes at once. `any`: the card fits any of the rules. Only then is a decline tied to the CVC. */
  declineNeedsCvc: boolean
  /** Attaching the card to a customer fails with the same decline (stripe.C12). */
  attachFails: boolean
  checks: { cvc: 'pass' | 'fail'; postalCode: 'pass' | 'fail' }
  risk: 'normal' | 'elevated' | 'highest'
  /** Not every aftermath is acted out yet: the payment itself succeeds. */
  aftermath: Aftermath | null
}

/**
 * When the customer's bank asks for 3-D Secure:
 * - `unenrolled`: never. `unsupported`: the card cannot. `optional`: only when the merchant asks for it.
 * - `required`: in every payment with the customer present; without them it declines.
 * - `untilSetUp`: always with the customer present; without them only while the card was not set up for it.
 * - `presentOnly`: with the customer present; payments without them succeed.
 * - `lookupFails`: required, but asking for it breaks. `optionalLookupFails`: the same when the merchant asks.
 */
export type ThreeDSecure =
  | 'unenrolled'
  | 'unsupported'
  | 'optional'
  | 'optionalLookupFails'
  | 'required'
  | 'untilSetUp'
  | 'presentOnly'
  | 'lookupFails'

export type Aftermath =
  | 'dispute'
  | 'disputeProductNotReceived'
  | 'inquiry'
  | 'fraudWarning'
  | 'manyDisputes'
  | 'pendingRefund'
  | 'failingRefund'
  | 'availableAtOnce'

export type TestCardKey = string

const VISA = { brand: 'visa', country: 'US' } as const

const plain: Omit<TestCard, 'number' | 'names'> = {
  ...VISA,
  funding: 'credit',
  threeDSecure: 'unenrolled',
  decline: null,
  declineNeedsCvc: false,
  attachFails: false,
  checks: { cvc: 'pass', postalCode: 'pass' },
  risk: 'normal',
  aftermath: null,
}

function card(number: string, names: string[], differences: Partial<TestCard> = {}): TestCard {
  return { ...plain, ...differences, number, names }
}

/** A card that fails every payment and cannot be saved either. */
function declined(number: string, name: string, code: string, declineCode: string | null = null): TestCard {
  return card(number, [name], { decline: { code, declineCode }, attachFails: true })
}

const declinedAs = (declineCode: string): Decline => ({ code: 'card_declined', declineCode })

const CARDS: Record<TestCardKey, TestCard> = {
  visa: card('4242424242424242', ['visa']),
  visaDebit: card('4000056655665556', ['visa_debit'], { funding: 'debit' }),
  mastercard: card('5555555555554444', ['mastercard'], { brand: 'mastercard' }),
  discover: card('6011111111111117', ['discover'], { brand: 'discover' }),
  jcb: card('3566002020360505', ['jcb'], { brand: 'jcb', country: 'JP' }),
  diners: card('3056930009020004', ['diners'], { brand: 'diners' }),
  amex: card('378282246310005', ['amex', 'amex_threeDSecureNotSupported'], {
    brand: 'amex',
    threeDSecure: 'unsupported',
  }),

  generic: declined('4000000000000002', 'visa_chargeDeclined', 'card_declined', 'generic_decline'),
  insufficientFunds: declined(
    '4000000000009995',
    'visa_chargeDeclinedInsufficientFunds',
    'card_declined',
    'insufficient_funds',
  ),
  lost: declined('4000000000009987', 'visa_chargeDeclinedLostCard', 'card_declined', 'lost_card'),
  stolen: declined('4000000000009979', 'visa_chargeDeclinedStolenCard', 'card_declined', 'stolen_card'),
  velocity: declined(
    '4000000000006975',
    'visa_chargeDeclinedVelocityLimitExceeded',
    'card_declined',
    'card_velocity_exceeded',
  ),
  expired: declined('4000000000000069', 'chargeDeclinedExpiredCard', 'expired_card'),
  processingError: declined('4000000000000119', 'chargeDeclinedProcessingError', 'processing_error'),
  incorrectCvc: {
    ...declined('4000000000000127', 'chargeDeclinedIncorrectCvc', 'incorrect_cvc'),
    declineNeedsCvc: true,
    checks: { cvc: 'fail', postalCode: 'pass' },
  },
  failsAfterAttach: card('4000000000000341', ['chargeCustomerFail'], {
    decline: declinedAs('generic_decline'),
  }),

  authenticateOnSetup: card('4000002500003155', ['authenticationRequiredOnSetup'], {
    threeDSecure: 'untilSetUp',
  }),
  authenticateAlways: card('4000002760003184', ['authenticationRequired'], { threeDSecure: 'required' }),
  authenticateWhenPresent: card('4000003800000446', ['authenticationRequiredSetupForOffSession'], {
    threeDSecure: 'presentOnly',
  }),
  authenticateThenInsufficient: card(
    '4000008260003178',
    ['authenticationRequiredChargeDeclinedInsufficientFunds'],
    { threeDSecure: 'required', decline: declinedAs('insufficient_funds') },
  ),
  threeDSecureRequired: card('4000000000003220', ['threeDSecure2Required'], { threeDSecure: 'required' }),
  threeDSecureThenDeclined: card('4000008400001629', ['threeDSecureRequiredChargeDeclined'], {
    threeDSecure: 'required',
    decline: declinedAs('generic_decline'),
  }),
  threeDSecureLookupError: card('4000008400001280', ['threeDSecureRequiredProcessingError'], {
    threeDSecure: 'lookupFails',
    decline: declinedAs('generic_decline'),
  }),
  threeDSecureOptional: card('4000000000003055', ['threeDSecureOptional'], { threeDSecure: 'optional' }),
  threeDSecureOptionalError: card('4000000000003097', ['threeDSecureOptionalProcessingError'], {
    threeDSecure: 'optionalLookupFails',
  }),

  dispute: card('4000000000000259', ['createDispute'], { aftermath: 'dispute' }),
  disputeNotReceived: card('4000000000002685', ['createDisputeProductNotReceived'], {
    aftermath: 'disputeProductNotReceived',
  }),
  inquiry: card('4000000000001976', ['createDisputeInquiry'], { aftermath: 'inquiry' }),
  fraudWarning: card('4000000000005423', ['createIssuerFraudRecord'], { aftermath: 'fraudWarning' }),
  manyDisputes: card('4000000404000079', ['createMultipleDisputes'], { aftermath: 'manyDisputes' }),
  pendingRefund: card('4000000000007726', ['pendingRefund'], { aftermath: 'pendingRefund' }),
  failingRefund: card('4000000000005126', ['refundFail'], { aftermath: 'failingRefund' }),
  bypassPending: card('4000000000000077', ['bypassPending'], { aftermath: 'availableAtOnce' }),
  bypassPendingAbroad: card('4000003720000278', ['bypassPendingInternational'], {
    country: 'IE',
    aftermath: 'availableAtOnce',
  }),

  blocked: card('4100000000000019', ['radarBlock'], {
    decline: declinedAs('fraudulent'),
    risk: 'highest',
  }),
  elevatedRisk: card('4000000000009235', ['riskLevelElevated'], { risk: 'elevated' }),
  cvcCheckFails: card('4000000000000101', ['cvcCheckFail'], { checks: { cvc: 'fail', postalCode: 'pass' } }),
  zipCheckFails: card('4000000000000036', ['avsZipFail'], { checks: { cvc: 'pass', postalCode: 'fail' } }),
}

const BY_NUMBER = new Map(Object.entries(CARDS).map(([key, { number }]) => [number, key]))
const BY_NAME = new Map(
  Object.entries(CARDS).flatMap(([key, { names }]) => names.map((name) => [name, key] as const)),
)

export function testCard(key: TestCardKey): TestCard {
  const found = CARDS[key]
  if (!found) throw new Error(`No test card is called ${key}: this database was written by another version`)
  return found
}

export function findCardByNumber(number: string): TestCardKey | null {
  return BY_NUMBER.get(number) ?? null
}

/** `pm_card_visa` or `tok_visa`: a template, from which each use makes a new payment method. */
export function findCardByTemplate(id: string): TestCardKey | null {
  const name = /^(?:pm_card|tok)_(.+)$/.exec(id)?.[1]
  return name ? (BY_NAME.get(name) ?? null) : null
}
