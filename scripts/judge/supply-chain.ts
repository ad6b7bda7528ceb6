// What comes from the package registry: every package pinned to its contents, none running code at install unasked.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { root } from '../processes.ts'

type Entry = {
  version?: string
  integrity?: string
  resolved?: string
  link?: boolean
  hasInstallScript?: boolean
}
export type Lockfile = { lockfileVersion: number; packages: Record<string, Entry> }
export type Manifest = {
  allowScripts?: Record<string, boolean>
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}

export const readLockfile = (folder = root): Lockfile => readJson(path.join(folder, 'package-lock.json'))
export const readManifest = (folder = root): Manifest => readJson(path.join(folder, 'package.json'))

/** What is wrong with a lockfile, in words; nothing when every package is what the registry published. */
export function lockfileProblems({ lockfileVersion, packages }: Lockfile): string[] {
  const problems = lockfileVersion === 3 ? [] : [`lockfileVersion is ${lockfileVersion}, not 3`]
  for (const [place, entry] of installed(packages)) {
    if (entry.link) problems.push(`${place} is a link`)
    if (!/^sha512-[A-Za-z0-9+/]{86}==$/.test(entry.integrity ?? ''))
      problems.push(`${place} has no integrity`)
    if (!/^\d+\.\d+\.\d+/.test(entry.version ?? '')) problems.push(`${place} has no exact version`)
    // Where a package comes from is npm's setting. An address here would be followed without asking.
    if (entry.resolved) problems.push(`${place} names an address of its own`)
  }
  return problems
}

/** Packages that run a script at install, against those that package.json allows to. */
export function installScriptProblems({ packages }: Lockfile, { allowScripts = {} }: Manifest): string[] {
  const wanting = new Set(
    installed(packages)
      .filter(([, entry]) => entry.hasInstallScript)
      .map(([place]) => nameAt(place)),
  )
  const allowed = Object.keys(allowScripts).filter((name) => allowScripts[name])
  return [
    ...[...wanting]
      .filter((name) => !allowed.includes(name))
      .map((name) => `${name} runs a script, not allowed`),
    ...allowed.filter((name) => !wanting.has(name)).map((name) => `${name} is allowed a script and has none`),
  ]
}

/** Packages of ours that are not pinned to one version of the registry. */
export function looseVersions(manifest: Manifest): string[] {
  const { dependencies, devDependencies, optionalDependencies } = manifest
  return Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
    .filter(([, version]) => !/^(?:npm:[@\w./-]+@)?\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
    .map(([name, version]) => `${name} ${version}`)
}

/** Every copy of a package that would be installed. */
export function versionsOf({ packages }: Lockfile, name: string): string[] {
  return installed(packages)
    .filter(([place]) => nameAt(place) === name)
    .map(([, { version = '' }]) => version)
}

function installed(packages: Lockfile['packages']): [string, Entry][] {
  return Object.entries(packages).filter(([place]) => place !== '')
}

const nameAt = (place: string) => place.split('node_modules/').at(-1) ?? place

function readJson<Shape>(file: string): Shape {
  return JSON.parse(readFileSync(file, 'utf8')) as Shape
}
