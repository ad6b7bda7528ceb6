-- Mails that are sent or given up need not say any more what they said.

create or replace function private.retention_ages() returns table (what text, age interval)
language sql immutable set search_path = '' as $$
  values ('event_payloads', interval '90 days'), ('idempotency_keys', interval '30 days'), ('networks', interval '30 days'),
    ('unpaid_orders', interval '90 days'), ('reconciliation', interval '400 days'), ('mails', interval '90 days'),
    ('auth_log', interval '90 days')
$$;

create index outbox_that_says on private.outbox (finished_at) where facts <> '{}';

-- Take away what is older than its age allows, at most p_limit rows of a table. Answers how many that were: as many as p_limit when
-- there may be more. Under the lease of the job `retention`, or not at all (55000).
create or replace function service.retain(p_what text, p_fencing bigint, p_limit integer) returns integer
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
  when 'mails' then
    -- The row stays: it is what keeps a second mail for the same fact from being owed.
    update private.outbox m set facts = '{}' where m.id in (
      select o.id from private.outbox o where o.facts <> '{}' and o.finished_at < v_before limit p_limit for update skip locked);
    get diagnostics v_count = row_count;
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
