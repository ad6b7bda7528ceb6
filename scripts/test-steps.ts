import { ensureChromium } from './chromium.ts'
import { run, tool } from './processes.ts'
import { ensureBuild } from './production-build.ts'
import type { Step } from './steps.ts'

export const lint: Step = {
  name: 'lint',
  run: () => run([...tool('biome'), 'check', '--error-on-warnings', '.']),
}

/** Next writes the types of the routes first; the compiler then sees every file of the project. */
export const types: Step = {
  name: 'types',
  run: async () =>
    (await run([...tool('next'), 'typegen'])) || (await run([...tool('tsc'), '--noEmit', '-p', '.'])),
}

export const productionBuild: Step = {
  name: 'production build',
  run: async () => {
    await ensureBuild()
    return 0
  },
}

export const browser: Step = {
  name: 'browser',
  run: async () => {
    console.log(await ensureChromium())
    return 0
  },
}

/** The same thousand schedules each time; `npm run test:simulate` explores others, `npm run test:soak` ten thousand. */
const SHORT_SIMULATION = { SIMULATION_SEED: '781180510', SIMULATION_SCHEDULES: '1000' }

/** One project of vitest.config.ts. One that needs a browser is told where it is. */
export function vitest(project: string, files: readonly string[] = [], needs: readonly string[] = []): Step {
  return {
    name: `${project} tests`,
    needs,
    run: async () =>
      run([...tool('vitest'), 'run', '--project', project, ...files], {
        ...(project === 'simulation' ? SHORT_SIMULATION : {}),
        ...(needs.includes(browser.name) ? { CHROME_PATH: await ensureChromium() } : {}),
      }),
  }
}

/** From a seed of its own, which is printed. */
export const soakedSimulation: Step = {
  name: 'ten thousand schedules',
  run: () =>
    run([...tool('vitest'), 'run', '--project', 'simulation', 'seeds'], { SIMULATION_SCHEDULES: '10000' }),
}

/** Tests that have a long form look at SOAK, see tests/support/soak.ts. */
export function soakedIntegration(files: readonly string[]): Step {
  return {
    name: 'integration tests, for longer',
    needs: [productionBuild.name],
    run: () => run([...tool('vitest'), 'run', '--project', 'integration', ...files], { SOAK: '1' }),
  }
}

export function endToEnd(files: readonly string[] = []): Step {
  return {
    name: 'end-to-end tests',
    needs: [browser.name, productionBuild.name],
    run: async () => run([...tool('playwright'), 'test', ...files], { CHROME_PATH: await ensureChromium() }),
  }
}
