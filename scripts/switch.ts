// `npm run switch -- payments|refunds|sign_ups on|off --reason "why" --as <user id of an admin>`: for when the app's own addresses
// cannot be reached. Needs DATABASE_URL: whoever holds it is believed who they say they are, and is audited under that id.
import { parseArgs } from 'node:util'
import { givenSettings, namesProviders, preflight, sandboxSettings } from './settings.ts'

const USAGE = 'npm run switch -- payments|refunds|sign_ups on|off --reason "why" --as <user id of an admin>'

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
process.exit()

async function main(): Promise<void> {
  const asked = await readArguments()
  const given = givenSettings()
  const settings = namesProviders(given) ? given : { ...sandboxSettings(), ...given }
  const ours = { ...settings, NODE_ENV: 'production', LOG_LEVEL: given.LOG_LEVEL ?? 'error' }
  await preflight(ours)
  Object.assign(process.env, ours)

  const { setSwitch } = await import('../lib/switches/set-switch.ts')
  const { closeDatabase } = await import('../lib/db/sql.ts')
  const switches = await setSwitch(asked).finally(closeDatabase)
  for (const { name, on, reason } of switches)
    console.log(`${name.padEnd(9)} ${on ? 'on' : `off: ${reason}`}`)
}

/** @throws Error with the usage for anything that is not understood */
async function readArguments() {
  const { SwitchName, SwitchInput } = await import('../lib/switches/schema.ts')
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { reason: { type: 'string' }, as: { type: 'string' } },
  })
  const name = SwitchName.safeParse(positionals[0])
  const input = SwitchInput.safeParse({ on: positionals[1] === 'on', reason: values.reason })
  const isOnOrOff = positionals[1] === 'on' || positionals[1] === 'off'
  const isId = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(values.as ?? '')
  if (positionals.length !== 2 || !isOnOrOff || !isId || !name.success || !input.success)
    throw new Error(`A switch, on or off, a reason of 5 letters or more, and who you are.\n  ${USAGE}`)
  return { staff: { id: String(values.as) }, name: name.data, input: input.data }
}
