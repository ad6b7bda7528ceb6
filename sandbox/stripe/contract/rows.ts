/**
 * How a behaviour of Stripe is known. RUN: measured. SDK: read in the installed packages. DOC: text of a page of docs.stripe.com. OBS: output of
 * the real Stripe that somebody published. 2ND: a third party quoting Stripe. INF: our inference or decision. Nothing was compared with the live
 * API; `npm run conformance` with a test key does that, and 2ND and INF are what it is for.
 */
export type Evidence = 'RUN' | 'SDK' | 'DOC' | 'OBS' | '2ND' | 'INF'

/** One behaviour. A test that proves it has `stripe.<id>` at the beginning of its name. */
export type Row = { id: string; evidence: readonly Evidence[]; behaviour: string }

/** `id | evidence | behaviour`, one a line. */
const TABLE = `
C1 | DOC | 4242… succeeds and is never challenged
C2 | DOC | …0002 is declined: generic_decline
C3 | DOC | …9995 is declined: insufficient_funds
C4 | DOC | …9987 is declined: lost_card
C5 | DOC | …9979 is declined: stolen_card
C6 | DOC | …0069 is refused: expired_card
C7 | DOC | …0127 is refused when a CVC is given: incorrect_cvc
C8 | DOC | …0119 is refused: processing_error
C9 | DOC | a number with a wrong check digit: incorrect_number
C10 | DOC | …6975 is declined: card_velocity_exceeded
C11 | DOC INF | …0341 attaches, every charge fails; the decline code is not stated
C12 | DOC | cards that decline cannot be attached to a customer
C13 | DOC | …3155 is challenged on session; off session only unless set up
C14 | DOC | …3184 is challenged every time
C15 | DOC | …0446 is challenged on session only
C16 | DOC | …3178 is challenged, then insufficient_funds
C17 | DOC | …3220 needs 3-D Secure and succeeds
C18 | DOC | …1629 passes 3-D Secure and is declined
C19 | DOC | …1280 fails in the lookup of 3-D Secure
C20 | DOC | …3055 and …3097 support 3-D Secure and are not asked
C21 | DOC | …0005 (Amex) has no 3-D Secure; its CVC has 4 digits
C22 | DOC | other cards asked for 3-D Secure: attempt_acknowledged
C23 | DOC | …0259 succeeds, then is disputed as fraudulent
C24 | DOC | …2685 succeeds, then is disputed as product_not_received
C25 | DOC OBS | …1976 succeeds, then an inquiry; no money moves
C26 | DOC | …5423 raises an early fraud warning, …0079 several disputes
C27 | DOC | evidence winning_evidence or losing_evidence decides a dispute
C28 | DOC | …7726: a refund is pending first
C29 | DOC | …5126: a refund fails later
C30 | DOC | …0077 and …0278 skip the pending balance
C31 | DOC | …0019 is always blocked as too risky
C32 | DOC | …9235, …0101, …0036 succeed with failed checks
C33 | DOC | impossible months, years, codes and numbers have errors of their own
C34 | 2ND | one card of each other brand succeeds
P1 | DOC | created without a payment method: requires_payment_method
P2 | DOC | created with one, not confirmed: requires_confirmation
P3 | DOC | confirmed and approved: succeeded
P4 | DOC | confirmed, challenge needed: requires_action with next_action
P5 | DOC SDK | declined: back to requires_payment_method, 402 with the intent
P6 | DOC | a passed challenge goes on as without
P7 | OBS | a failed challenge: payment_intent_authentication_failure
P8 | DOC | manual capture: requires_capture
P9 | DOC | captured in part: the rest is released
P10 | SDK | cancelable states; canceling releases an authorization
P11 | SDK | a final state takes no action: payment_intent_unexpected_state
P12 | SDK | the intent of a Checkout Session is not canceled by itself
P13 | SDK | an authorization ends after 7 days
P14 | DOC | off session and a challenge needed: authentication_required
P15 | SDK INF | error_on_requires_action fails instead of asking
P16 | SDK INF | next_action is for Stripe.js or a redirect
P17 | DOC OBS | balance_transaction comes later, with charge.updated
P18 | SDK | a publishable key needs the client secret and sees a part
P19 | SDK | another payment method must be confirmed again
E1 | OBS | created, later charge.succeeded, payment_intent.succeeded, charge.updated
E2 | OBS | created and confirmed at once: created comes last
E3 | OBS | Checkout in payment mode
E4 | OBS | Checkout in subscription mode
E5 | SDK INF | a decline: charge.failed, payment_intent.payment_failed
E6 | SDK INF | a challenge: requires_action first; a failed one has no charge
E7 | SDK INF | manual capture: amount_capturable_updated, then charge.captured
E8 | SDK INF | canceled; charge.refunded when an authorization is released
E9 | OBS | a saved card: created, payment_method.attached, succeeded
E10 | SDK | a setup that fails or needs action
E11 | 2ND | detached: customer is null; previous_attributes on updates only
E12 | OBS | refund.created, charge.refunded, refund.updated, charge.refund.updated
E13 | SDK INF | the events of a dispute from its opening to its end
E14 | SDK DOC INF | a subscription that waits for its first payment
E15 | 2ND INF | a renewal, paid or not
E16 | OBS | a subscription canceled now or at the end of its period
E17 | OBS | a portal session is created
E18 | SDK | a Checkout Session expires
E19 | SDK | a trial ends in 3 days
E20 | SDK | a test clock is created, advances, is ready
R1 | DOC SDK | the shape of an error, and a Request-Id
R2 | DOC | the statuses of answers
R3 | DOC | no key or a wrong one: 401
R4 | 2ND INF | a publishable key where a secret one belongs: 401
R5 | OBS INF | unknown objects: 404 in the path, 400 in a parameter
R6 | SDK INF | unknown and missing parameters are refused by name
R7 | 2ND | an unknown address: 404
R8 | OBS | too small an amount: amount_too_small
R9 | 2ND | refunding more than is left: 400 without a code
R10 | SDK OBS | refunding again: charge_already_refunded
R11 | SDK INF | refunding what is disputed: charge_disputed
R12 | OBS | the texts of declines
R13 | SDK | too many requests: 429 rate_limit
N1 | RUN | the SDK takes a body without error for success
N2 | RUN | the SDK chooses the class of an error by its status
N3 | RUN | the SDK retries twice by default
N4 | RUN | the SDK retries 409, 5xx and broken connections; stripe-should-retry decides
N5 | RUN | the SDK retries a reset once even when told not to
N6 | RUN | the SDK does not retry a truncated answer
N7 | RUN | the SDK sends an idempotency key with every POST
N8 | RUN | the SDK's way to encode parameters
N9 | RUN | exact decimals travel as text
N10 | RUN | an answer that is no JSON
N11 | RUN | no stripe-notice header is sent
N12 | RUN | the SDK takes host, port and protocol when it is made
I1 | DOC | keys belong to POST, have 255 characters at most and live for a day at least
I2 | DOC 2ND | the first answer is replayed, errors included, and marked so
I3 | DOC | other parameters: idempotency_error
I4 | SDK OBS INF | a second request meanwhile: 409 idempotency_key_in_use
I5 | DOC | what was refused before it began is not kept
I6 | DOC 2ND | method, path and parameters are what is compared
W1 | DOC OBS 2ND | the Stripe-Signature header has t, v1 and in test mode v0
W2 | SDK RUN | what is signed, with which key
W3 | SDK | signatures are too old after 300 seconds
W4 | 2ND | a retry is signed anew, the event is the same
W5 | 2ND | two secrets sign while one is being replaced
W6 | 2ND | 2xx is a success, a redirect is not
W7 | DOC 2ND | failed deliveries are repeated, in a sandbox 3 times
W8 | DOC | a disabled or deleted endpoint gets no retries
W9 | DOC | the order of deliveries is not promised
W10 | 2ND | an event may come twice, or as two events
W11 | SDK | data.object is as it was then
W12 | SDK INF | the version of an event is its endpoint's
W13 | SDK | pending_webhooks and request tell of deliveries and the cause
W14 | SDK DOC | events can be listed, filtered by delivery and sent again
W15 | SDK 2ND | an endpoint's secret is told once; 16 endpoints at most
W16 | 2ND | Checkout waits up to 10 seconds for the shop
W17 | 2ND | a part's event is not its parent's
L1 | DOC INF | limit, cursors, newest first
L2 | DOC | lists by time of creation
L3 | DOC | expand, up to 4 levels
L4 | SDK INF | metadata: limits, merging, unsetting
L5 | OBS | ids and client secrets look like Stripe's
L6 | INF | {CHECKOUT_SESSION_ID} in success_url
L7 | SDK | what deleted objects look like
A1 | SDK | whole minor units, up to 8 digits, a minimum
A2 | DOC | currencies without decimals
A3 | DOC INF | ISK, HUF and UGX are special
A4 | DOC INF | currencies with three decimals end in 0
A5 | 2ND | the minimum of each currency
A6 | 2ND | the minimum is that of the settlement currency
V1 | SDK INF | payment_method_types is gone from what creates an intent or a session
V2 | SDK | periods are on a subscription's items, what paid an invoice is in its payments
V3 | SDK | a Checkout Session says by ui_mode where its fields are
`

export const ROWS: readonly Row[] = TABLE.trim().split('\n').map(readRow)

function readRow(line: string): Row {
  const [id = '', evidence = '', behaviour = ''] = line.split(' | ')
  // The table is above; a test holds each row against what is allowed here.
  return { id, evidence: evidence.split(' ') as Evidence[], behaviour }
}
