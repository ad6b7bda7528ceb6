import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { root } from '../../scripts/processes.ts'

const read = (file: string) => readFileSync(path.join(root, file), 'utf8')

it('every event of security and of reading is in the inventory of logs, and nothing that is never written (L6)', () => {
  const sources = ['app', 'lib'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => read(path.posix.join(folder, name))),
  )
  const called = sources.flatMap((text) => [...text.matchAll(/log\.(?:security|access)\(\s*'(\w+)'/g)])
  const [, table = ''] = /SECURITY_EVENTS[^{]*\{([^}]*)\}/.exec(read('lib/log-failure.ts')) ?? []
  const written = [...called, ...table.matchAll(/: '(\w+)'/g)].map(([, event]) => event)
  const rows = read('docs/security/logs.md').match(/^\| (?:security|access) .*$/gm) ?? []

  const listed = rows.flatMap((row) =>
    [...(row.split('|')[2] ?? '').matchAll(/`(\w+)`/g)].map(([, event]) => event),
  )
  expect(written.length).toBeGreaterThan(15)
  expect(listed.toSorted()).toEqual([...new Set(written)].toSorted())
})
