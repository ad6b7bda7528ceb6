import { cardProblem } from '../cards/declines.ts'
import type { Decline } from '../cards/test-cards.ts'
import { docUrl, type ErrorBody, StripeError } from '../http/errors.ts'

type Involved = Pick<ErrorBody, 'charge' | 'payment_method' | 'payment_intent' | 'setup_intent'>

/** What an error and a PaymentIntent's `last_payment_error` have in common. */
export function describeDecline(decline: Decline) {
  const problem = cardProblem(decline.code, decline.declineCode)
  return {
    type: 'card_error' as const,
    code: problem.code,
    doc_url: docUrl(problem.code),
    message: problem.message,
    ...(problem.declineCode ? { decline_code: problem.declineCode } : {}),
    ...(problem.param ? { param: problem.param } : {}),
  }
}

/** 402. With a charge or a SetupIntent behind it the decline itself is recorded and stays. */
export function cardDeclined(decline: Decline, involved: Involved): StripeError {
  const keepsChanges = involved.charge !== undefined || involved.setup_intent !== undefined
  return new StripeError(402, { ...describeDecline(decline), ...involved }, { keepsChanges })
}
