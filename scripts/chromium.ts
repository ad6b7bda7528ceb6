// Finds a Chromium for the browser tests, or installs one.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium } from '@playwright/test'
import { run, tool } from './processes.ts'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']
const MAC_APPLICATIONS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

/** The browser to use: the one CHROME_PATH names, else the system's, else the one Playwright downloaded. */
export function findChromium(): string | null {
  const named = process.env.CHROME_PATH
  if (named) {
    if (isProgram(named)) return named
    throw new Error('CHROME_PATH does not name a program that can be run.')
  }
  const folders = ['/usr/bin', ...(process.env.PATH ?? '').split(delimiter)]
  const candidates = [
    ...NAMES.flatMap((name) => folders.map((folder) => join(folder, name))),
    ...MAC_APPLICATIONS,
    chromium.executablePath(),
  ]
  return candidates.find(isProgram) ?? null
}

/**
 * A browser, installed when there is none yet: Debian's package where we may, else Playwright's download.
 * @throws Error saying what to do when neither worked.
 */
export async function ensureChromium(): Promise<string> {
  for (const install of [async () => 0, installDebianPackage, installPlaywrights]) {
    await install()
    const found = findChromium()
    if (found !== null) return found
  }
  throw new Error(
    'The browser tests need Chromium, and none was found or could be installed. Install Chromium or Chrome, or name one\n' +
      'with CHROME_PATH=/path/to/chrome.',
  )
}

async function installDebianPackage(): Promise<number> {
  if (!isProgram('/usr/bin/apt-get')) return 1
  const become = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  if (become.length > 0 && !isProgram('/usr/bin/sudo')) return 1
  console.log('Installing Chromium with apt-get.')
  const apt = [...become, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q']
  await run([...apt, 'update'])
  return await run([...apt, 'install', '-y', '--no-install-recommends', 'chromium'])
}

async function installPlaywrights(): Promise<number> {
  console.log('Downloading the Chromium that belongs to Playwright.')
  return await run([...tool('playwright'), 'install', 'chromium'])
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
