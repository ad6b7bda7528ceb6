-- What we hold of a person, said once for every table: which rows are theirs, which columns they are not given, and what is taken
-- out of a row when they go. "Download my data" and erasure both work by it, and a test fails for a table or a column that is not here.

create table private.personal_data (
  -- With its schema.
  table_name text primary key,
  -- Which rows are a person's: a condition on t, with $1 their customer's id and $2 their sign-in's. Null: it holds nobody.
  rows_of text,
  exported boolean not null,
  -- Columns they are not given; where `shown` is set, they are given those only.
  withheld text[] not null default '{}',
  shown text[],
  -- What erasure puts into columns, as expressions on t: {"note": "''"}. With `removed` it takes the whole row.
  erased jsonb not null default '{}',
  removed boolean not null default false,
  -- Why it holds nobody, why they are not given it, or why the rest stays.
  why text not null,
  constraint personal_data_of_somebody check (rows_of is not null or not exported and erased = '{}' and not removed)
);
alter table private.personal_data enable row level security;
revoke all on private.personal_data from public, anon, authenticated, service_role;
create policy personal_data_functions on private.personal_data for select to payments_owner using (true);
grant select on private.personal_data to payments_owner;

insert into private.personal_data (table_name, rows_of, exported, withheld, erased, removed, why) values
  ('public.customers', 't.id = $1', true, '{}', '{}', false, 'the pseudonym the books are kept under; its link to a person goes'),
  ('public.orders', 't.customer_id = $1', true, '{}', '{}', false, 'the books'),
  ('public.order_lines', 't.order_id in (select o.id from public.orders o where o.customer_id = $1)', true, '{}', '{}', false,
    'the books; a name here is a product''s'),
  ('public.payments', 't.customer_id = $1', true,
    '{card_fingerprint_hash,address_hash,last_failure_code,last_decline_code,review_reason}',
    '{"card_brand": "null", "card_last4": "null", "card_exp_month": "null", "card_exp_year": "null", "card_country": "null",
      "card_fingerprint_hash": "null", "address_hash": "null", "failure_hint": "null", "last_failure_code": "null",
      "last_decline_code": "null"}', false, 'the books; what is withheld would help a thief to try out cards'),
  ('public.refunds', 't.payment_id in (select p.id from public.payments p where p.customer_id = $1)', true, '{}', '{}', false, 'the books'),
  ('public.disputes', 't.payment_id in (select p.id from public.payments p where p.customer_id = $1)', true, '{reason,due_by}', '{}',
    false, 'the books; how we answer a bank is between us and the bank'),
  ('private.ledger_transactions', 't.payment_id in (select p.id from public.payments p where p.customer_id = $1)', true, '{}', '{}',
    false, 'the books'),
  ('private.ledger_entries', 't.transaction_id in (select l.id from private.ledger_transactions l
      join public.payments p on p.id = l.payment_id where p.customer_id = $1)', true, '{}', '{}', false, 'the books'),
  ('private.stripe_customers', 't.customer_id = $1', true, '{}', '{}', false,
    'the id of what is deleted at Stripe: by it, whatever still comes in is known for what it is'),
  ('private.idempotency_keys', 't.customer_id = $1', true, '{}', '{}', true, 'what a client chose'),
  ('private.payment_attempts', 't.payment_id in (select p.id from public.payments p where p.customer_id = $1)', true,
    '{card_fingerprint_hash,address_hash,failure_code,decline_code}',
    '{"card_fingerprint_hash": "null", "address_hash": "null", "failure_code": "null", "decline_code": "null"}', false,
    'that there was a charge belongs to the books; what is withheld would help a thief to try out cards'),
  ('private.refund_requests', 't.payment_id in (select p.id from public.payments p where p.customer_id = $1)', true, '{requested_by}',
    '{"note": "''''"}', false, 'the books; who of the staff asked is not theirs to know'),
  ('private.api_orders', 't.order_id in (select o.id from public.orders o where o.customer_id = $1)', true, '{input_hash,api_key_id}',
    '{"key": "''erased:'' || t.order_id", "external_reference": "null", "input_hash": "''''"}', false,
    'which system an order came from belongs to the books'),
  ('private.outbox', 't.customer_id = $1', true, '{last_error}', '{"facts": "''{}''"}', false,
    'that a mail was owed; it never holds an address'),
  ('private.webhook_events', $of$(t.livemode, t.object_id) in (
      select p.livemode, p.stripe_payment_intent_id from public.payments p where p.customer_id = $1
      union all select a.livemode, a.stripe_charge_id from private.payment_attempts a
        join public.payments p on p.id = a.payment_id where p.customer_id = $1
      union all select r.livemode, r.stripe_refund_id from public.refunds r
        join public.payments p on p.id = r.payment_id where p.customer_id = $1
      union all select d.livemode, d.stripe_dispute_id from public.disputes d
        join public.payments p on p.id = d.payment_id where p.customer_id = $1
      union all select s.livemode, s.stripe_customer_id from private.stripe_customers s where s.customer_id = $1)$of$, true,
    '{payload_hash}', '{"payload": "case t.status when ''pending'' then t.payload end"}', false,
    'that an event was dealt with makes its repeat a duplicate; what is not dealt with yet keeps what it says until it is'),
  ('private.audit_log', $of$t.actor_id = $2 or t.subject_type = 'customer' and t.subject_id = $1::text
      or t.actor_type <> 'staff' and t.action not in ('refund.requested', 'refund.refused', 'payment.decided')
        and t.action not like 'dispute.warning%' and (t.subject_type = 'payment'
          and t.subject_id in (select p.id::text from public.payments p where p.customer_id = $1)
        or t.subject_type = 'order' and t.subject_id in (select o.id::text from public.orders o where o.customer_id = $1))$of$,
    true, '{}', '{}', false, 'sealed, and never changed: ids and codes only. What staff and banks do among themselves is not theirs'),
  ('private.payment_decisions', 't.payment_id in (select p.id from public.payments p where p.customer_id = $1)', false, '{}', '{}', false,
    'against fraud: ids and codes'),
  ('private.early_fraud_warnings', 't.payment_id in (select p.id from public.payments p where p.customer_id = $1)', false, '{}', '{}',
    false, 'against fraud: ids and codes'),
  ('private.reconcile_objects', 't.intent_id in (select p.stripe_payment_intent_id from public.payments p where p.customer_id = $1)',
    false, '{}', '{}', false, 'what Stripe said of the books: ids, states and amounts, for 400 days'),
  ('private.staff', 't.user_id = $2', true, '{changed_by}', '{}', false, 'goes with the sign-in'),
  ('auth.audit_log_entries', 't.payload ->> ''actor_id'' = $2::text', true, '{}', '{}', true, 'Auth''s own; whatever else it holds is gone in 90 days'),
  ('public.products', null, false, '{}', '{}', false, 'a catalogue'),
  ('private.alerts', null, false, '{}', '{}', false, 'ids and codes, for staff'),
  ('private.api_keys', null, false, '{}', '{}', false, 'keys of other systems; who of the staff made them is in the audit log'),
  ('private.audit_seals', null, false, '{}', '{}', false, 'hashes'),
  ('private.job_leases', null, false, '{}', '{}', false, 'one row a job'),
  ('private.payment_limits', null, false, '{}', '{}', false, 'figures'),
  ('private.personal_data', null, false, '{}', '{}', false, 'this list'),
  ('private.refund_keys', null, false, '{}', '{}', false, 'what a client of staff chose; makes a repeat harmless'),
  ('private.reconcile_runs', null, false, '{}', '{}', false, 'counts'),
  ('private.reconcile_findings', null, false, '{}', '{}', false, 'ids of Stripe''s objects, for staff'),
  ('private.switches', null, false, '{}', '{}', false, 'one row a switch');

