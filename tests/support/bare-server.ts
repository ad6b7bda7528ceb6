import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { waitUntilReady } from '../../scripts/health'
import { freePort } from '../../scripts/ports'
import { root, spawnLeashed, tool } from '../../scripts/processes'
import { PATIENT } from './stack'
import { stack } from './stack-in-test'

export type BareServer = { url: string; stop(): Promise<void> }

/**
 * A server of the same build that has lost its middleware: what is then still refused is refused where the data is. The
 * build is copied and its list of middleware emptied, which is what a build without middleware.ts comes to.
 */
export async function startServerWithoutMiddleware(): Promise<BareServer> {
  const folder = mkdtempSync(path.join(tmpdir(), 'paywright-bare-'))
  const build = path.join(root, '.next')
  cpSync(build, path.join(folder, '.next'), {
    recursive: true,
    filter: (file) => file !== path.join(build, 'cache'),
  })
  for (const name of ['node_modules', 'package.json', 'next.config.js', 'lib', 'public'])
    if (existsSync(path.join(root, name))) symlinkSync(path.join(root, name), path.join(folder, name))
  emptyMiddleware(path.join(folder, '.next', 'server', 'middleware-manifest.json'))

  const port = await freePort()
  const url = `http://localhost:${port}`
  const server = spawnLeashed({
    name: `server without middleware on ${port}`,
    command: [...tool('next'), 'start', folder, '--hostname', '127.0.0.1', '--port', String(port)],
    settings: { ...PATIENT, ...stack().env, NODE_ENV: 'production' },
  })
  await waitUntilReady(url, 60_000)
  return {
    url,
    stop: async () => {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** @throws Error when there is none to empty: Next would then keep it somewhere else, and the tests would prove nothing. */
function emptyMiddleware(file: string): void {
  const manifest = JSON.parse(readFileSync(file, 'utf8'))
  if (Object.keys(manifest.middleware).length === 0) throw new Error('the build has no middleware to remove')
  writeFileSync(file, JSON.stringify({ ...manifest, middleware: {}, sortedMiddleware: [] }))
}
