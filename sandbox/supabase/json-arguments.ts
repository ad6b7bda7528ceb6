import type postgres from 'postgres'

/** Names of the json and jsonb arguments of a function in `public`. */
export type JsonArguments = { of(functionName: string): Promise<ReadonlySet<string>>; forget(): void }

/** Looked up once for each function, until the schema changes. */
export function createJsonArguments(sql: postgres.Sql): JsonArguments {
  let known = new Map<string, Promise<ReadonlySet<string>>>()

  async function lookUp(name: string): Promise<ReadonlySet<string>> {
    const rows = await sql<{ argument: string }[]>`
      select distinct argument.name as argument
      from pg_catalog.pg_proc p, unnest(p.proargtypes::oid[], p.proargnames) as argument (type, name)
      where p.pronamespace = 'public'::regnamespace and p.proname = ${name}
        and argument.type in ('json'::regtype, 'jsonb'::regtype) and argument.name is not null`
    return new Set(rows.map((row) => row.argument))
  }

  return {
    of(name) {
      const found = known.get(name) ?? lookUp(name)
      known.set(name, found)
      found.catch(() => known.delete(name))
      return found
    },
    forget() {
      known = new Map()
    },
  }
}

/**
 * The engine hands objects over as JSON but texts as they are, so that the text `plain` would be no JSON and
 * the text `{"a":1}` an object. Encode those once more, where the function wants json.
 */
export function encodeJsonTexts(body: unknown, jsonArguments: ReadonlySet<string>): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [
      name,
      typeof value === 'string' && jsonArguments.has(name) ? JSON.stringify(value) : value,
    ]),
  )
}
