// One row of the control map: what is demanded, what we do about it, and which test would notice its loss.

export type Status = 'done' | 'planned' | 'not applicable'

export type Row = {
  id: string
  /** What is demanded, in our words. */
  demand: string
  status: Status
  /** Files that do it. */
  controls: string[]
  /** The id of a row that tests carry in their titles (`W10`), or `folder/file › words of a title`. */
  tests: string[]
  /** Planned until tests with these ids are on record; see settle.ts. */
  awaits?: string[]
  /** Why it is planned or does not apply; what we do instead where the source is not followed as written. */
  reason?: string
}

const words = (text: string) => text.split(' ').filter(Boolean)

/**
 * Done: there is a control and a test.
 * @param ids of rows, separated by blanks
 * @param titles for tests that carry no id
 */
export function done(id: string, demand: string, controls: string, ids: string, ...titles: string[]): Row {
  return { id, demand, status: 'done', controls: words(controls), tests: [...words(ids), ...titles] }
}

/** Done in another way than the source says, because the source is wrong or out of date. */
export function otherwise(
  id: string,
  demand: string,
  instead: string,
  controls: string,
  ids: string,
  ...titles: string[]
): Row {
  return { ...done(id, demand, controls, ids, ...titles), reason: `Not as written: ${instead}` }
}

/** Not there, or there without a test that would notice its loss. */
export function planned(id: string, demand: string, reason: string, controls = ''): Row {
  return { id, demand, status: 'planned', controls: words(controls), tests: [], reason }
}

/** The control is being built: the row is done as soon as tests with these ids are on record. */
export function awaiting(id: string, demand: string, controls: string, ids: string): Row {
  return { ...planned(id, demand, `In work (${words(ids).join(', ')}).`, controls), awaits: words(ids) }
}

export function notApplicable(id: string, demand: string, reason: string): Row {
  return { id, demand, status: 'not applicable', controls: [], tests: [], reason }
}
