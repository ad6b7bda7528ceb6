// Tools that only the judges need: three hundred megabytes that nobody else should have to install. They have a lockfile
// of their own and are installed from it, without their install scripts, the first time somebody judges.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { childEnvironment, root, run, type Settings } from '../processes.ts'

const pinned = path.join(root, 'scripts', 'judge', 'tools')
export const toolsFolder = path.join(root, 'node_modules', '.cache', 'paywright', 'judge-tools')
const stampFile = path.join(toolsFolder, 'installed')

/** @throws Error when they could not be installed. */
export async function ensureTools(): Promise<void> {
  const stamp = createHash('sha256')
    .update(readFileSync(path.join(pinned, 'package-lock.json')))
    .digest('hex')
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return
  console.log('Installing the tools of the judges (a minute or two, once).')
  rmSync(toolsFolder, { recursive: true, force: true })
  mkdirSync(toolsFolder, { recursive: true })
  for (const name of ['package.json', 'package-lock.json'])
    copyFileSync(path.join(pinned, name), path.join(toolsFolder, name))
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  if ((await run(['npm', 'ci', '--prefix', toolsFolder, ...flags])) !== 0)
    throw new Error('npm could not install the tools of the judges; its message is above')
  // A list that its install script would have fetched. Empty: our own name is on nobody's list yet.
  writeFileSync(inTools('@mdn/mdn-http-observatory/conf/hsts-preload.json'), '{}')
  writeFileSync(stampFile, stamp)
}

export const inTools = (file: string) => path.join(toolsFolder, 'node_modules', file)

export type Ended = { code: number; stdout: string; stderr: string }

/** Run a program and keep what it says. */
export async function runQuietly(
  command: readonly string[],
  settings: Settings = {},
  cwd = root,
): Promise<Ended> {
  const [file = '', ...args] = command
  try {
    const done = await promisify(execFile)(file, args, {
      cwd,
      env: childEnvironment(settings),
      maxBuffer: 64_000_000,
    })
    return { code: 0, ...done }
  } catch (error) {
    const { code, stdout = '', stderr = '', message } = error as Partial<Ended> & { message: string }
    return { code: Number(code) || 1, stdout, stderr: stderr || message }
  }
}
