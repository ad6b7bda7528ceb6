import type { AuditRow } from './books'
import { Violation } from './world'

// What the audit log tells of one thing, against what became of it and what it was at Stripe.

type Story = {
  what: string
  /** Its state before the first row. */
  first: string | null
  rows: readonly AuditRow[]
  /** Its state now. */
  status: string
  isStepBack?: (from: string, to: string) => boolean
}

/** Every state is told once, in order, and the last one is where it is now. */
export function checkStory({ what, first, rows, status, isStepBack }: Story): void {
  let state = first
  for (const { action, detail } of rows) {
    const next = action.slice(action.indexOf('.') + 1)
    if (next === state) fail(`${what} has two audit rows for ${next}`)
    if ('from' in detail && (detail.from ?? null) !== state)
      fail(`${what} went to ${next} from ${detail.from}, but the audit log has it at ${state}`)
    if (state && isStepBack?.(state, next)) fail(`${what} went from ${state} to ${next}`)
    state = next
  }
  if (state !== status) fail(`${what} is ${status}, but the audit log has it at ${state}`)
}

/** What we held to be true follows Stripe's order of things: it may skip a state, and never returns to an older one. */
export function follows(
  { id, history }: { id: string; history: readonly string[] },
  states: readonly string[],
): void {
  let at = -1
  for (const state of states) {
    at = history.indexOf(state, at + 1)
    if (at < 0) fail(`${id} was ${history.join(', ')} at Stripe, and here ${states.join(', ')}`)
  }
}

export function groupBy<Item>(items: readonly Item[], key: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group) group.push(item)
    else groups.set(key(item), [item])
  }
  return groups
}

export function fail(message: string): never {
  throw new Violation(message)
}
