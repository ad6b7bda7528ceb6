// What the test files promise: the ids their titles carry, and the titles themselves.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { root } from '../processes.ts'

export type TestIndex = {
  /** The files whose titles carry this id. */
  withId: ReadonlyMap<string, readonly string[]>
  /** All that stands between quotes in a file. */
  titles: ReadonlyMap<string, readonly string[]>
}

const ID_LIST = /[[(]([A-Z]-?\d+(?:,? (?:and )?[A-Z]-?\d+)*)[\])]/g

export function indexTests(folder = path.join(root, 'tests')): TestIndex {
  const withId = new Map<string, string[]>()
  const titles = new Map<string, string[]>()
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!/\.(?:test|spec)\.tsx?$/.test(name)) continue
    const file = path.posix.join('tests', name.split(path.sep).join('/'))
    const quoted = quotedIn(readFileSync(path.join(folder, name), 'utf8'))
    titles.set(file, quoted)
    for (const id of new Set(quoted.flatMap(idsIn))) withId.set(id, [...(withId.get(id) ?? []), file])
  }
  return { withId, titles }
}

/** The ids of a title: `no key, no entry (W10, W12)`, `no key, no entry [W10]`. */
export function idsIn(title: string): string[] {
  return [...title.matchAll(ID_LIST)].flatMap(([, list = '']) => list.match(/[A-Z]-?\d+/g) ?? [])
}

/** The files of what a row refers to; none when there is no such test. */
export function filesOf(reference: string, { withId, titles }: TestIndex): string[] {
  const [place = '', title] = reference.split(' › ')
  if (title === undefined) return [...(withId.get(place) ?? [])]
  const files = [`tests/${place}.test.ts`, `tests/${place}.spec.ts`]
  return files.filter((file) => titles.get(file)?.some((text) => text.includes(title)))
}

function quotedIn(source: string): string[] {
  return source.split('\n').flatMap((line) => {
    if (/^\s*(?:\/\/|\*|\/\*)/.test(line)) return []
    return [...line.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g)].map(
      ([, single, double, back]) => single ?? double ?? back ?? '',
    )
  })
}
