// `npm test`: everything, in the order in which a failure is cheapest to learn about. `npm test -- unit` (or
// simulation, sandbox, integration, e2e) runs one part, and what follows the part's name goes to its runner.
import { runSteps, type Step } from './steps.ts'
import { browser, endToEnd, lint, productionBuild, types, vitest } from './test-steps.ts'

const [part, ...rest] = process.argv.slice(2)

process.exit(await runSteps(stepsFor(part)))

function stepsFor(name: string | undefined): Step[] {
  switch (name) {
    case undefined:
      return [
        lint,
        types,
        vitest('unit'),
        vitest('simulation'),
        browser,
        sandbox([]),
        productionBuild,
        integration([]),
        endToEnd(),
      ]
    case 'unit':
      return [vitest('unit', rest)]
    case 'simulation':
      return [vitest('simulation', rest)]
    case 'sandbox':
      return [browser, sandbox(rest)]
    case 'integration':
      return [productionBuild, integration(rest)]
    case 'e2e':
      return [productionBuild, browser, endToEnd(rest)]
    default:
      console.error(
        `There is no part "${name}". The parts are unit, simulation, sandbox, integration and e2e.`,
      )
      process.exit(2)
  }
}

function sandbox(files: readonly string[]): Step {
  return vitest('sandbox', files, [browser.name])
}

function integration(files: readonly string[]): Step {
  return vitest('integration', files, [productionBuild.name])
}
