import type { List, Page } from '../core/list.ts'
import { invalidParameter } from '../http/errors.ts'

/** A page of what is kept inside of another object, in its own order. */
export function pageOf<T extends { id: string }>(
  url: string,
  all: readonly T[],
  { limit = 10, starting_after, ending_before }: Partial<Page>,
): List<T> {
  if (ending_before) {
    const end = positionOf(all, ending_before, 'ending_before')
    const start = Math.max(end - limit, 0)
    return { object: 'list', url, has_more: start > 0, data: all.slice(start, end) }
  }
  const start = starting_after ? positionOf(all, starting_after, 'starting_after') + 1 : 0
  return { object: 'list', url, has_more: all.length > start + limit, data: all.slice(start, start + limit) }
}

function positionOf(all: readonly { id: string }[], id: string, param: string): number {
  const position = all.findIndex((one) => one.id === id)
  if (position < 0) throw invalidParameter(param, `No such object: '${id}'`, 'resource_missing')
  return position
}
