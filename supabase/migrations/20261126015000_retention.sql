-- How long things are kept, and the job that ends it. docs/privacy.md lists the same ages, with reasons; a test compares.
-- payments_owner removes nothing, ever. So this belongs to the migrating role, as service.end_old_sessions does, and does what it
-- says here and no more: what is old is not the caller's to choose.

create function private.retention_ages() returns table (what text, age interval)
language sql immutable set search_path = '' as $$
  values ('event_payloads', interval '90 days'), ('idempotency_keys', interval '30 days'), ('networks', interval '30 days'),
    ('unpaid_orders', interval '90 days'), ('reconciliation', interval '400 days'), ('auth_log', interval '90 days')
$$;

create index webhook_events_with_payload on private.webhook_events (received_at) where payload is not null;
create index idempotency_keys_by_age on private.idempotency_keys (created_at);
create index payments_with_network on public.payments (created_at) where address_hash is not null;
create index payment_attempts_with_network on private.payment_attempts (created_at)
  where address_hash is not null or card_fingerprint_hash is not null;
create index orders_unpaid on public.orders (created_at) where status <> 'paid';

-- When what is younger has to stay. Networks and cards are counted for as long as the longest limit on them looks back.
create function private.kept_since(p_what text) returns timestamptz
language sql stable set search_path = '' as $$
  select now() - case p_what when 'networks' then greatest(a.age, (
      select make_interval(secs => max(l.window_seconds)) from private.payment_limits l where l.rule ~ '_(address|card)$'))
    else a.age end
  from private.retention_ages() a where a.what = p_what
$$;

-- Orders nobody ever tried to pay: those that are open end first, as any order does whose time is over. One that came from another
-- system or from staff stays: they may still ask for it.
create function private.remove_unpaid_orders(p_before timestamptz, p_limit integer) returns integer
language plpgsql set search_path = '' as $$
declare
  v_order public.orders;
  v_count integer := 0;
begin
  for v_order in
    select o.* from public.orders o
    where o.status <> 'paid' and o.created_at < p_before and o.created_by = 'customer'
      and not exists (select from public.payments p where p.order_id = o.id)
    order by o.created_at limit p_limit for update skip locked
  loop
    if v_order.status = 'open' then
      perform private.begin_closing(v_order.id, 'expired', null);
    end if;
    delete from public.order_lines l where l.order_id = v_order.id;
    delete from public.orders o where o.id = v_order.id;
    perform private.audit('system', null, 'order.removed', 'order', v_order.id::text, 'retention');
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;

-- What runs of reconciliation noted: findings that are dealt with, what Stripe said of objects, and runs with nothing left.
create function private.remove_reconciliation(p_before timestamptz, p_limit integer) returns integer
language plpgsql set search_path = '' as $$
declare
  v_count integer;
  v_more integer;
begin
  delete from private.reconcile_findings f where f.id in (
    select o.id from private.reconcile_findings o where o.found_at < p_before and o.resolved limit p_limit);
  get diagnostics v_count = row_count;
  delete from private.reconcile_objects s where (s.livemode, s.object_id) in (
    select o.livemode, o.object_id from private.reconcile_objects o where o.seen_at < p_before limit p_limit);
  get diagnostics v_more = row_count;
  v_count := greatest(v_count, v_more);
  delete from private.reconcile_runs r where r.id in (
    select o.id from private.reconcile_runs o where o.finished_at < p_before
      and not exists (select from private.reconcile_findings f where f.run_id = o.id)
      and not exists (select from private.reconcile_objects s where s.run_id = o.id) limit p_limit);
  get diagnostics v_more = row_count;
  return greatest(v_count, v_more);
end
$$;

-- Take away what is older than its age allows, at most p_limit rows of a table. Answers how many that were: as many as p_limit when
-- there may be more. Under the lease of the job `retention`, or not at all (55000).
create function service.retain(p_what text, p_fencing bigint, p_limit integer) returns integer
language plpgsql security definer set search_path = '' as $$
declare
  v_before timestamptz := private.kept_since(p_what);
  v_count integer := 0;
  v_more integer := 0;
begin
  perform private.require_lease('retention', p_fencing);
  case p_what
  when 'event_payloads' then
    -- The id stays for ever: it is what makes a repeat a duplicate. An event that is not dealt with still needs what it says.
    update private.webhook_events e set payload = null where (e.livemode, e.event_id) in (
      select o.livemode, o.event_id from private.webhook_events o
      where o.payload is not null and o.received_at < v_before and o.status <> 'pending' limit p_limit for update skip locked);
    get diagnostics v_count = row_count;
  when 'idempotency_keys' then
    -- Not while its payment is open. Afterwards the order itself takes no second one.
    delete from private.idempotency_keys k where (k.customer_id, k.key) in (
      select o.customer_id, o.key from private.idempotency_keys o join public.payments p on p.id = o.payment_id
      where o.created_at < v_before and p.status in ('succeeded', 'canceled') limit p_limit);
    get diagnostics v_count = row_count;
  when 'networks' then
    update public.payments p set address_hash = null where p.id in (
      select o.id from public.payments o where o.address_hash is not null and o.created_at < v_before limit p_limit
      for update skip locked);
    get diagnostics v_count = row_count;
    update private.payment_attempts a set address_hash = null, card_fingerprint_hash = null
    where (a.livemode, a.stripe_charge_id) in (
      select o.livemode, o.stripe_charge_id from private.payment_attempts o
      where (o.address_hash is not null or o.card_fingerprint_hash is not null) and o.created_at < v_before limit p_limit);
    get diagnostics v_more = row_count;
    v_count := greatest(v_count, v_more);
  when 'unpaid_orders' then
    v_count := private.remove_unpaid_orders(v_before, p_limit);
  when 'reconciliation' then
    v_count := private.remove_reconciliation(v_before, p_limit);
  when 'auth_log' then
    -- Supabase owns its log, and may take this right away one day.
    if has_table_privilege('auth.audit_log_entries', 'delete') then
      delete from auth.audit_log_entries e where e.id in (
        select o.id from auth.audit_log_entries o where o.created_at < v_before limit p_limit);
      get diagnostics v_count = row_count;
    end if;
  end case;
  return v_count;
end
$$;

revoke all on function private.retention_ages(), private.kept_since(text), private.remove_unpaid_orders(timestamptz, integer),
  private.remove_reconciliation(timestamptz, integer), service.retain(text, bigint, integer)
  from public, anon, authenticated, service_role;
grant execute on function service.retain(text, bigint, integer) to payments_service;
