// One Stripe that the scenarios are played against, and what it answered.
import Stripe from 'stripe'

/** What one call came to, without ids and times: what two Stripes can be compared by. */
export type Outcome = {
  step: string
  /** 200, or the status of the error. 0: the call never got an answer. */
  status: number
  type: string | null
  code: string | null
  declineCode: string | null
  param: string | null
  /** With ids taken out. Told, but a different wording is no difference. */
  message: string | null
  /** What else the scenario wants compared, e.g. the status of a payment. */
  facts: Record<string, unknown>
}

export type Side = {
  name: string
  stripe: Stripe
  /** Stripe tells of some things a few seconds late. */
  settleMs: number
}

/** What a scenario gets: the SDK, and a way to make a call that is written down. */
export type Stage = {
  stripe: Stripe
  /** For metadata and keys: unique for each run. */
  runId: string
  settle(): Promise<void>
  /**
   * Make a call and write down what came of it. `facts` picks what to compare of a success.
   * @returns what the call returned; null when it failed
   */
  step<T>(
    name: string,
    call: () => Promise<T>,
    facts?: (value: T) => Record<string, unknown>,
  ): Promise<T | null>
  /** As step(), where the scenario makes no sense without a success. @throws Impossible */
  must<T>(name: string, call: () => Promise<T>, facts?: (value: T) => Record<string, unknown>): Promise<T>
}

export class Impossible extends Error {}

/** An error as the SDK tells it. @throws whatever is no error of Stripe's: a mistake of ours. */
export function describeError(step: string, error: unknown): Outcome {
  if (!(error instanceof Stripe.errors.StripeError)) throw error
  return {
    step,
    status: error.statusCode ?? 0,
    type: error.rawType ?? error.type,
    code: error.code ?? null,
    declineCode: error.decline_code ?? null,
    param: error.param ?? null,
    message: withoutIds(error.message),
    facts: {},
  }
}

/** Ids and keys differ from run to run; the words around them should not. */
export function withoutIds(text: string): string {
  return text
    .replace(/\bconformance-[0-9a-f]+/g, '<run>')
    .replace(/\b(?:sk|pk|rk)_(?:test|live)_[\w*]+/g, '<key>')
    .replace(/\b([a-z]{2,6})_(?=\w*\d)[A-Za-z0-9]{8,}(?:_secret_\w+)?/g, '<$1>')
    .slice(0, 300)
}
