import { inject } from 'vitest'
import type { StackFacts } from './stack'

/** The stack all integration tests share. */
export function stack(): StackFacts {
  return inject('stack')
}
