import { defineConfig } from '@playwright/test'
import { CHROMIUM } from './tests/support/browser'

export default defineConfig({
  testDir: 'tests/e2e',
  globalSetup: './tests/support/e2e-setup.ts',
  fullyParallel: false,
  // Each with a stack of its own, see tests/support/lanes.ts.
  workers: 2,
  retries: 0,
  forbidOnly: true,
  reporter: [['list'], ['./tests/support/playwright-results.ts']],
  timeout: 90_000,
  expect: { timeout: 15_000 },
  use: {
    browserName: 'chromium',
    launchOptions: CHROMIUM,
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    // A colour caught half-way through a transition has no contrast to judge.
    contextOptions: { reducedMotion: 'reduce' },
    actionTimeout: 20_000,
    navigationTimeout: 30_000,
    trace: { mode: 'retain-on-failure', screenshots: false },
    screenshot: 'only-on-failure',
  },
})
