import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '../../scripts/processes.ts'

/** Packages that speak to a provider with a secret. */
const SECRET_PACKAGES = /^(?:stripe|postgres|@upstash\/.+|@supabase\/.+|node:.+)$/
const SETTINGS = 'lib/env.ts'

const sources = ['app', 'components', 'lib'].flatMap((folder) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => path.posix.join(folder, name)),
)
const texts = new Map(sources.map((file) => [file, readFileSync(path.join(root, file), 'utf8')]))

/** What a file imports to run it; types are gone by then. */
function importsOf(file: string): string[] {
  const lines = (texts.get(file) ?? '').matchAll(
    /^(?:import|export)\s+(?!type\b)(?:[^'"]*?\sfrom\s+)?['"]([^'"]+)['"]|import\(['"]([^'"]+)['"]\)/gm,
  )
  return [...lines].map(([, from, lazily]) => resolve(file, from ?? lazily ?? ''))
}

function resolve(file: string, name: string): string {
  if (!/^[.@]\.?\//.test(name)) return name
  const target = name.startsWith('@/') ? name.slice(2) : path.posix.join(path.posix.dirname(file), name)
  const found = ['', '.ts', '.tsx'].map((end) => `${target}${end}`).find((full) => texts.has(full))
  return found ?? target
}

/** Everything that goes to browsers with a file; a server action stays where it is and leaves an address behind. */
function reachedFrom(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen
  seen.add(file)
  if (!/^['"]use server['"]/m.test(texts.get(file) ?? ''))
    for (const next of importsOf(file)) reachedFrom(next, seen)
  return seen
}

const clients = sources.filter((file) => /^['"]use client['"]/.test(texts.get(file) ?? ''))

describe('modules that know secrets', () => {
  it('are reached from no component that runs in browsers [S-5]', () => {
    expect(clients.length).toBeGreaterThan(10)
    for (const client of clients) {
      const reached = [...reachedFrom(client)]
      const secret = reached.filter(
        (file) => file === SETTINGS || SECRET_PACKAGES.test(file) || isServerOnly(file),
      )

      expect(
        secret.filter((file) => !/^['"]use server['"]/m.test(texts.get(file) ?? '')),
        client,
      ).toEqual([])
    }
  })

  it('say that they are for the server, so that a build that takes them elsewhere fails [S-5]', () => {
    const knowing = sources.filter((file) => {
      const imports = importsOf(file)
      return (
        file.startsWith('lib/') && (imports.includes(SETTINGS) || imports.some((name) => isProviderSdk(name)))
      )
    })
    // The logger runs in middleware and in scripts too. It takes one word of the settings.
    const silent = knowing.filter((file) => !isServerOnly(file) && file !== 'lib/log.ts')

    expect(knowing.length).toBeGreaterThan(15)
    expect(silent).toEqual([])
  })

  it('are the only ones to read the environment [S-5]', () => {
    const readers = sources.filter((file) =>
      /process\.env\.(?!NODE_ENV|NEXT_RUNTIME)|process\.env\b(?!\.)/.test(texts.get(file) ?? ''),
    )

    // The second reads no setting: where a build runs, and whether it is one for developing.
    expect(readers).toEqual([SETTINGS, 'lib/public-env.ts'])
  })
})

function isProviderSdk(name: string): boolean {
  return SECRET_PACKAGES.test(name) && !name.startsWith('node:')
}

function isServerOnly(file: string): boolean {
  return /^import 'server-only'/m.test(texts.get(file) ?? '')
}