-- Of Auth's own tables the columns that say something of the person: the rest are hashes and tokens, and may change.
insert into private.personal_data (table_name, rows_of, exported, shown, why) values
  ('auth.users', 't.id = $2', true, '{id,email,phone,created_at,updated_at,email_confirmed_at,phone_confirmed_at,last_sign_in_at,raw_user_meta_data}',
    'goes as a whole'),
  ('auth.identities', 't.user_id = $2', true, '{provider,identity_data,created_at,updated_at,last_sign_in_at}', 'goes with the sign-in'),
  ('auth.sessions', 't.user_id = $2', true, '{created_at,updated_at,refreshed_at,user_agent,ip}', 'goes with the sign-in');

create index audit_log_by_actor on private.audit_log (actor_id, id) where actor_id is not null;

-- A person takes their data along, three times in 24 hours: {customerId, tables: [{name, withheld, why}]}. Raises P0002 somebody who
-- is gone; PW030 with the seconds to wait as its detail.
create function service.begin_export(p_actor uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_customer uuid;
  v_third timestamptz;
begin
  begin
    v_customer := private.customer_of(p_actor);
  exception when foreign_key_violation then
    raise exception 'no such person' using errcode = 'no_data_found';
  end;
  -- One at a time, or two at once would both be the third.
  perform from public.customers c where c.id = v_customer for update;
  select a.at into v_third from private.audit_log a
  where a.subject_type = 'customer' and a.subject_id = v_customer::text and a.action = 'data.exported' and a.at > now() - interval '24 hours'
  order by a.at desc offset 2 limit 1;
  if found then
    raise exception 'three times today' using errcode = 'PW030',
      detail = greatest(1, ceil(extract(epoch from v_third + interval '24 hours' - now())))::text;
  end if;
  perform private.audit('customer', p_actor, 'data.exported', 'customer', v_customer::text, 'app');
  return jsonb_build_object('customerId', v_customer, 'tables', (
    select jsonb_agg(jsonb_build_object('name', d.table_name, 'withheld', d.withheld, 'why', d.why) order by d.table_name)
    from private.personal_data d where d.exported));
end
$$;

-- A row's place in its table: its primary key, as one text.
create function private.row_key(p_table regclass) returns text
language sql stable set search_path = '' as $$
  select '(' || string_agg(format('t.%I::text', a.attname), $k$ || ' ' || $k$ order by k.n) || ') collate "C"'
  from pg_catalog.pg_index i cross join unnest(i.indkey::smallint[]) with ordinality as k (attnum, n)
  join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
  where i.indrelid = p_table and i.indisprimary
$$;

-- A page of a person's rows in one table: {rows, next}. Definer, owned by the migrating role: payments_owner is not to read Auth's
-- tables. What can be read is what the list above says, for the person who asks.
create function service.export_page(p_actor uuid, p_table text, p_after text, p_limit integer) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  v_data private.personal_data;
  v_key text;
  v_page jsonb;
begin
  select d.* into strict v_data from private.personal_data d where d.table_name = p_table and d.exported;
  v_key := private.row_key(p_table::regclass);
  execute format($query$
    select jsonb_build_object('rows', coalesce(jsonb_agg(case when $5 is null then r.line - $6
        else (select jsonb_object_agg(f.key, f.value) from jsonb_each(r.line) f where f.key = any ($5)) end order by r.key), '[]'),
      'next', case when count(*) = $4 then max(r.key) end)
    from (select to_jsonb(t) as line, %1$s as key from %2$s t where (%3$s) and %1$s > $3 order by 2 limit $4) r
  $query$, v_key, p_table::regclass, v_data.rows_of)
  into v_page
  using (select c.id from public.customers c where c.user_id = p_actor), p_actor, p_after, p_limit, v_data.shown, v_data.withheld;
  return v_page;
end
$$;

revoke all on function private.row_key(regclass), service.begin_export(uuid), service.export_page(uuid, text, text, integer)
  from public, anon, authenticated, service_role;
grant create on schema service to payments_owner;
alter function service.begin_export(uuid) owner to payments_owner;
revoke create on schema service from payments_owner;
grant execute on function service.begin_export(uuid), service.export_page(uuid, text, text, integer) to payments_service;
