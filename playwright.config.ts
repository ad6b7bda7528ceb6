import { defineConfig, devices } from '@playwright/test'
import { launchOptions } from './tests/support/browser'

export default defineConfig({
  testDir: 'tests/e2e',
  outputDir: 'test-results',
  globalSetup: './tests/support/e2e-setup.ts',
  reporter: [['list']],
  forbidOnly: true,
  fullyParallel: false,
  retries: 0,
  workers: 2,
  // Two cores run the browsers, the server and the providers: patience costs nothing while everything works.
  timeout: 90_000,
  expect: { timeout: 15_000 },
  use: {
    actionTimeout: 15_000,
    navigationTimeout: 30_000,
    trace: 'retain-on-failure',
    launchOptions: launchOptions(),
  },
  projects: [{ name: 'desktop', use: { ...devices['Desktop Chrome'] } }],
})
