import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { CHAPTERS } from '../../scripts/control-map/chapters.ts'
import { problemsOf } from '../../scripts/control-map/problems.ts'
import { renderMap } from '../../scripts/control-map/render.ts'
import { type Results, readResults } from '../../scripts/control-map/results.ts'
import { awaiting, done, planned, type Row } from '../../scripts/control-map/row.ts'
import { settle } from '../../scripts/control-map/settle.ts'
import { idsIn, indexTests } from '../../scripts/control-map/tests-in-tree.ts'
import { root } from '../../scripts/processes.ts'

const index = indexTests()
const chapters = CHAPTERS.map(({ title, rows }) => ({ title, rows: settle(rows, index, readResults()) }))
const rows = chapters.flatMap((chapter) => chapter.rows)
const folder = path.join(root, 'docs', 'security')

/** How many demands each of the sources makes. */
const DEMANDS = { S0: 10, S1: 16, S2: 22, S3: 22, S4: 20 }
/** Requirements of ASVS 5.0.0 per chapter: 70 of level 1 and 183 of level 2. */
const ASVS = {
  V1: 27,
  V2: 11,
  V3: 19,
  V4: 10,
  V5: 9,
  V6: 35,
  V7: 18,
  V8: 7,
  V9: 7,
  V10: 29,
  V11: 14,
  V12: 9,
  V13: 13,
  V14: 9,
  V15: 13,
  V16: 16,
  V17: 7,
}

const refusal = (row: Row) => problemsOf([row], index, {})

describe('the control map', () => {
  it('is what its data says: no blank, no file and no test that is not there [T6]', () => {
    expect(problemsOf(rows, index, readResults())).toEqual([])
    // After a change of data or tests: npm run control-map
    expect(readFileSync(path.join(folder, 'control-map.md'), 'utf8')).toBe(
      renderMap(chapters, index, readResults()),
    )
  })

  it('has every demand of the five sources and every requirement of ASVS levels 1 and 2 [T6]', () => {
    const ids = new Set(rows.map(({ id }) => id))

    for (const [source, count] of Object.entries(DEMANDS))
      for (let number = 1; number <= count; number++) expect(ids, source).toContain(`${source}.${number}`)
    const perChapter = Object.keys(ASVS).map((chapter) => [
      chapter,
      [...ids].filter((id) => id.startsWith(`${chapter}.`)).length,
    ])
    expect(Object.fromEntries(perChapter)).toEqual(ASVS)
  })

  it('refuses a blank [T6]', () => {
    expect(refusal(done('X.1', '', 'lib/env.ts', 'S-1'))).toEqual(['X.1 says nothing'])
    expect(refusal(done('X.1', 'a demand', '', 'S-1'))).toEqual(['X.1 is done by no file'])
    expect(refusal(done('X.1', 'a demand', 'lib/env.ts', ''))).toHaveLength(1)
    expect(refusal(planned('X.1', 'a demand', ' '))).toEqual(['X.1 is planned for no reason'])
    expect(problemsOf([planned('X.1', 'a', 'b'), planned('X.1', 'a', 'b')], index, {})).toEqual([
      'X.1 is there twice',
    ])
  })

  it('refuses a file or a test that is not there, and a test that failed [T6]', () => {
    expect(refusal(done('X.1', 'a demand', 'lib/env.ts', 'S-1'))).toEqual([])
    expect(refusal(done('X.1', 'a demand', 'lib/nowhere.ts', 'S-1'))).toHaveLength(1)
    expect(refusal(done('X.1', 'a demand', 'lib/env.ts', 'Q99'))).toHaveLength(1)
    expect(refusal(done('X.1', 'a demand', 'lib/env.ts', '', 'unit/env › no such title'))).toHaveLength(1)
    const failed = { 'tests/unit/env.test.ts': { date: '2026-01-01', passed: 9, failed: 1 } }
    expect(
      problemsOf([done('X.1', 'a', 'lib/env.ts', '', 'unit/env › decides the mode')], index, failed),
    ).toHaveLength(1)
  })

  it('calls a row that waits done once its tests are on record, and only those of the running product [T6]', () => {
    const row = awaiting('X.1', 'a demand', 'lib/env.ts', 'W10')
    const record = (file: string, failed: number) => ({ [file]: { date: '2026-01-01', passed: 1, failed } })
    const statusWith = (results: Results) => settle([row], index, results)[0]?.status

    expect(statusWith({})).toBe('planned')
    expect(statusWith(record('tests/integration/webhook.test.ts', 1))).toBe('planned')
    expect(statusWith(record('tests/integration/webhook.test.ts', 0))).toBe('done')
    expect(
      settle([awaiting('X.1', 'a', 'lib/env.ts', 'S-2')], index, record('tests/unit/env.test.ts', 0))[0]
        ?.status,
    ).toBe('planned')
  })

  it('reads the ids that titles carry [T6]', () => {
    expect(idsIn('once (W10)')).toEqual(['W10'])
    expect(idsIn('once [S-1, W3, W20]')).toEqual(['S-1', 'W3', 'W20'])
    expect(idsIn('once (A1 and A3)')).toEqual(['A1', 'A3'])
    expect(idsIn('an array[S] and a call(W)')).toEqual([])
  })

  it('counts the ids of titles alone, not of texts that speak of them [T6]', () => {
    const spoken = 'an id that this file speaks of and no title carries (Q7)'

    expect(idsIn(spoken)).toEqual(['Q7'])
    expect(index.withId.has('Q7')).toBe(false)
    expect(index.withId.get('T6')).toEqual(['tests/unit/control-map.test.ts'])
    expect(index.withId.get('W10')).toContain('tests/integration/webhook.test.ts')
  })
})

