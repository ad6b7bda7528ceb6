import postgres from 'postgres'
import { compared, inTurns, perSecond, withProviders } from './side-by-side.ts'

const ROWS = 1_500
const ROUNDS = 5
const ROW = `'{"action": "payment.succeeded", "from": "processing"}'`

/** Audit rows that are chained in the transaction of their fact, behind one lock, beside rows that are sealed later. */
export async function sealing(): Promise<string[]> {
  return await withProviders(['postgres'], async ({ adminDatabaseUrl }) => {
    const lines = [`${''.padEnd(34)} ${'sealed later'.padStart(9)}   ${'chained'.padStart(9)}`]
    for (const workers of [1, 8, 32]) {
      const sql = postgres(adminDatabaseUrl, { max: workers, onnotice: () => {} })
      await sql.unsafe(SCHEMA)
      const commit = (procedure: string) => () =>
        perSecond(ROWS, workers, () => sql.unsafe(`select bench.${procedure}(${ROW})`, [], { prepare: true }))
      const rates = await inTurns(ROUNDS, [commit('write'), commit('write_chained')])
      lines.push(compared(`commits, ${workers} at a time`, ...rates))
      await sql.end()
    }
    return lines
  })
}

/** Beside the row of the log each commit writes one of its own, as a payment does. */
const SCHEMA = `
drop schema if exists bench cascade;
create schema bench;
create table bench.facts (id bigint generated always as identity primary key, content jsonb not null);
create table bench.log (id bigint generated always as identity primary key, content jsonb not null, hash bytea);
create table bench.head (hash bytea not null);
insert into bench.head values ('\\x00');
create function bench.write(p_content jsonb) returns void language plpgsql as $$
begin
  insert into bench.facts (content) values (p_content);
  insert into bench.log (content) values (p_content);
end $$;
create function bench.write_chained(p_content jsonb) returns void language plpgsql as $$
declare
  v_hash bytea;
begin
  insert into bench.facts (content) values (p_content);
  select sha256(h.hash || convert_to(p_content::text, 'utf8')) into v_hash from bench.head h for update;
  insert into bench.log (content, hash) values (p_content, v_hash);
  update bench.head set hash = v_hash;
end $$;
`
