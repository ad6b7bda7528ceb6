import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findHandlerRule, findRule } from '@/lib/edge/find-rule'
import { ACTIONS, FORMS, HANDLERS, PAGES } from '@/lib/edge/route-table'
import { routeProblems } from '../../scripts/route-inventory'

const root = path.resolve(import.meta.dirname, '../..')

describe('the route table', () => {
  let copy: string

  beforeEach(() => {
    copy = mkdtempSync(path.join(tmpdir(), 'paywright-routes-'))
    for (const folder of ['app', 'components', 'lib'])
      cpSync(path.join(root, folder), path.join(copy, folder), { recursive: true })
  })
  afterEach(() => rmSync(copy, { recursive: true, force: true }))

  const add = (file: string, text: string) => {
    mkdirSync(path.dirname(path.join(copy, file)), { recursive: true })
    writeFileSync(path.join(copy, file), text)
  }

  it('lists every page, handler and action there is, and nothing else [F7]', () => {
    expect(routeProblems(root)).toEqual([])
  })

  it.each([
    ['a page', 'app/(shop)/secret/page.tsx', 'export default () => null', 'The page /secret is missing'],
    [
      'a handler',
      'app/api/secret/[id]/route.ts',
      'export const GET = route(async () => new Response())',
      'The handler GET /api/secret/[id] is missing',
    ],
    [
      'one more method of a handler',
      'app/api/payments/history/route.ts',
      'export const GET = route(f)\nexport const DELETE = route(f)',
      'The handler DELETE /api/payments/history is missing',
    ],
    [
      'an action',
      'app/(shop)/more-actions.ts',
      "'use server'\nexport const secretAction = formAction('secretAction', f)",
      'The action secretAction is missing',
    ],
    [
      'a handler beside route()',
      'app/api/health/route.ts',
      'export async function GET() { return new Response() }',
      'must wrap GET in route()',
    ],
    [
      'an action inside a component',
      'components/x.tsx',
      "async function f() {\n  'use server'\n}",
      "'use server'",
    ],
    [
      'an action under the name of another',
      'app/(shop)/actions.ts',
      "'use server'\nexport const createOrderAction = formAction('signOutAction', f)",
      "must make createOrderAction with formAction('createOrderAction'",
    ],
    ['a re-export', 'app/api/health/route.ts', "export { GET } from './elsewhere'", 'one by one'],
  ])('fails the build for %s that it does not list', (_what, file, text, problem) => {
    add(file, text)

    expect(routeProblems(copy).join('\n')).toContain(problem)
  })

  it('fails the build for a row without an address', () => {
    rmSync(path.join(copy, 'app/api/health'), { recursive: true })

    expect(routeProblems(copy)).toEqual([
      'lib/edge/route-table.ts lists the handler GET /api/health, which is not there',
    ])
  })

  it('is asked by every production build', () => {
    expect(readFileSync(path.join(root, 'next.config.js'), 'utf8')).toContain('routeProblems(')
  })

  it('limits every row, or says why not', () => {
    const rows = Object.entries({ ...HANDLERS, ...PAGES, ...ACTIONS })
    const unlimited = rows.filter(
      ([, rule]) => rule.limits.length === 0 && !('unlimited' in rule && rule.unlimited),
    )

    expect(unlimited).toEqual([])
  })

  it('demands our own Origin wherever a cookie could change something [H7]', () => {
    const changing = Object.entries(HANDLERS).filter(([name]) => !name.startsWith('GET '))
    const open = changing.filter(([, rule]) => rule.csrf !== 'origin').map(([name]) => name)
    const secretless = Object.values(HANDLERS).filter(
      (rule) =>
        rule.csrf === 'secret' &&
        !rule.callers.every((caller) => ['cron', 'stripe', 'api_key'].includes(caller)),
    )

    expect(open).toEqual([
      'POST /api/payments/webhook',
      'POST /api/orders',
      'POST /api/cron/sweep',
      'POST /api/cron/cards',
      'POST /api/cron/seal',
      'POST /api/cron/reconcile',
      'POST /api/cron/retention',
      'POST /api/csp-reports',
      'POST /api/cron/sessions',
      'POST /api/cron/outbox',
      'POST /api/cron/grace',
    ])
    expect(secretless).toEqual([])
    expect(Object.values(ACTIONS).every((rule) => rule.csrf === 'origin')).toBe(true)
  })

  it('never lets sign-in, paying or moving money back go unlimited while Redis is away [C4]', () => {
    expect(HANDLERS['POST /api/payments/create-payment-intent'].outage).toBe('local')
    expect(HANDLERS['POST /api/payments/[id]/refunds'].outage).toBe('closed')
    expect(HANDLERS['POST /api/privacy/exports'].outage).toBe('closed')
    expect(HANDLERS['POST /api/privacy/erasure'].outage).toBe('closed')
    expect(Object.values(ACTIONS).map((rule) => rule.outage)).not.toContain('open')
    expect(FORMS.outage).toBe('local')
  })

  it('says of each handler what the matcher of middleware.ts does with it', () => {
    const source = readFileSync(path.join(root, 'middleware.ts'), 'utf8')
    const pattern = /matcher: \[\s*'([^']+)'/.exec(source)?.[1] ?? ''
    const seen = new RegExp(`^${pattern}$`)

    for (const [name, rule] of Object.entries(HANDLERS))
      expect(seen.test(name.split(' ')[1] ?? ''), name).toBe(rule.middleware)
    for (const address of Object.keys(PAGES)) expect(seen.test(address), address).toBe(true)
  })

  it('finds the row of a request by the address that is most particular', () => {
    expect(findHandlerRule('GET', '/api/payments/history')).toBe(HANDLERS['GET /api/payments/history'])
    expect(findHandlerRule('HEAD', '/api/payments/1')).toBe(HANDLERS['GET /api/payments/[id]'])
    expect(findHandlerRule('DELETE', '/api/payments/1')).toBeNull()
    expect(findHandlerRule('GET', '/api/payments/')).toBeNull()
    expect(findRule('GET', '/payments/1/result')).toBe(PAGES['/payments/[paymentId]/result'])
    expect(findRule('POST', '/anything/at/all')).toBe(FORMS)
  })
})
