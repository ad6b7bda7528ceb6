import { CspEvaluator } from 'csp_evaluator/dist/evaluator.js'
import { CspParser } from 'csp_evaluator/dist/parser.js'

/** Of the evaluator's scale 60 is its mildest hint; what is above says that something is well. */
const WORST_ALLOWED = 60

/** What the evaluator has to say against a policy. */
export function cspFindings(policy: string): string[] {
  return new CspEvaluator(new CspParser(policy).csp)
    .evaluate()
    .filter(({ severity }) => severity <= WORST_ALLOWED)
    .map(
      ({ severity, directive, value, description }) =>
        `${severity} ${directive} ${value ?? ''}: ${description}`,
    )
}
