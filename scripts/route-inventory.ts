// Every address and action there is in app/, held against the route table. `next build` asks (next.config.js), and a unit test.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { ACTIONS, HANDLERS, PAGES } from '../lib/edge/route-table.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

export type Inventory = { pages: string[]; handlers: string[]; actions: string[]; problems: string[] }

/** @returns what is wrong, a line each: an address without a row, a row without an address, a way around the gates */
export function routeProblems(root: string): string[] {
  const found = inventory(root)
  return [
    ...found.problems,
    ...differences('page', found.pages, Object.keys(PAGES)),
    ...differences('handler', found.handlers, Object.keys(HANDLERS)),
    ...differences('action', found.actions, Object.keys(ACTIONS)),
  ]
}

/** What the files of app/ answer to, in the words of the route table. */
export function inventory(root: string): Inventory {
  const found: Inventory = { pages: [], handlers: [], actions: [], problems: [] }
  for (const folder of ['app', 'components', 'lib']) {
    for (const file of sourcesUnder(path.join(root, folder))) {
      const name = path.relative(root, file).split(path.sep).join('/')
      const text = readFileSync(file, 'utf8')
      if (/(^|\/)page\.(tsx?|jsx?|mdx?)$/.test(name)) found.pages.push(addressOf(name))
      if (/(^|\/)route\.(tsx?|jsx?)$/.test(name)) addHandlers(found, name, text)
      if (/^\s*['"]use server['"]/m.test(text)) addActions(found, name, text)
    }
  }
  return found
}

/** `export const POST = route(...)`: each method by its name, and through route() alone. */
function addHandlers(found: Inventory, file: string, text: string): void {
  const methods = METHODS.filter((method) =>
    new RegExp(`export\\s+(?:const|let|var|(?:async\\s+)?function)\\s+${method}\\b`).test(text),
  )
  if (methods.length === 0 || /export\s*(?:\{|\*)/.test(text))
    found.problems.push(`${file} must export its methods one by one: export const POST = route(...)`)
  for (const method of methods) {
    found.handlers.push(`${method} ${addressOf(file)}`)
    if (!new RegExp(`export const ${method} = route\\(`).test(text))
      found.problems.push(`${file} must wrap ${method} in route(): export const ${method} = route(...)`)
  }
}

/** `export const payAction = formAction('payAction', ...)`, in a file that says 'use server' first. */
function addActions(found: Inventory, file: string, text: string): void {
  if (!file.startsWith('app/') || !/^['"]use server['"]/.test(text)) {
    found.problems.push(`${file} must keep its server actions in a file of app/ that says 'use server' first`)
    return
  }
  const names = [...text.matchAll(/export\s+(?:const|let|var|(?:async\s+)?function)\s+(\w+)/g)].map(
    ([, name = '']) => name,
  )
  if (names.length === 0 || /export\s*(?:\{|\*|default)/.test(text))
    found.problems.push(`${file} must export its actions one by one: export const x = formAction('x', ...)`)
  for (const name of names) {
    found.actions.push(name)
    if (!new RegExp(`export const ${name} = (?:form|button)Action\\(\\s*'${name}'`).test(text))
      found.problems.push(`${file} must make ${name} with formAction('${name}', ...) or buttonAction`)
  }
}

function differences(kind: string, found: string[], listed: string[]): string[] {
  return [
    ...found
      .filter((name) => !listed.includes(name))
      .map((name) => `The ${kind} ${name} is missing from lib/edge/route-table.ts`),
    ...listed
      .filter((name) => !found.includes(name))
      .map((name) => `lib/edge/route-table.ts lists the ${kind} ${name}, which is not there`),
  ]
}

/** `app/(shop)/orders/[orderId]/page.tsx` answers to `/orders/[orderId]`. */
function addressOf(file: string): string {
  const folders = file.split('/').slice(1, -1)
  return `/${folders.filter((folder) => !/^(\(.*\)|@.*)$/.test(folder)).join('/')}`
}

function sourcesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(tsx?|jsx?|mdx?)$/.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .toSorted()
}
