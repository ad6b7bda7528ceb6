import { StripeError } from '../http/errors.ts'
import { either, fields, integer, type ReadParams, word } from '../http/params.ts'
import type { Kind, ObjectOf } from './resources.ts'
import type { Condition, Store } from './store.ts'

export type List<T> = { object: 'list'; url: string; has_more: boolean; data: T[] }

/** The parameters every list has (stripe.L1). */
export const pageParams = {
  limit: integer({ min: 1, max: 100 }),
  starting_after: word(),
  ending_before: word(),
}

/** Most can be narrowed down by time, too (stripe.L2). */
export const listParams = {
  ...pageParams,
  created: either(integer(), fields({ gt: integer(), gte: integer(), lt: integer(), lte: integer() })),
}

export type Page = ReadParams<typeof listParams>

/** One page, newest first, of the objects that meet the conditions. */
export function listObjects<K extends Kind>(
  store: Store,
  kind: K,
  url: string,
  page: Partial<Page>,
  conditions: Condition[] = [],
): List<ObjectOf<K>> {
  return listPage(url, page, 'objects', store, (paging, limit, oldestFirst) =>
    store
      .select(kind, [...conditions, ...createdBetween(page.created), ...paging], { limit, oldestFirst })
      .map(({ object }) => object),
  )
}

/**
 * The paging itself: one row more than asked for tells whether there are more. `ending_before` is read in the other direction.
 * @throws StripeError when both cursors are given, or a cursor is not the id of such an object.
 */
export function listPage<T>(
  url: string,
  page: Partial<Page>,
  table: 'objects' | 'events',
  store: Store,
  read: (paging: Condition[], limit: number, oldestFirst: boolean) => T[],
): List<T> {
  const { limit = 10, starting_after, ending_before } = page
  if (starting_after && ending_before) {
    throw new StripeError(
      400,
      {
        type: 'invalid_request_error',
        message: 'You may specify only one of these parameters: ending_before, starting_after.',
      },
      { beforeExecution: true },
    )
  }
  const cursor = starting_after ?? ending_before
  const backwards = ending_before !== undefined
  const paging = cursor
    ? [{ sql: backwards ? 'seq > ?' : 'seq < ?', values: [seqOf(store, table, cursor, backwards)] }]
    : []
  const rows = read(paging, limit + 1, backwards)
  const data = rows.slice(0, limit)
  if (backwards) data.reverse()
  return { object: 'list', url, has_more: rows.length > limit, data }
}

export function createdBetween(created: Page['created']): Condition[] {
  if (created === undefined) return []
  if (typeof created === 'number') return [{ sql: 'created = ?', values: [created] }]
  const signs = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const
  return (['gt', 'gte', 'lt', 'lte'] as const).flatMap((name) => {
    const value = created[name]
    return value === undefined ? [] : [{ sql: `created ${signs[name]} ?`, values: [value] }]
  })
}

function seqOf(store: Store, table: 'objects' | 'events', id: string, backwards: boolean): number {
  const row = store.db.prepare(`select seq from ${table} where id = ?`).get(id)
  if (row) return Number(row.seq)
  throw new StripeError(400, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    message: `No such object: '${id}'`,
    param: backwards ? 'ending_before' : 'starting_after',
  })
}
