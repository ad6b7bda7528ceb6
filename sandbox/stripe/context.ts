import type { ResolvedConfig } from './config.ts'
import type { JobRunner } from './core/jobs.ts'
import type { Store } from './core/store.ts'

/** What every part that answers HTTP gets: the state, and how this server was set up. */
export type StripeContext = {
  store: Store
  config: ResolvedConfig
  jobs: JobRunner
}
