import 'server-only'
import { z } from 'zod'
import type { User } from '../auth/session'
import { callService } from '../db/sql'
import { env } from '../env'

const Owed = z.object({
  invoiceId: z.uuid(),
  amountMinor: z.number().int(),
  currency: z.string(),
  /** The bank wants to hear from the person. */
  needsAction: z.boolean(),
  grace: z.enum(['running', 'cleared', 'ended']).nullable(),
  graceEndsAt: z.string().nullable(),
})

const MySubscription = z.object({
  id: z.uuid(),
  status: z.string(),
  plan: z.string().nullable(),
  planId: z.uuid().nullable(),
  group: z.string().nullable(),
  amountMinor: z.number().int().nullable(),
  currency: z.string().nullable(),
  interval: z.string().nullable(),
  beganAt: z.string(),
  currentPeriodEnd: z.string().nullable(),
  cancelAt: z.string().nullable(),
  endedAt: z.string().nullable(),
  owed: Owed.nullable(),
})
export type MySubscription = z.infer<typeof MySubscription>

const Answer = z.object({
  subscriptions: z.array(MySubscription),
  /** A Checkout page of theirs is open. */
  isSubscribing: z.boolean(),
})

/** A person's own subscriptions, those that run first. */
export async function mySubscriptions(user: User): Promise<z.infer<typeof Answer>> {
  return Answer.parse(await callService('my_subscriptions', { p_actor: user.id, p_livemode: env().livemode }))
}
