import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { root } from '../../scripts/processes'
import { newApiKey } from '../support/api-keys'
import { adminSql } from '../support/db'
import { inOwnStack } from '../support/own-stack'
import { newStaff } from '../support/paid'
import type { Person } from '../support/people'
import { stack } from '../support/stack-in-test'
import { limitOf } from '../support/staff'
import { eventOf, postEvent } from '../support/stripe-events'

const folder = path.join(root, 'docs', 'runbooks')

type Command = { runbook: string; kind: string; text: string }

/** What stands in fences of `sh`, a command a line, and of `sql`. The same one twice is run once. */
const commands = readdirSync(folder).flatMap((runbook): Command[] => {
  const page = readFileSync(path.join(folder, runbook), 'utf8')
  return [...page.matchAll(/^( *)```(sh|sql)\n([\s\S]*?)^\1```/gm)].flatMap(([, , kind = '', block = '']) => {
    const texts =
      kind === 'sql'
        ? [block]
        : block
            .replace(/\\\n\s*/g, '')
            .replace(/ +# .*$/gm, '')
            .split('\n')
    return texts.map((text) => ({ runbook, kind, text: text.trim() })).filter(({ text }) => text !== '')
  })
})
const distinct = [...new Map(commands.map((command) => [command.text, command])).values()]
const of = (kind: string) =>
  distinct
    .filter((command) => command.kind === kind)
    .map(({ runbook, text }): [string, string] => [runbook, text])

describe('every command of a runbook runs [T5]', () => {
  let admin: Person
  let given: Record<string, string>
  let eventId: string
  let version: number

  // A reconciliation looks at all there is, ten requests a second.
  inOwnStack()
  beforeAll(async () => {
    const { appOrigin, env } = stack()
    ;[admin] = await Promise.all([newStaff('admin')])
    const member = await newStaff('support')
    const event = eventOf('x.y', { object: 'x', id: 'x' })
    await postEvent(appOrigin, event, { secret: env.STRIPE_WEBHOOK_SECRET ?? '' })
    eventId = event.id
    version = (await limitOf(admin, 'failures_card')).version
    given = {
      APP_ORIGIN: appOrigin,
      COOKIE: admin.cookie,
      USER_ID: member.id,
      API_KEY_ID: (await newApiKey(admin)).apiKey.id,
    }
  }, 120_000)

  /** With what stands for something in the runbook put in its place. */
  const filled = (text: string) =>
    text
      .replace('evt_…', eventId)
      .replace('9d7f1c1e-0000-4000-8000-000000000000', admin.id)
      .replace('"version": 1', `"version": ${version}`)

  /** In a shell of its own, where an answer of 400 and more is a failure of curl. */
  async function run(text: string): Promise<{ code: number | null; output: string }> {
    const child = spawn(
      'bash',
      ['-c', `curl() { command curl --silent --show-error --fail-with-body "$@"; }\n${filled(text)}`],
      {
        cwd: root,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          PATH: process.env.PATH,
          HOME: process.env.HOME,
          NODE_ENV: 'production',
          ...stack().env,
          ...given,
        },
      },
    )
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
    return { code, output }
  }

  it('of which there are some in each', () => {
    const withCommands = new Set(commands.map(({ runbook }) => runbook))

    expect(readdirSync(folder).filter((name) => !withCommands.has(name))).toEqual(['incident-template.md'])
    expect(of('sh').length).toBeGreaterThan(15)
  })

  it.each(of('sh'))('%s: %s', async (_runbook, text) => {
    // These two end with 1 when they find something, as they may in the books of the tests.
    const found = /^npm run (reconcile|audit:verify)/.test(text) ? [0, 1] : [0]

    const { code, output } = await run(text)

    expect(found, output).toContain(code)
  })

  it.each(of('sql'))('%s, and only reads: %s', async (_runbook, text) => {
    expect(text).toMatch(/^select\b[^;]*;$/)
    await adminSql().unsafe(text)
  })
})
