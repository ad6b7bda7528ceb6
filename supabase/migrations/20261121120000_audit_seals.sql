-- The audit log, sealed: every row gets a place in a chain of hashes, so that a change by somebody who may do anything in
-- this database still shows. Rows are written without a hash, and a sealer chains them later, in batches, under one lock:
-- chaining inside each payment would put every commit behind that lock.
--
-- The chain follows the ids, and a row with a smaller id may become visible after one with a larger id: ids are given out
-- before a transaction commits. So the sealer first finds out up to which id nothing can turn up any more, and never goes
-- beyond. Thus a row that lies below the last seal and has none was put there later, by hand.

create table private.audit_seals (
  -- The place in the chain: 1, 2, 3 … without a gap. Place 0 is its beginning and seals no row.
  seq bigint primary key,
  -- No foreign key: a seal outlives its row, to say that the row is gone.
  audit_id bigint not null,
  hash bytea not null constraint audit_seals_hash_is_sha256 check (octet_length(hash) = 32),
  sealed_at timestamptz not null default now(),
  constraint audit_seals_once_per_row unique (audit_id)
);
insert into private.audit_seals (seq, audit_id, hash) values (0, 0, sha256('paywright audit log 1'));

-- What of a row is hashed, next to its id: independent of time zone, date style and order of keys. It never changes for rows
-- that are there; a column added later goes in for rows that have it only.
create view private.audit_lines with (security_invoker = true) as
  select a.id, jsonb_build_array(extract(epoch from a.at)::text, a.actor_type, a.actor_id, a.action, a.subject_type,
    a.subject_id, a.source, a.detail)::text as content
  from private.audit_log a;

create trigger audit_seals_append_only before update or delete or truncate on private.audit_seals
  for each statement execute function private.refuse_change();

alter table private.audit_seals enable row level security;
revoke all on private.audit_seals, private.audit_lines from public, anon, authenticated, service_role;
create policy audit_seals_functions on private.audit_seals to payments_owner using (true) with check (true);
grant select, insert on private.audit_seals to payments_owner;
grant select on private.audit_lines to payments_owner;

-- A seal: the one before it and the row, in one hash. An id is digits and the content begins with a bracket, so that no two
-- rows read the same.
create function private.seal_of(p_previous bytea, p_audit_id bigint, p_content text) returns bytea
language plpgsql immutable set search_path = '' as $$
begin
  return sha256(p_previous || convert_to(p_audit_id::text || p_content, 'UTF8'));
end
$$;

-- Transactions that have written to the audit log and are not over, prepared ones among them. A writer takes its lock on the
-- table before it gets an id, and lets go of it only after its rows can be seen.
create function private.audit_writers() returns text[]
language sql volatile set search_path = '' as $$
  select coalesce(array_agg(l.virtualtransaction), '{}') from pg_catalog.pg_locks l
  where l.locktype = 'relation' and l.relation = 'private.audit_log'::regclass and l.granted
    and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
    and l.mode in ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
    and l.pid is distinct from pg_backend_pid()
$$;

-- Chain the rows that have no seal yet, at most p_limit of them, and say where the chain ends:
--   {sealed, count, hash, more: rows are left that could be sealed now, waiting: a writer was in the way for too long}
-- A hole in the ids is safe to step over once every transaction that might fill it is over: those that were writing after
-- the newest visible row was read. Nobody waits for the sealer; it waits for them, two seconds at most.
-- The argument needs the sequence to give out ids in order (cache 1, as identity columns have).
create function service.seal_audit_log(p_limit integer default 5000) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_start private.audit_seals;
  v_upto bigint;
  v_writers text[];
  v_give_up_at timestamptz := clock_timestamp() + interval '2 seconds';
  v_line record;
  v_seq bigint;
  v_id bigint;
  v_hash bytea;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'a sealer has to see what is committed while it works' using errcode = 'invalid_transaction_state';
  end if;
  perform pg_advisory_xact_lock(hashtextextended('private.audit_seals', 0));

  select s.* into v_start from private.audit_seals s order by s.seq desc limit 1;
  select max(a.id) into v_upto from private.audit_log a;
  v_writers := private.audit_writers();
  while cardinality(v_writers) > 0 and clock_timestamp() < v_give_up_at loop
    perform pg_sleep(0.01);
    v_writers := array(select unnest(v_writers) intersect select unnest(private.audit_writers()));
  end loop;

  v_seq := v_start.seq;
  v_id := v_start.audit_id;
  v_hash := v_start.hash;
  if cardinality(v_writers) = 0 then
    for v_line in
      select l.id, l.content from private.audit_lines l where l.id > v_start.audit_id and l.id <= v_upto order by l.id limit p_limit
    loop
      v_seq := v_seq + 1;
      v_id := v_line.id;
      v_hash := private.seal_of(v_hash, v_id, v_line.content);
      insert into private.audit_seals (seq, audit_id, hash) values (v_seq, v_id, v_hash);
    end loop;
  end if;
  return jsonb_build_object('sealed', v_seq - v_start.seq, 'count', v_seq, 'hash', encode(v_hash, 'hex'),
    'more', cardinality(v_writers) = 0 and exists (select from private.audit_log a where a.id > v_id and a.id <= v_upto),
    'waiting', cardinality(v_writers) > 0);
