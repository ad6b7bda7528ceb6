import { FORMS, HANDLERS, type HandlerRule, PAGES, type PageRule } from './route-table'

type Row<Rule> = { path: string; segments: string[]; rule: Rule }

const rowsOf = <Rule>(table: Record<string, Rule>): Row<Rule>[] =>
  Object.entries(table)
    .map(([path, rule]) => ({ path, segments: segmentsOf(path), rule }))
    // A name that is spelled out goes before one that stands for any.
    .toSorted((one, other) => placeholders(one.segments) - placeholders(other.segments))

const pages = rowsOf<PageRule>(PAGES)
const handlersOf = new Map(
  ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].map((method) => [
    method,
    rowsOf<HandlerRule>(
      Object.fromEntries(
        Object.entries(HANDLERS)
          .filter(([name]) => name.startsWith(`${method} `))
          .map(([name, rule]) => [name.slice(method.length + 1), rule]),
      ),
    ),
  ]),
)

/** The row of a route handler, or null: then there is no such handler. */
export function findHandlerRule(method: string, pathname: string): HandlerRule | null {
  return find(handlersOf.get(method === 'HEAD' ? 'GET' : method) ?? [], pathname)?.rule ?? null
}

/**
 * What middleware.ts holds a request to. An address nobody lists shows a page that says so, and costs the same; a form can be
 * sent to any page at all.
 */
export function findRule(method: string, pathname: string): PageRule | HandlerRule {
  const handler = findHandlerRule(method, pathname)
  if (handler) return handler
  const changesNothing = method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
  if (changesNothing || pathname.startsWith('/api/')) return find(pages, pathname)?.rule ?? PAGES['/']
  return FORMS
}

/** A page by its name in the table, `/orders/[orderId]`, or null: then there is no such page. */
export function findPage(pathname: string): string | null {
  return find(pages, pathname)?.path ?? null
}

function find<Rule>(rows: Row<Rule>[], pathname: string): Row<Rule> | null {
  const segments = segmentsOf(pathname)
  return rows.find((row) => matches(row.segments, segments)) ?? null
}

function matches(pattern: string[], segments: string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every(
      (part, index) => part === segments[index] || (isPlaceholder(part) && segments[index] !== ''),
    )
  )
}

function segmentsOf(path: string): string[] {
  return path.split('/')
}

function isPlaceholder(part: string): boolean {
  return part.startsWith('[')
}

function placeholders(segments: string[]): number {
  return segments.filter(isPlaceholder).length
}
