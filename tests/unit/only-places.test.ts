import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '../../scripts/processes.ts'

const files = ['app', 'components', 'lib']
  .flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
      path.posix.join(folder, name),
    ),
  )
  .filter((name) => /\.[jt]sx?$/.test(name))
  .concat('middleware.ts', 'instrumentation.ts', 'next.config.js')

const filesWith = (pattern: RegExp) =>
  files.filter((file) => pattern.test(readFileSync(path.join(root, file), 'utf8'))).toSorted()

/** Also where the linter does not look: taken apart, or imported under a name of its own. */
const SETTINGS =
  /\bprocess(\?\.|\.|\[['"`])env\b|\benv\b[^=\n]*\}\s*=\s*process\b|from ['"](node:)?process['"]/
const CONSOLE = /\bconsole(\?\.|\.|\[)|\}\s*=\s*console\b/
const STREAM = /\bprocess\.(stdout|stderr)\b/
const PINO = /(from|import\(|require\() ?['"]pino['"/]/

describe('the only places', () => {
  it('where settings are read are lib/env.ts and lib/public-env.ts [S-1]', () => {
    expect(filesWith(SETTINGS)).toEqual([
      // NEXT_RUNTIME: a constant of the build.
      'instrumentation.ts',
      'lib/env.ts',
      'lib/public-env.ts',
    ])
  })

  it('where a line is written past the log are those that end in it (L8)', () => {
    expect(filesWith(CONSOLE)).toEqual(
      [
        // Puts the log in the console's place.
        'lib/process/capture-output.ts',
        // Says why nothing starts: without settings there is no log.
        'lib/process/exit-on-bad-settings.ts',
        'lib/log.ts',
      ].toSorted(),
    )
    expect(filesWith(STREAM)).toEqual(['lib/process/capture-output.ts'])
    expect(filesWith(PINO)).toEqual(['lib/process/write-with-pino.ts'])
  })

  it.each([
    [
      SETTINGS,
      'process.env.VERCEL',
      "process['env']",
      'const { env } = process',
      "import p from 'node:process'",
    ],
    [CONSOLE, "console.log('x')", "console['error']('x')", 'const { warn } = console'],
    [STREAM, "process.stderr.write('x')"],
    [PINO, "import pino from 'pino'", "await import('pino')"],
  ])('are found by %s', (pattern, ...lines) => {
    for (const line of lines) expect(line).toMatch(pattern)
  })
})
