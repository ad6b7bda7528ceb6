// What is played against our Stripe and the real one. Most of it is about rows of the list of behaviours that rest on a third party's word
// or on our own guess (2ND and INF): those are what this is for.
import { cardScenarios } from './card-scenarios.ts'
import { objectScenarios } from './object-scenarios.ts'
import { paymentScenarios } from './payment-scenarios.ts'
import { requestScenarios } from './request-scenarios.ts'
import type { Scenario } from './scenario.ts'

export const SCENARIOS: readonly Scenario[] = [
  ...paymentScenarios,
  ...cardScenarios,
  ...requestScenarios,
  ...objectScenarios,
]
