import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** A mistake we do not make, and how to make it after all. */
export type Mutation = {
  mistake: string
  /** A file; the newest definition of a function in the migrations; or a migration more, of which `put` is the text. */
  at: string | { sqlFunction: string } | 'a migration of its own'
  /** What stands there, exactly once. */
  find?: string
  put: string
  caughtBy: Catcher
}

/** The test that must fail, and what it must say: another failure proves nothing. */
export type Catcher = {
  project: 'unit' | 'simulation' | 'integration'
  file: string
  /** A part of the test's name. */
  test: string
  says: RegExp
}

/** The schedules of `npm test` with even seeds, as far as the first that breaks a rule. */
export const simulator = (says: RegExp): Catcher => ({
  project: 'simulation',
  file: 'tests/simulation/even-seeds.test.ts',
  test: 'no rule is broken',
  says,
})

const MIGRATIONS = 'supabase/migrations'

/** The file that makes the mistake, and what is in it then. @throws Error when the mutation does not fit any more */
export function mutated(root: string, { mistake, at, find, put }: Mutation): { file: string; text: string } {
  if (at === 'a migration of its own') return { file: `${MIGRATIONS}/99991231235959_mutation.sql`, text: put }
  const file = typeof at === 'string' ? at : migrationWith(root, at.sqlFunction)
  const text = readFileSync(path.join(root, file), 'utf8')
  const [from, to] = typeof at === 'string' ? [0, text.length] : placeOf(text, at.sqlFunction)
  const part = text.slice(from, to)
  const places = find ? part.split(find).length - 1 : 0
  if (!find || places !== 1)
    throw new Error(`"${mistake}" no longer applies: ${file} has its place ${places} times, not once.`)
  return { file, text: text.slice(0, from) + part.replace(find, () => put) + text.slice(to) }
}

/** Only the last definition counts. */
function migrationWith(root: string, name: string): string {
  const files = readdirSync(path.join(root, MIGRATIONS)).sort()
  const last = files.findLast((file) =>
    begins(name).test(readFileSync(path.join(root, MIGRATIONS, file), 'utf8')),
  )
  if (!last) throw new Error(`no migration defines ${name}`)
  return `${MIGRATIONS}/${last}`
}

function placeOf(text: string, name: string): [number, number] {
  const from = text.search(begins(name))
  return [from, text.indexOf('\n$$;', from)]
}

function begins(name: string): RegExp {
  return new RegExp(`^create (or replace )?function ${name.replace('.', '\\.')}\\(`, 'm')
}