describe('the security documents', () => {
  const documents = [
    'assessment.md',
    'control-map.md',
    'encryption.md',
    'logs.md',
    'pci.md',
    'rotation.md',
    'threat-model.md',
  ]
  const runbooks = readdirSync(path.join(root, 'docs', 'runbooks')).map((name) => `../runbooks/${name}`)
  const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { scripts: object }

  it('lead nowhere that is not there, and name commands that exist [T5]', () => {
    for (const name of [...documents, ...runbooks]) {
      const text = readFileSync(path.join(folder, name), 'utf8')
      const links = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target = '']) => target)
      for (const link of links.filter((target) => !/^https?:/.test(target)))
        expect(existsSync(path.resolve(folder, path.dirname(name), link)), `${name} ${link}`).toBe(true)
      for (const [, script = ''] of text.matchAll(/npm run ([\w:-]+)/g))
        expect(manifest.scripts, name).toHaveProperty([script])
    }
  })

  it('say who is told by when after a breach, and what is kept as evidence [T5]', () => {
    const read = (name: string) => readFileSync(path.join(root, 'docs', 'runbooks', name), 'utf8')

    for (const word of ['**72 hours**', 'article 33', 'article 34', 'chain of custody', 'acquirer'])
      expect(read('breach.md')).toContain(word)
    for (const word of [
      '72 hours',
      'supervisory authority',
      'SHA-256',
      'Timeline',
      'people affected',
      'Afterwards',
    ])
      expect(read('incident-template.md')).toContain(word)
  })

  it('name, in one page, a runbook for everything that may go wrong [T5]', () => {
    const index = readFileSync(path.join(root, 'docs', 'runbooks', 'README.md'), 'utf8')

    for (const name of runbooks.map((file) => path.basename(file)).filter((file) => file !== 'README.md'))
      expect(index, name).toContain(`](${name})`)
  })

  it('have a word in the README for what was not proven [T7]', () => {
    const readme = readFileSync(path.join(root, 'README.md'), 'utf8')
    const [, section = ''] = readme.split(/^## What is proven, and what is not$/m)

    for (const provider of ['Stripe', 'Supabase', 'Upstash']) expect(section).toContain(provider)
    expect(section).toContain('Not proven here')
  })

  it('name tests by ids that tests carry, unless they say it is planned [T5]', () => {
    const lines = readFileSync(path.join(folder, 'assessment.md'), 'utf8').split('\n')
    const proofs = lines.filter((line) => /^\| D-\d+ /.test(line)).map((line) => line.split('|').at(-2) ?? '')

    expect(proofs.length).toBeGreaterThanOrEqual(30)
    for (const proof of proofs) {
      expect(proof.trim()).not.toBe('')
      for (const id of proof.match(/\b[A-Z]-?\d+\b/g) ?? [])
        expect([...index.withId.keys()], proof).toContain(id)
    }
  })
})
