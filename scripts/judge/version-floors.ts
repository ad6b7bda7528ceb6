// Versions below which a package has a hole that is known and matters here. `npm audit` and OSV know more; this list also
// holds where neither can be asked.
import { type Lockfile, versionsOf } from './supply-chain.ts'

export type Floor = { name: string; atLeast: string; reason: string }

export const FLOORS: readonly Floor[] = [
  { name: 'next', atLeast: '16.2.11', reason: 'ways around middleware (CVE-2025-29927 and later ones)' },
  {
    name: 'react',
    atLeast: '19.2.1',
    reason: 'code run by a crafted server-component request (CVE-2025-55182)',
  },
  { name: 'react-dom', atLeast: '19.2.1', reason: 'goes with react' },
  { name: 'cookie', atLeast: '0.7.0', reason: 'a cookie name could set other fields (CVE-2024-47764)' },
  { name: 'esbuild', atLeast: '0.25.0', reason: 'its server answered any site (GHSA-67mh-4wv8-2f99)' },
  { name: 'jose', atLeast: '4.15.5', reason: 'unbounded decompression of a token (CVE-2024-28176)' },
  { name: 'nanoid', atLeast: '3.3.8', reason: 'predictable ids for fractional sizes (CVE-2024-55565)' },
  { name: 'nodemailer', atLeast: '7.0.7', reason: 'mail to an unintended domain (CVE-2025-13033)' },
  {
    name: 'postcss',
    atLeast: '8.4.31',
    reason: 'a carriage return hid a rule in a comment (CVE-2023-44270)',
  },
  {
    name: 'vitest',
    atLeast: '3.0.5',
    reason: 'a web page could run code through its server (CVE-2025-24964)',
  },
  { name: 'ws', atLeast: '8.17.1', reason: 'many headers brought the server down (CVE-2024-37890)' },
]

/** Packages that must be there: a floor that holds nothing up proves nothing. */
const NEEDED = ['next', 'react', 'react-dom']

export function floorProblems(lockfile: Lockfile, floors: readonly Floor[] = FLOORS): string[] {
  return floors.flatMap(({ name, atLeast, reason }) => {
    const versions = versionsOf(lockfile, name)
    if (versions.length === 0) return NEEDED.includes(name) ? [`${name} is not in the lockfile`] : []
    return versions
      .filter((version) => isBelow(version, atLeast))
      .map((version) => `${name} ${version} is below ${atLeast}: ${reason}`)
  })
}

/** A release candidate counts as the version before its release. */
function isBelow(version: string, floor: string): boolean {
  const [numbers = '', candidate] = version.split('-', 2)
  const difference = compare(numbers.split('.').map(Number), floor.split('.').map(Number))
  return difference < 0 || (difference === 0 && candidate !== undefined)
}

function compare(left: number[], right: number[]): number {
  for (const index of [0, 1, 2]) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
