import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { ACTIONS, HANDLERS, PAGES } from '@/lib/edge/route-table'
import { root } from '../../scripts/processes'
import { adminSql } from '../support/db'

/** Files that are served as they are. */
const STATIC = ['/icon.svg']
/** Addresses the framework itself adds. */
const FRAMEWORK = ['/_global-error', '/_not-found']

/** What the production build answers to. */
function builtAddresses(): { address: string; isPage: boolean }[] {
  const routes = JSON.parse(readFileSync(path.join(root, '.next', 'app-path-routes-manifest.json'), 'utf8'))
  return Object.entries(routes as Record<string, string>)
    .filter(([, address]) => !FRAMEWORK.includes(address))
    .map(([file, address]) => ({ address, isPage: file.endsWith('/page') }))
}

async function inventory(): Promise<string> {
  const pages = Object.keys(PAGES).map((address) => `${address} (page)`)
  const actions = Object.keys(ACTIONS).map((name) => `${name} (server action)`)
  const tables = await adminSql()`
    select n.nspname || '.' || c.relname || case when c.relkind = 'v' then ' (view)' else '' end as line
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'private', 'service') and c.relkind in ('r', 'p', 'v', 'm', 'f')`
  const functions = await adminSql()`
    select n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')'
      || case when p.prosecdef then ' definer' else '' end
      || case when has_function_privilege('payments_service', p.oid, 'execute') then ', called by the server' else '' end
      as line
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname in ('public', 'private', 'service')`
  const list = (title: string, lines: string[]) =>
    `## ${title} (${lines.length})\n\n${lines.map((line) => `- ${line}`).join('\n')}\n`
  const ofRows = (rows: readonly unknown[]) => rows.map((row) => (row as { line: string }).line)
  return [
    '# Inventory\n\nEverything that can be asked from outside, and everything in the database: written by a test from the\nroute table and the migrated database, and compared by it from then on. To accept a change:\n`npm test -- integration tests/integration/inventory.test.ts -u`, and read what git says has changed.\n',
    list('Addresses', [...pages, ...Object.keys(HANDLERS), ...actions].sort()),
    list('Tables and views', ofRows(tables).sort()),
    list('Functions', ofRows(functions).sort()),
  ].join('\n')
}

describe('the inventory', () => {
  it('has no address in the build that the route table does not allow [S-11]', () => {
    const built = builtAddresses().filter(({ address }) => !STATIC.includes(address))
    const handlers = new Set(Object.keys(HANDLERS).map((name) => name.split(' ')[1]))

    expect(
      built
        .filter(({ isPage }) => isPage)
        .map(({ address }) => address)
        .sort(),
    ).toEqual(Object.keys(PAGES).sort())
    expect(
      built
        .filter(({ isPage }) => !isPage)
        .map(({ address }) => address)
        .sort(),
    ).toEqual([...handlers].sort())
  })

  it('names every address, table and function there is, and nothing else [S-12]', async () => {
    await expect(await inventory()).toMatchFileSnapshot(path.join(root, 'docs', 'security', 'inventory.md'))
  })
})
