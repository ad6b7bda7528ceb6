import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { waitUntilReady } from '../../scripts/health'
import { root } from '../../scripts/processes'

type Options = {
  port: number
  folder: string
  /** Whom to become; null when we are nobody special already. */
  user: { uid: number; gid: number } | null
  settings: Record<string, string>
}

/** Node itself refuses every write, which holds for root and for anybody, on any file system. */
const CONFINED = ['--permission', '--allow-fs-read=*', '--allow-worker', '--allow-addons']

/** Run before the server: tries to write where a server might, and tells how that went. */
const PROBE = `
const { writeFileSync } = require('node:fs')
let mayWrite = false
for (const folder of ['.', '.next', ${JSON.stringify(tmpdir())}]) {
  try { writeFileSync(folder + '/paywright-probe-' + process.pid, ''); mayWrite = true } catch {}
}
console.log('probe ' + JSON.stringify({ isRoot: process.getuid() === 0, mayWrite }))
`

/** A production server as another user and without the right to write a single file. */
export async function startConfinedServer({ port, folder, user, settings }: Options) {
  const next = path.join(folder, 'node_modules', 'next', 'dist', 'bin', 'next')
  const preload = `data:text/javascript,${encodeURIComponent(
    `import { createRequire } from 'node:module'; const require = createRequire('${folder}/'); ${PROBE}`,
  )}`
  const child = spawn(
    nodeIn(folder),
    [...CONFINED, '--import', preload, next, 'start', '--hostname', '127.0.0.1', '--port', String(port)],
    {
      cwd: folder,
      env: { PATH: process.env.PATH, NEXT_TELEMETRY_DISABLED: '1', ...settings, NODE_ENV: 'production' },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...user,
    },
  )
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (output += chunk))
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()))
  const stop = async () => {
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), 5_000)
    await ended
    clearTimeout(late)
  }
  const url = `http://localhost:${port}`
  try {
    await waitUntilReady(url, 60_000)
  } catch (error) {
    await stop()
    throw new Error(output.slice(-2_000), { cause: error })
  }
  return {
    url,
    output: () => output,
    /** What the server process itself found out about its rights. */
    confinement: async () => JSON.parse(/probe (\{.*\})/.exec(output)?.[1] ?? '{}') as object,
    stop,
  }
}

/** The Node that runs us is part of the project: in a copy, for a user who may not enter the original, it is the copy's. */
function nodeIn(folder: string): string {
  const within = path.relative(root, process.execPath)
  return within.startsWith('..') ? process.execPath : path.join(folder, within)
}
