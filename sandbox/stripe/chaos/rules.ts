import { z } from 'zod'
import { invalidParameter } from '../http/errors.ts'
import { FAULT_NAMES, FAULT_POINTS, type FaultName } from './faults.ts'

/** When a fault happens. Matchers may have `*` for anything; a matcher that is not given matches all. */
export const ruleSchema = z
  .strictObject({
    fault: z.enum(FAULT_NAMES as [FaultName, ...FaultName[]]),
    /** Of the API call: `POST`, `/v1/refunds`, `/v1/payment_intents/*`. */
    method: z.enum(['GET', 'POST', 'DELETE']).optional(),
    path: z.string().max(200).optional(),
    /** Of the event: `charge.*`. */
    eventType: z.string().max(100).optional(),
    /** Matches that are let pass first. */
    skip: z.int().min(0).default(0),
    /** How often it happens at most; null for no end. */
    count: z.int().min(1).nullable().default(null),
    probability: z.number().min(0).max(1).default(1),
    ms: z.int().min(0).max(3_600_000).optional(),
    attempts: z.int().min(1).max(20).default(1),
    copies: z.int().min(1).max(10).default(1),
    seconds: z
      .int()
      .min(0)
      .max(400 * 24 * 60 * 60)
      .optional(),
  })
  .superRefine((rule, context) => {
    const point = FAULT_POINTS[rule.fault]
    const fits = { method: point === 'request', path: point === 'request', eventType: point === 'event' }
    for (const name of ['method', 'path', 'eventType'] as const) {
      if (rule[name] === undefined || fits[name]) continue
      context.addIssue({ code: 'custom', path: [name], message: `${rule.fault} is not decided by ${name}` })
    }
  })

export type Rule = z.infer<typeof ruleSchema>
export type RuleInput = z.input<typeof ruleSchema>

/** What is about to happen, for a rule to match. `subject` is for the log. */
export type Occasion =
  | { point: 'request'; method: string; path: string; subject: string }
  | { point: 'event'; eventType: string; subject: string }
  | { point: 'refund' | 'challenge'; subject: string }

export function matches(rule: Rule, occasion: Occasion): boolean {
  if (FAULT_POINTS[rule.fault] !== occasion.point) return false
  if (occasion.point === 'request') {
    return fits(rule.method, occasion.method) && fits(rule.path, occasion.path)
  }
  return occasion.point !== 'event' || fits(rule.eventType, occasion.eventType)
}

function fits(pattern: string | undefined, value: string): boolean {
  if (pattern === undefined) return true
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`).test(value)
}

/** The header `x-local-chaos: after.reset, webhook.delay;ms=300`: faults for this one call and what it brings about. @throws StripeError */
export function readChaosHeader(header: string | undefined): Rule[] {
  if (!header) return []
  return header.split(',').map((wish) => {
    const [fault = '', ...settings] = wish.split(';').map((part) => part.trim())
    const numbers = settings.map((setting) => {
      const [name = '', value = ''] = setting.split('=')
      return [name, Number(value)]
    })
    const parsed = ruleSchema.safeParse({ fault, ...Object.fromEntries(numbers) })
    if (parsed.success) return parsed.data
    throw invalidParameter('x-local-chaos', `local stand-in: ${wish.trim().slice(0, 100)} is no fault`)
  })
}
