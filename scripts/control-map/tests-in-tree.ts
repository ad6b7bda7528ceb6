// What the test files promise: the ids their titles carry, and the titles themselves.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { root } from '../processes.ts'

export type TestIndex = {
  /** The files whose titles carry this id. */
  withId: ReadonlyMap<string, readonly string[]>
  /** The titles of a file. */
  titles: ReadonlyMap<string, readonly string[]>
}

const ID_LIST = /[[(]([A-Z]-?\d+(?:,? (?:and )?[A-Z]-?\d+)*)[\])]/g

export function indexTests(folder = path.join(root, 'tests')): TestIndex {
  const withId = new Map<string, string[]>()
  const titles = new Map<string, string[]>()
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!/\.(?:test|spec)\.tsx?$/.test(name)) continue
    const file = path.posix.join('tests', name.split(path.sep).join('/'))
    const found = titlesIn(readFileSync(path.join(folder, name), 'utf8'))
    titles.set(file, found)
    for (const id of new Set(found.flatMap(idsIn))) withId.set(id, [...(withId.get(id) ?? []), file])
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

/**
 * What stands between quotes where a title stands: first in `it(`, in what `it.each(…)` answers, or on the line after one
 * of these. Other texts do not count: a test may well speak of ids that it does not prove.
 */
function titlesIn(source: string): string[] {
  let before = ''
  return source.split('\n').flatMap((line) => {
    const titles = [...line.matchAll(QUOTED)].filter(([, lead = ''], index) => {
      const isFirstOnLine = index === 0 && lead.trim() === ''
      return TITLE_FOLLOWS.test(lead) || (isFirstOnLine && TITLE_FOLLOWS.test(before))
    })
    if (line.trim() !== '') before = line
    return titles.map(([, , quoted = '']) => quoted.slice(1, -1))
  })
}

/** What comes before a text in quotes on its line, and the text. */
const QUOTED = /(.*?)('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`)/g
const TITLE_FOLLOWS = /(?:\b(?:it|test|describe)\(|\)\()\s*$/
