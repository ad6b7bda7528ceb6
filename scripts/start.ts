// `npm start`: the production server. Settings are checked before anything listens, because an error thrown
// inside Next's own start hook leaves a server behind that answers 500 to everything.
import { existsSync } from 'node:fs'
import path from 'node:path'
import { onStopRequest, root, run, tool } from './processes.ts'
import { givenSettings, namesProviders, portSetting, preflight, sandboxSettings } from './settings.ts'

onStopRequest(() => {})

try {
  process.exit(await start())
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}

async function start(): Promise<number> {
  const given = givenSettings()
  const settings = namesProviders(given) ? given : { ...sandboxSettings(), ...given }
  await preflight({ ...settings, NODE_ENV: 'production' })
  if (!existsSync(path.join(root, '.next', 'BUILD_ID'))) {
    throw new Error('There is no production build yet. Run `npm run build` first.')
  }

  const port = portSetting(settings, 'PORT', 3000)
  const listen = [
    '--port',
    String(port),
    ...(isLoopback(settings.APP_ORIGIN) ? ['--hostname', '127.0.0.1'] : []),
  ]
  const command = [...tool('next'), 'start', ...listen, ...process.argv.slice(2)]
  const status = await run(command, { ...settings, NODE_ENV: 'production' })
  // Next's own answer to Ctrl-C and to a request to end.
  return status === 130 || status === 143 ? 0 : status
}

/** A server for this computer only is not offered to the network around it. */
function isLoopback(origin: string | undefined): boolean {
  const host = origin === undefined ? '' : new URL(origin).hostname
  return host === 'localhost' || host === '127.0.0.1' || host === '[::1]'
}
