import path from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  installScriptProblems,
  type Lockfile,
  lockfileProblems,
  looseVersions,
  readLockfile,
  readManifest,
} from '../../scripts/judge/supply-chain.ts'
import { FLOORS, floorProblems } from '../../scripts/judge/version-floors.ts'
import { root } from '../../scripts/processes.ts'

const INTEGRITY = `sha512-${'A'.repeat(86)}==`

function lockfileOf(entry: Lockfile['packages'][string], name = 'some-package'): Lockfile {
  return {
    lockfileVersion: 3,
    packages: { '': {}, [`node_modules/${name}`]: { version: '1.2.3', integrity: INTEGRITY, ...entry } },
  }
}

describe('the packages that are installed', () => {
  it('are each pinned to the contents that the registry published [S-9]', () => {
    for (const folder of [root, path.join(root, 'scripts', 'judge', 'tools')]) {
      expect(Object.keys(readLockfile(folder).packages).length).toBeGreaterThan(300)
      expect(lockfileProblems(readLockfile(folder))).toEqual([])
      expect(looseVersions(readManifest(folder))).toEqual([])
    }
  })

  it.each([
    ['no integrity', { integrity: undefined }],
    ['a weak integrity', { integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' }],
    ['an address of its own', { resolved: 'https://packages.example.com/some-package.tgz' }],
    ['a link', { link: true }],
    ['no exact version', { version: 'github:somebody/some-package' }],
  ])('would be refused with %s [S-9]', (_what, entry) => {
    expect(lockfileProblems(lockfileOf({}))).toEqual([])
    expect(lockfileProblems(lockfileOf(entry))).toHaveLength(1)
  })

  it.each(['^1.2.3', '*', 'latest', 'github:somebody/some-package', 'file:../some-package'])(
    'may not be asked for as %s [S-9]',
    (version) => {
      expect(looseVersions({ dependencies: { 'some-package': version } })).toHaveLength(1)
    },
  )

  it('run code at install only where package.json allows it by name [S-9]', () => {
    const withScript = lockfileOf({ hasInstallScript: true })

    expect(installScriptProblems(readLockfile(), readManifest())).toEqual([])
    expect(installScriptProblems(withScript, {})).toEqual(['some-package runs a script, not allowed'])
    expect(installScriptProblems(withScript, { allowScripts: { 'some-package': true } })).toEqual([])
    expect(installScriptProblems(lockfileOf({}), { allowScripts: { 'some-package': true } })).toHaveLength(1)
  })

  it('are above every version with a known hole [S-7]', () => {
    expect(floorProblems(readLockfile())).toEqual([])
    for (const { reason } of FLOORS) expect(reason).toMatch(/\w+ \w+/)
  })

  it('are found below their floor, a release candidate of it included [S-7]', () => {
    const nextAt = (version: string) =>
      floorProblems(lockfileOf({ version }, 'next'), [{ name: 'next', atLeast: '16.2.11', reason: 'x' }])

    expect(['16.2.10', '15.9.9', '16.2.11-canary.1'].flatMap(nextAt)).toHaveLength(3)
    expect(['16.2.11', '16.3.0-canary.1', '17.0.0'].flatMap(nextAt)).toEqual([])
    expect(floorProblems(lockfileOf({}), [{ name: 'react', atLeast: '19.2.1', reason: 'x' }])).toHaveLength(1)
  })
})
