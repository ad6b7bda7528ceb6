import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  resolve: {
    alias: {
      '@/': here('./'),
      // The package throws unless a server bundler picks its other file.
      'server-only': here('./node_modules/server-only/empty.js'),
    },
  },
  test: {
    // A busy machine takes its time. What is right is there sooner.
    expect: { poll: { timeout: 20_000 } },
    reporters: ['default', './tests/support/stripe-rows-reporter.ts', './tests/support/vitest-results.ts'],
    projects: [
      { extends: true, test: { name: 'unit', include: ['tests/unit/**/*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'sandbox',
          include: ['tests/sandbox/**/*.test.ts'],
          globalSetup: ['tests/sandbox/support/keep-contract.ts'],
          setupFiles: ['tests/sandbox/support/setup.ts'],
          // Files share their process, and with it the contract: each would take seconds to learn the SDK's types.
          isolate: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: 3,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['tests/integration/**/*.test.ts'],
          globalSetup: ['tests/support/integration-setup.ts'],
          setupFiles: ['tests/support/tell-failures.ts'],
          testTimeout: 120_000,
          // Longer than a server may take to start on a busy machine.
          hookTimeout: 120_000,
          // Each lane has a stack of its own, see tests/support/lanes.ts. Three of them keep two cores busy: tests mostly wait.
          maxWorkers: 3,
        },
      },
      {
        extends: true,
        test: {
          name: 'simulation',
          include: ['tests/simulation/**/*.test.ts'],
          globalSetup: ['tests/simulation/setup.ts'],
          setupFiles: ['tests/simulation/replaced-modules.ts'],
          testTimeout: 300_000,
          hookTimeout: 60_000,
          // Each file plays its schedules in a database of its own.
          maxWorkers: 2,
        },
      },
    ],
  },
})
