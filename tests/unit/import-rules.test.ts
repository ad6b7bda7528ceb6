import { execFile } from 'node:child_process'
import { appendFile, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'

/** Who may not import whom: a file and what it must not name. */
const FORBIDDEN = [
  ['app/a.ts', '@/sandbox/stripe/server'],
  ['app/b.ts', '../sandbox/secrets.ts'],
  ['app/c.ts', 'stripe'],
  ['app/d.ts', 'stripe/esm/stripe.esm.node.js'],
  ['app/e.ts', '@supabase/supabase-js'],
  ['app/f.ts', '@upstash/redis'],
  ['app/g.ts', 'postgres'],
  ['app/h.ts', '@/tests/support/db'],
  ['app/i.ts', '../scripts/dev.ts'],
  ['app/j.ts', '@/app/page'],
  ['components/a.ts', '@/sandbox/secrets'],
  ['components/b.ts', '@/lib/db/sql'],
  ['components/c.ts', '@/lib/env'],
  ['components/d.ts', '@/lib/env.ts'],
  ['components/e.ts', '../lib/supabase/server'],
  ['components/f.ts', '@/lib/redis/client'],
  ['components/g.ts', '@/lib/stripe/server'],
  ['components/h.ts', '@/tests/support/db'],
  ['components/i.ts', '@/app/page'],
  ['components/j.ts', '@supabase/ssr'],
  ['components/ui/a.ts', '@/components/payments/payment-list'],
  ['components/ui/b.ts', '../orders/order-lines'],
  ['components/ui/c.ts', '@/lib/payments/status'],
  ['components/ui/d.ts', '@/lib/db/sql'],
  ['lib/a.ts', '@/components/ui/button'],
  ['lib/b.ts', '@/app/page'],
  ['lib/c.ts', '@/sandbox/secrets'],
  ['lib/d.ts', '../sandbox/secrets'],
  ['lib/e.ts', '@/tests/support/db'],
  ['lib/f.ts', 'stripe'],
  ['lib/payments/a.ts', '../../components/ui/button'],
  ['lib/payments/b.ts', 'postgres'],
  ['lib/db/a.ts', 'stripe'],
  ['lib/db/b.ts', '../payments/status'],
  ['lib/stripe/a.ts', 'postgres'],
  ['lib/stripe/b.ts', '@/lib/payments/status'],
  ['lib/supabase/a.ts', '@upstash/redis'],
  ['lib/redis/a.ts', '@supabase/ssr'],
  ['lib/edge/a.ts', 'stripe'],
  ['lib/edge/b.ts', '@/lib/auth/session'],
  ['middleware.ts', '@/lib/payments/status'],
  ['instrumentation.ts', '@/sandbox/start'],
  ['next.config.js', './sandbox/start.ts'],
  ['sandbox/a.ts', '@/lib/env'],
  ['sandbox/stripe/admin/pages/b.ts', '../../../../lib/env.ts'],
  ['sandbox/c.ts', '../components/ui/button.tsx'],
  ['sandbox/d.ts', '../tests/support/db.ts'],
  ['scripts/a.ts', '../tests/support/db.ts'],
  ['scripts/b.ts', '../app/page.tsx'],
  ['tests/a.ts', '../app/page.tsx'],
] as const

/** Settings are read in lib/env.ts and lib/public-env.ts, and nowhere else. */
const READS_SETTINGS = [
  'app/env.ts',
  'components/env.ts',
  'lib/env-too.ts',
  'lib/edge/env.ts',
  'lib/payments/env.ts',
  'middleware.ts',
  'instrumentation.ts',
  'next.config.js',
]
const MAY_READ_SETTINGS = [
  'lib/env.ts',
  'lib/public-env.ts',
  'scripts/env.ts',
  'sandbox/env.ts',
  'tests/env.ts',
]

/** What looks similar and is how things are done here. */
const ALLOWED = [
  ['app/ok.ts', '@/lib/payments/create-payment'],
  ['app/ok-too.ts', '@/components/ui/button'],
  ['components/ok.ts', '@/lib/money'],
  ['components/ui/ok.ts', './button'],
  ['components/ui/ok-too.ts', '@/lib/money'],
  ['lib/payments/ok.ts', '@/lib/stripe/server'],
  ['lib/stripe/ok.ts', 'stripe'],
  ['lib/db/ok.ts', 'postgres'],
  ['lib/edge/ok.ts', '@supabase/ssr'],
  ['scripts/ok.ts', '../sandbox/start.ts'],
  ['tests/ok.ts', '../sandbox/start.ts'],
  ['sandbox/ok.ts', 'stripe'],
] as const

/** Other ways to bring a file in, past which the rule must not look either. */
const OTHER_WAYS = [
  ['lib/dynamic.ts', "export const x = () => import('@/sandbox/start')"],
  ['lib/again.ts', "export { x } from '@/sandbox/start'"],
  ['lib/everything.ts', "export * from '@/sandbox/start'"],
  ['lib/effect.ts', "import '@/sandbox/start'"],
  ['lib/type.ts', "import type { X } from '@/sandbox/start'\n\nexport type Y = X"],
] as const

const folder = await mkdtemp(join(tmpdir(), 'import-rules-'))
afterAll(() => rm(folder, { recursive: true }))
const { refused, reading } = await refusedFiles()

describe('who may import whom', () => {
  it.each(FORBIDDEN)('%s may not import %s', (file) => {
    expect(refused).toContain(file)
  })

  it.each(OTHER_WAYS)('%s is seen: %s', (file) => {
    expect(refused).toContain(file)
  })

  it.each(ALLOWED)('%s may import %s', (file) => {
    expect(refused).not.toContain(file)
  })

  it.each(READS_SETTINGS)('%s may not read a setting', (file) => {
    expect(reading).toContain(file)
  })

  it.each(MAY_READ_SETTINGS)('%s may read settings', (file) => {
    expect(reading).not.toContain(file)
  })
})

/** One run of the linter, with the project's rules, over files that do nothing but import, or read a setting. */
async function refusedFiles(): Promise<{ refused: string[]; reading: string[] }> {
  const files = [
    ...[...FORBIDDEN, ...ALLOWED].map(
      ([file, from]) => [file, `import { x } from '${from}'\n\nexport const y = x\n`] as const,
    ),
    ...OTHER_WAYS,
  ]
  const reads = [...READS_SETTINGS, ...MAY_READ_SETTINGS]
  await copyFile('biome.json', join(folder, 'biome.json'))
  for (const [file, text] of files) {
    await mkdir(dirname(join(folder, file)), { recursive: true })
    await writeFile(join(folder, file), text)
  }
  for (const file of reads) {
    await mkdir(dirname(join(folder, file)), { recursive: true })
    await appendFile(join(folder, file), 'export const setting = process.env.SETTING\n')
  }
  const report = await biome(
    'lint',
    '--vcs-enabled=false',
    '--max-diagnostics=none',
    '--reporter=github',
    '.',
  )
  const filesThat = (rule: string) =>
    [...report.matchAll(new RegExp(`lint/style/${rule},file=([^,]+),`, 'g'))].map(([, path = '']) =>
      path.replace(`${folder}/`, ''),
    )
  return { refused: filesThat('noRestrictedImports'), reading: filesThat('noProcessEnv') }
}

/** It ends with 1 when there is something to report, as there should be. */
function biome(...args: string[]): Promise<string> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      [resolve('node_modules/@biomejs/biome/bin/biome'), ...args],
      { cwd: folder },
      (_, stdout) => done(stdout),
    )
  })
}
