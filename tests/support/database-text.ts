import { adminSql } from './db'

/** The columns of the whole database, as schema.table.column, that hold one of the texts. */
export async function columnsHolding(texts: readonly string[]): Promise<string[]> {
  const sql = adminSql()
  const tables = await sql<{ schema: string; name: string }[]>`
    select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')`
  const found = new Set<string>()
  for (const { schema, name } of tables) {
    const hits = await sql`
      select distinct f.key from ${sql(schema)}.${sql(name)} t, jsonb_each_text(to_jsonb(t)) f
      where exists (select from unnest(${texts as string[]}::text[]) x where strpos(lower(f.value), lower(x)) > 0)`
    for (const { key } of hits) found.add(`${schema}.${name}.${key}`)
  }
  return [...found].toSorted()
}

/** A function's definition, changed to raise what must come out nowhere. */
export function raising(definition: string, code: string): string {
  return definition
    .replace(/\bLANGUAGE sql\b/i, 'LANGUAGE plpgsql')
    .replace(
      /\bAS \$(\w*)\$[\s\S]*$/,
      () => `AS $$ begin raise exception 'canary in relation x' using errcode = '${code}'; end $$`,
    )
}
