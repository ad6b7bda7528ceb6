// `npm run check`: the fast half of `npm test`, for use while writing.
import { runSteps } from './steps.ts'
import { lint, types, vitest } from './test-steps.ts'

process.exit(await runSteps([lint, types, vitest('unit')]))
