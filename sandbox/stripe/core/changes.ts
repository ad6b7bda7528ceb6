/** The former values of what differs and was there, as `previous_attributes` of an `*.updated` event. Null when nothing differs. */
export function previousAttributes<T extends object>(before: T, after: T): Partial<T> | null {
  const changed = (Object.keys(after) as (keyof T)[]).filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  )
  if (changed.length === 0) return null
  const known = changed.filter((name) => name in before)
  return Object.fromEntries(known.map((name) => [name, before[name] ?? null])) as Partial<T>
}

/** `object` with those fields of `patch` that were given: undefined means "not mentioned". */
export function withGiven<T extends object>(object: T, patch: { [K in keyof T]?: T[K] | undefined }): T {
  const given = Object.entries(patch).filter(([, value]) => value !== undefined)
  return { ...object, ...Object.fromEntries(given) }
}
