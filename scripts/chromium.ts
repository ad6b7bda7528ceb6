// Finds a Chromium for the browser tests, or installs one.
import { accessSync, constants } from 'node:fs'
import path from 'node:path'
import { chromium } from '@playwright/test'
import { run, tool } from './processes.ts'

/** Chromium without its windows: the same engine, and the browser tests take half the time in it. */
const SHELL = 'chromium-headless-shell'
const NAMES = [SHELL, 'chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']
const MAC_APPLICATIONS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

/** The browser to use: the one CHROME_PATH names, else the system's, the lightest first, else the one Playwright downloaded. */
export function findChromium(): string | null {
  const named = process.env.CHROME_PATH
  if (named) {
    if (isProgram(named)) return named
    throw new Error('CHROME_PATH does not name a program that can be run.')
  }
  const folders = ['/usr/bin', ...(process.env.PATH ?? '').split(path.delimiter)]
  const candidates = [
    ...NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name))),
    ...MAC_APPLICATIONS,
    chromium.executablePath(),
  ]
  return candidates.find(isProgram) ?? null
}

let ensured: Promise<string> | undefined

/**
 * A browser, installed when there is none yet: Debian's package where we may, else Playwright's download.
 * @throws Error saying what to do when neither worked.
 */
export function ensureChromium(): Promise<string> {
  ensured ??= ensureOnce()
  return ensured
}

async function ensureOnce(): Promise<string> {
  const found = findChromium()
  if (found !== null && (path.basename(found) === SHELL || process.env.CHROME_PATH)) return found
  // Where there is a browser, it will do: nobody is asked for a password for the sake of a lighter one.
  if (found === null || isRoot()) await installDebians()
  if (findChromium() === null) await installPlaywrights()
  const installed = findChromium()
  if (installed !== null) return installed
  throw new Error(
    'The browser tests need Chromium, and none was found or could be installed. Install Chromium or Chrome, or name one\n' +
      'with CHROME_PATH=/path/to/chrome.',
  )
}

/** Older releases of Debian have only the whole browser. */
async function installDebians(): Promise<void> {
  if (!isProgram('/usr/bin/apt-get') || !(isRoot() || isProgram('/usr/bin/sudo'))) return
  console.log('Installing Chromium with apt-get.')
  if ((await install(SHELL)) === 0) return
  await runApt(['update'])
  if ((await install(SHELL)) !== 0 && findChromium() === null) await install('chromium')
}

const install = (name: string) => runApt(['install', '-y', '--no-install-recommends', name])
const isRoot = () => process.getuid?.() === 0

async function runApt(args: readonly string[]): Promise<number> {
  const become = isRoot() ? [] : ['sudo', '-n']
  // A network that is not there is no reason to wait.
  const patience = ['-o', 'Acquire::http::Timeout=10', '-o', 'Acquire::Retries=0']
  return await run([
    ...become,
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'apt-get',
    '-q',
    ...patience,
    ...args,
  ])
}

async function installPlaywrights(): Promise<void> {
  console.log('Downloading the Chromium that belongs to Playwright.')
  await run([...tool('playwright'), 'install', 'chromium'])
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