end
$$;

-- Check up to p_limit links of the chain, from the one after place p_after on: {last: the last place looked at, checked,
-- findings: [{kind, id, seq}]}. There is nothing left once checked is below p_limit. Kinds:
--   edited     the row or its seal is not what it was
--   missing    the row is sealed and gone
--   inserted   the row has no seal where everything has one
--   seal_gone  one or more seals before this place are gone
create function service.verify_audit_page(p_after bigint, p_limit integer) returns jsonb
language sql stable security definer set search_path = '' as $$
  with page as materialized (
    select s.seq, s.audit_id, s.hash from private.audit_seals s where s.seq >= p_after order by s.seq limit p_limit + 1
  ), chained as (
    select p.*, lag(p.seq) over w as before_seq, lag(p.audit_id) over w as before_id, lag(p.hash) over w as before_hash
    from page p window w as (order by p.seq)
  ), judged as (
    select c.seq, c.audit_id as id, case
        when c.before_seq is distinct from c.seq - 1 then 'seal_gone'
        when l.id is null then 'missing'
        when c.audit_id <= c.before_id
          or private.seal_of(c.before_hash, c.audit_id, l.content) is distinct from c.hash then 'edited'
      end as kind
    from chained c left join private.audit_lines l on l.id = c.audit_id
    where c.seq > p_after
  ), found as (
    select j.seq, j.id, j.kind from judged j where j.kind is not null
    union all
    select null, a.id, 'inserted' from private.audit_log a
    where a.id <= (select max(p.audit_id) from page p)
      and (p_after = 0 or a.id > (select min(p.audit_id) from page p))
      and not exists (select from page p where p.audit_id = a.id and p.seq > 0)
  )
  select jsonb_build_object(
    'last', coalesce((select max(p.seq) from page p), p_after), 'checked', (select count(*) from judged),
    'findings', coalesce((select jsonb_agg(jsonb_build_object('kind', f.kind, 'id', f.id, 'seq', f.seq) order by f.id) from found f), '[]'))
$$;

-- Which of the rows p_rows holds what was sealed as one of the rows p_places (lists of ids): [{from, to}].
create function service.moved_audit_rows(p_places jsonb, p_rows jsonb) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object('from', s.audit_id, 'to', l.id) order by s.audit_id), '[]')
  from private.audit_seals s
  join private.audit_seals b on b.seq = s.seq - 1
  join private.audit_lines l on l.id <> s.audit_id
  where s.audit_id in (select v::bigint from jsonb_array_elements_text(p_places) v)
    and l.id in (select v::bigint from jsonb_array_elements_text(p_rows) v)
    and s.hash = private.seal_of(b.hash, s.audit_id, l.content)
$$;

-- Whether the chain still contains a head that was published earlier: {verdict: holds | cut | rewritten, count, unsealed}.
-- With p_alert staff hear of a head that does not hold.
create function service.check_audit_head(p_count bigint, p_hash text, p_alert boolean default false) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_last private.audit_seals;
  v_hash bytea;
  v_verdict text;
begin
  select s.* into v_last from private.audit_seals s order by s.seq desc limit 1;
  select s.hash into v_hash from private.audit_seals s where s.seq = p_count;
  v_verdict := case when p_count > v_last.seq then 'cut' when encode(v_hash, 'hex') = p_hash then 'holds' else 'rewritten' end;
  if p_alert and v_verdict <> 'holds' then
    perform private.alert('audit_head_broken', 'audit_log', p_count::text, jsonb_build_object('verdict', v_verdict, 'count', v_last.seq));
  end if;
  return jsonb_build_object('verdict', v_verdict, 'count', v_last.seq,
    'unsealed', (select count(*) from private.audit_log a where a.id > v_last.audit_id));
end
$$;

-- The grants of the functions above, and of no others.
grant create on schema service to payments_owner;
do $$
declare
  f record;
begin
  for f in
    select p.oid::regprocedure as signature, n.nspname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where (n.nspname, p.proname) in (('private', 'seal_of'), ('private', 'audit_writers'), ('service', 'seal_audit_log'),
      ('service', 'verify_audit_page'), ('service', 'moved_audit_rows'), ('service', 'check_audit_head'))
  loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', f.signature);
    if f.nspname = 'service' then
      execute format('alter function %s owner to payments_owner', f.signature);
      execute format('grant execute on function %s to payments_service', f.signature);
    else
      execute format('grant execute on function %s to payments_owner', f.signature);
    end if;
  end loop;
end
$$;
revoke create on schema service from payments_owner;
