// `npm run test:soak`: what takes too long for every commit. Ten thousand schedules from a new seed, then the integration
// tests with SOAK=1, in which the crash points are met twenty times each. `npm run test:soak -- simulation` (or integration,
// with the names of files) runs one part.
import { runSteps } from './steps.ts'
import { productionBuild, soakedIntegration, soakedSimulation } from './test-steps.ts'

const [part, ...files] = process.argv.slice(2)

const parts = {
  simulation: [soakedSimulation],
  integration: [productionBuild, soakedIntegration(files)],
}
if (part !== undefined && !(part in parts)) {
  console.error(`There is no part "${part}". The parts are simulation and integration.`)
  process.exit(2)
}
process.exit(
  await runSteps(part ? parts[part as keyof typeof parts] : [...parts.simulation, ...parts.integration]),
)
