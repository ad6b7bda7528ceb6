import { z } from 'zod'
import { localPath } from '../auth/local-path'

/** A page of ours, so that no mail leads anywhere else. */
const path = z.string().refine((value) => value !== '/' && localPath(value) === value)
const amountMinor = z.number().int().nonnegative()
const currency = z.string().regex(/^[a-z]{3}$/)
const reference = z.string().nullable().default(null)

/** What each kind of mail tells, as it is written into private.outbox with the fact. No address, no name of a person. */
const FACTS = {
  receipt: z.object({ paymentId: z.uuid(), amountMinor, currency, reference }),
  refund: z.object({ paymentId: z.uuid(), amountMinor, currency, reference }),
  /** An order that can be paid again; a subscription's payment comes with the page where its card is changed. */
  failed_payment: z.union([
    z.object({ paymentId: z.uuid(), orderId: z.uuid(), reference }),
    z.object({ name: z.string(), path }),
  ]),
  /** The bank wants its customer to confirm a payment that was made without them. */
  action_needed: z.object({ name: z.string(), path }),
  /** Access goes on until `endsAt`. */
  grace_started: z.object({ name: z.string(), endsAt: z.iso.datetime({ offset: true }), path }),
  card_expiring: z.object({
    brand: z.string(),
    last4: z.string().regex(/^\d{4}$/),
    expMonth: z.number().int().min(1).max(12),
    expYear: z.number().int(),
    path,
  }),
  payment_request: z.object({
    orderId: z.uuid(),
    reference: z.string(),
    expiresAt: z.iso.datetime({ offset: true }),
  }),
}

export type MailKind = keyof typeof FACTS
export type MailFacts = { [Kind in MailKind]: { kind: Kind; facts: z.infer<(typeof FACTS)[Kind]> } }[MailKind]

/** @throws z.ZodError when the kind is unknown or its facts are not those of the list. */
export function readFacts(kind: string, facts: unknown): MailFacts {
  const known = z.enum(Object.keys(FACTS) as [MailKind, ...MailKind[]]).parse(kind)
  // Kind and facts belong together: the one chose the schema of the other.
  return { kind: known, facts: FACTS[known].parse(facts) } as MailFacts
}
