/** Stripe's words for each refusal of a card (stripe.R12). */
export type CardProblem = { code: string; declineCode: string | null; message: string; param: string | null }

const BY_DECLINE_CODE: Record<string, string> = {
  insufficient_funds: 'Your card has insufficient funds.',
  card_velocity_exceeded:
    'Your card was declined for making repeated attempts too frequently or exceeding its amount limit.',
  authentication_required: 'Your card was declined. This transaction requires authentication.',
  test_mode_live_card:
    'Your card was declined. Your request was in test mode, but used a non test (live) card. For a list of valid test cards, visit: https://docs.stripe.com/testing.',
}

const BY_CODE: Record<string, { message: string; param?: string }> = {
  card_declined: { message: 'Your card was declined.' },
  expired_card: { message: 'Your card has expired.', param: 'exp_month' },
  incorrect_cvc: { message: "Your card's security code is incorrect.", param: 'cvc' },
  processing_error: {
    message: 'An error occurred while processing your card. Try again in a little bit.',
  },
  incorrect_number: { message: 'Your card number is incorrect.', param: 'number' },
  invalid_expiry_month: { message: "Your card's expiration month is invalid.", param: 'exp_month' },
  invalid_expiry_year: { message: "Your card's expiration year is invalid.", param: 'exp_year' },
  invalid_cvc: { message: "Your card's security code is invalid.", param: 'cvc' },
}

export function cardProblem(code: string, declineCode: string | null = null): CardProblem {
  const known = BY_CODE[code]
  const special = declineCode ? BY_DECLINE_CODE[declineCode] : undefined
  return {
    code,
    declineCode,
    message: special ?? known?.message ?? 'Your card was declined.',
    param: known?.param ?? null,
  }
}
