import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Contract } from './schema.ts'
import { sdkVersions } from './sdk.ts'

const CACHE = resolve(import.meta.dirname, '../../../node_modules/.cache/paywright')

const PREFIX = 'stripe-contract-'

/** What generates the contract: when one of these changes, a kept one is worth nothing. */
const GENERATOR = ['generate.ts', 'read-operations.ts', 'schema.ts', 'sdk.ts', 'types-to-schema.ts']

let loaded: Promise<Contract> | null = null

/** The contract of the installed SDK, generated when it was not before. */
export function loadContract(): Promise<Contract> {
  loaded ??= readOrGenerate()
  return loaded
}

async function readOrGenerate(): Promise<Contract> {
  const file = join(CACHE, `${PREFIX}${stamp()}.json`)
  const kept = readKept(file)
  if (kept) return kept
  // The compiler is only needed here, and takes a while to load.
  const { generateContract } = await import('./generate.ts')
  const contract = generateContract()
  mkdirSync(CACHE, { recursive: true })
  for (const name of readdirSync(CACHE)) {
    if (name.startsWith(PREFIX) && name.endsWith('.json')) rmSync(join(CACHE, name), { force: true })
  }
  // Several test processes may do this at once: each writes a file of its own, the last name change wins.
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, JSON.stringify(contract))
  renameSync(draft, file)
  return contract
}

function readKept(file: string): Contract | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Contract
  } catch {
    return null
  }
}

function stamp(): string {
  const { sdk, apiVersion } = sdkVersions()
  const hash = createHash('sha256')
  for (const name of GENERATOR) hash.update(readFileSync(join(import.meta.dirname, name)))
  return `${sdk}-${apiVersion}-${hash.digest('hex').slice(0, 12)}`
}
