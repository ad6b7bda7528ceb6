/** What Stripe says about a failed try: `code` always, `declineCode` when the bank gave a reason. */
export type Failure = { code?: string | null; declineCode?: string | null }

const DECLINED = 'Your bank declined this card. Try another card or call the number on its back.'
const WRONG_KIND = 'This card cannot be used for this payment. Try another card.'
const LIMIT = 'This card has reached its limit. Try another card or call the number on its back.'
const NO_ANSWER = 'Your bank did not answer. Try again in a few minutes, or use another card.'
const NOT_CONFIRMED = 'Your bank could not confirm that it is you. Try again, or use another card.'
const NUMBER = 'The card number is not right. Check it and try again.'
const EXPIRY = 'The expiry date is not right. Check it and try again.'
const CVC = 'The security code is not right. Check the digits and try again.'

/**
 * Reasons a customer can do something about. Whatever is missing here reads as a plain decline, and so do, on purpose,
 * all reasons that have to do with fraud (stolen_card, lost_card, fraudulent, pickup_card, …): naming those would
 * tell the wrong person what the bank knows.
 */
const WORDS: Readonly<Record<string, string>> = {
  insufficient_funds: 'There is not enough money on this card. Try another card.',
  expired_card: 'This card has expired. Try another card.',
  incorrect_cvc: CVC,
  invalid_cvc: CVC,
  incorrect_number: NUMBER,
  invalid_number: NUMBER,
  invalid_expiry_month: EXPIRY,
  invalid_expiry_year: EXPIRY,
  incorrect_zip: 'The postal code does not match the card. Check it and try again.',
  card_velocity_exceeded: LIMIT,
  withdrawal_count_limit_exceeded: LIMIT,
  card_not_supported: WRONG_KIND,
  currency_not_supported: WRONG_KIND,
  transaction_not_allowed: WRONG_KIND,
  processing_error: 'Something went wrong between the banks. You were not charged. Try again in a moment.',
  issuer_not_available: NO_ANSWER,
  try_again_later: NO_ANSWER,
  reenter_transaction: NO_ANSWER,
  authentication_required: NOT_CONFIRMED,
  authentication_not_handled: NOT_CONFIRMED,
  authentication_failed: NOT_CONFIRMED,
  payment_intent_authentication_failure: NOT_CONFIRMED,
}

/** One sentence or two that say what the customer can do. The bank's reason goes before the general code. */
export function declineWords({ code, declineCode }: Failure): string {
  return (declineCode && WORDS[declineCode]) || (code && WORDS[code]) || DECLINED
}
