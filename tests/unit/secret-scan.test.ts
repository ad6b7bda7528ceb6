import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { SECRET_PATTERNS, secretsIn } from '../../scripts/judge/secret-patterns.ts'
import { scanHistory, scanTree } from '../../scripts/judge/secret-scan.ts'

const DIGITS = 'a1B2c3D4e5F6g7H8i9J0'.repeat(4)
const random = (length: number) => DIGITS.slice(0, length)

/** Put together here, so that this file itself holds no bait. */
const BAIT: [kind: string, text: string][] = [
  ['Stripe secret or restricted key', ['sk', 'live', random(24)].join('_')],
  ['Stripe secret or restricted key', ['sk', 'test', `51${random(97)}`].join('_')],
  ['Stripe secret or restricted key', ['rk', 'live', random(24)].join('_')],
  ['Stripe secret or restricted key', ['sk', 'live', 'local', random(25)].join('_')],
  ['Stripe webhook secret', ['whsec', random(32)].join('_')],
  ['Supabase secret key', ['sb', 'secret', random(22), 'Ab3dE6gH'].join('_')],
  ['Supabase access token', ['sbp', '0a1b2c3d4e'.repeat(4)].join('_')],
  ['Upstash token', `AXbcAA${'Inc'}${random(40)}==`],
  ['Upstash token', `gQAA${'AAAA'}${random(40)}`],
  ['Redis address with a password', `rediss:${'//'}default:${random(20)}@eu1-x.upstash.io:6379`],
  [
    'database address with a password',
    `postgres:${'//'}postgres.abc:${random(16)}@aws-0.pooler.supabase.com`,
  ],
  ['JSON Web Token', ['eyJhbGciOiJFUzI1NiJ9', `eyJ${random(40)}`, random(43)].join('.')],
  ['private key', `-----BEGIN ${'PRIVATE'} KEY-----\n${random(64)}`],
  ['private JSON Web Key', `{"kty":"EC","${'d'}":"${random(43)}"}`],
  ['GitHub token', ['ghp', random(36)].join('_')],
  ['npm token', ['npm', random(36)].join('_')],
  ['AWS access key', `AKIA${'A1B2C3D4'.repeat(2)}`],
  ['secret setting with a value', `CRON${'_'}SECRET=${random(24)}`],
]
const folders: string[] = []

function newRepository(): { folder: string; git: (...args: string[]) => void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'paywright-secrets-'))
  folders.push(folder)
  const person = ['-c', 'user.name=Test', '-c', 'user.email=test@example.test']
  const git = (...args: string[]) => void execFileSync('git', [...person, ...args], { cwd: folder })
  git('init', '--quiet')
  return { folder, git }
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

describe('the search for secrets', () => {
  it('finds none in this project [S-6]', () => {
    const { files, found } = scanTree()

    expect(files).toBeGreaterThan(300)
    expect(found).toEqual([])
  })

  it('catches all bait, each kind at least once [S-6]', () => {
    expect(new Set(BAIT.map(([kind]) => kind))).toEqual(new Set(SECRET_PATTERNS.map(({ name }) => name)))
    for (const [kind, text] of BAIT) {
      const inCode = secretsIn(`one\n  const key = '${text}'\n`)
      const alone = secretsIn(`one\n${text}\n`)

      expect([...inCode, ...alone], kind).toContainEqual({ name: kind, line: 2 })
    }
  })

  it('lets pass what opens nothing [S-6]', () => {
    const harmless = [
      ['sk', 'test', 'local', random(25)].join('_'),
      'whsec_canary3canary',
      'postgres://payments_service:password@pooler.example.com/postgres',
      'postgres://payments_service:password@127.0.0.1/postgres',
      'CRON_SECRET=',
    ]

    expect(harmless.flatMap(secretsIn)).toEqual([])
  })

  it('finds bait in the tree and, when it was deleted, in the history [S-6]', async () => {
    const { folder, git } = newRepository()
    const baitFile = path.join(folder, 'settings.txt')
    writeFileSync(baitFile, BAIT.map(([, text]) => text).join('\n'))
    const inTree = scanTree(folder).found
    git('add', '.')
    git('commit', '--quiet', '-m', 'Add settings')
    git('rm', '--quiet', 'settings.txt')
    git('commit', '--quiet', '-m', 'Remove settings')

    const inHistory = (await scanHistory(folder)).found

    expect(new Set(inTree.map(({ name }) => name)).size).toBe(SECRET_PATTERNS.length)
    expect(scanTree(folder).found).toEqual([])
    expect(new Set(inHistory.map(({ name }) => name)).size).toBe(SECRET_PATTERNS.length)
    for (const { place } of inHistory) expect(place).toMatch(/^settings\.txt:\d+ \([0-9a-f]{10}\)$/)
  })
})
