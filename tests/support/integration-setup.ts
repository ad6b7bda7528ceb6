import type { TestProject } from 'vitest/node'
import { type StackFacts, startStack } from './stack'

declare module 'vitest' {
  export interface ProvidedContext {
    stack: StackFacts
  }
}

/** One stack for all integration tests: two servers, one database. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { logs: _logs, stop, ...facts } = await startStack()
  project.provide('stack', facts)
  return stop
}
