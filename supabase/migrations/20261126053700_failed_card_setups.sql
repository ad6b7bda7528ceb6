-- Cards are tried out by saving them as well as by paying. A card that could not be saved is a failed attempt of its customer, with that
-- card and from that network, and counts beside those of payments; whoever had too many waits before the next one.

-- One that is of no payment is kept under the id of Stripe's SetupAttempt, in the place of a charge's.
alter table private.payment_attempts alter column payment_id drop not null;
alter table private.payment_attempts add constraint payment_attempts_of_somebody check (payment_id is not null or customer_id is not null);
update private.personal_data set rows_of = $of$(t.livemode, t.stripe_charge_id) in (
      select a.livemode, a.stripe_charge_id from private.payment_attempts a
        join public.payments p on p.id = a.payment_id where p.customer_id = $1
      union all select a.livemode, a.stripe_charge_id from private.payment_attempts a
        where a.customer_id = $1 and a.outcome = 'failed' and a.payment_id is null)$of$
where table_name = 'private.payment_attempts';

-- The network a card is saved from, hashed, as in payments.
alter table private.card_setups add column address_hash text;
create index card_setups_with_network on private.card_setups (consented_at) where address_hash is not null;
create index card_setups_by_intent on private.card_setups (stripe_setup_intent_id);
update private.personal_data set withheld = '{address_hash}', erased = erased || '{"address_hash": "null"}' where table_name = 'private.card_setups';

-- Not saved, as the event tells it: final, so it is not asked for again. Whose customer is not known is nobody's to wait for. What
-- it says of a card is kept here or not at all: a SetupIntent of Stripe's own pages leads to nobody when they are erased.
create function private.note_failed_setup(p_livemode boolean, p_event_id text, p_setup jsonb, p_source text) returns void
language plpgsql set search_path = '' as $$
declare
  v_customer uuid := private.customer_at_stripe(p_livemode, p_setup ->> 'customer');
  v_attempt text := coalesce(p_setup ->> 'latest_attempt', p_event_id);
  v_error jsonb := p_setup -> 'last_setup_error';
begin
  update private.webhook_events e set payload = null where e.livemode = p_livemode and e.event_id = p_event_id;
  if v_customer is null then
    return;
  end if;
  insert into private.payment_attempts (livemode, stripe_charge_id, outcome, failure_code, decline_code,
    customer_id, card_fingerprint_hash, address_hash)
  values (p_livemode, v_attempt, 'failed', v_error ->> 'code', v_error ->> 'decline_code', v_customer, v_error ->> 'fingerprint_hash',
    (select s.address_hash from private.card_setups s where s.livemode = p_livemode and s.stripe_setup_intent_id = p_setup ->> 'id'))
  on conflict do nothing;
  if found then
    perform private.audit('stripe', null, 'card.failed_attempt', 'customer', v_customer::text, p_source,
      jsonb_build_object('setup_intent_id', p_setup ->> 'id', 'attempt_id', v_attempt, 'code', v_error ->> 'code'));
  end if;
end
$$;

-- Whether a SetupIntent of ours should end, since its customer has to wait: its tries go from the browser to Stripe, past our server.
create function service.is_card_setup_over(p_livemode boolean, p_setup_intent_id text) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select from private.card_setups s
    where s.livemode = p_livemode and s.stripe_setup_intent_id = p_setup_intent_id
      and private.failure_wait(s.customer_id, s.livemode, s.address_hash) is not null)
$$;

-- A person agrees that a card is kept. Before Stripe is asked for anything. Raises PW006 when too many cards or payments of theirs
-- were refused, with the seconds to wait as its detail.
drop function service.open_card_setup(uuid, boolean, text, text);
create function service.open_card_setup(
  p_actor uuid, p_livemode boolean, p_key text, p_consent_text text, p_address_hash text default null
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_customer uuid := private.customer_of(p_actor);
  v_wait integer := private.failure_wait(v_customer, p_livemode, p_address_hash);
  v_row private.card_setups;
begin
  if v_wait is not null then
    perform private.refuse_to_open('PW006', v_wait);
  end if;
  insert into private.card_setups (customer_id, livemode, key, consent_text, address_hash)
  values (v_customer, p_livemode, p_key, p_consent_text, p_address_hash)
  on conflict (customer_id, key) do nothing returning * into v_row;
  if found then
    perform private.audit('customer', p_actor, 'card.consented', 'card_setup', v_row.id::text, 'app');
  else
    select * into v_row from private.card_setups s where s.customer_id = v_customer and s.key = p_key;
  end if;
  return jsonb_build_object('id', v_row.id, 'setupIntentId', v_row.stripe_setup_intent_id);
end
$$;

create or replace function private.hinted_kind(p_type text) returns text
language plpgsql immutable set search_path = '' as $$
begin
  return case
    when p_type in ('payment_intent.created', 'payment_intent.processing', 'payment_intent.requires_action',
      'payment_intent.payment_failed', 'payment_intent.partially_funded', 'payment_intent.amount_capturable_updated',
      'payment_intent.succeeded', 'payment_intent.canceled', 'charge.pending', 'charge.succeeded', 'charge.failed',
      'charge.captured', 'charge.expired', 'charge.updated') then 'payment_intent'
    -- `charge.refunded` is not among them: the refund's own events say which refund it was.
    when p_type in ('refund.created', 'refund.updated', 'refund.failed', 'charge.refund.updated') then 'refund'
    when p_type in ('charge.dispute.created', 'charge.dispute.updated', 'charge.dispute.closed',
      'charge.dispute.funds_withdrawn', 'charge.dispute.funds_reinstated') then 'dispute'
    when p_type in ('radar.early_fraud_warning.created', 'radar.early_fraud_warning.updated') then 'early_fraud_warning'
    when p_type in ('customer.subscription.created', 'customer.subscription.updated', 'customer.subscription.deleted',
      'customer.subscription.paused', 'customer.subscription.resumed') then 'subscription'
    when p_type in ('invoice.created', 'invoice.finalized', 'invoice.updated', 'invoice.paid', 'invoice.payment_succeeded',
      'invoice.payment_failed', 'invoice.payment_action_required', 'invoice.voided', 'invoice.marked_uncollectible') then 'invoice'
    when p_type in ('checkout.session.completed', 'checkout.session.expired', 'checkout.session.async_payment_succeeded',
      'checkout.session.async_payment_failed') then 'checkout.session'
    when p_type = 'setup_intent.setup_failed' then 'setup_intent'
  end;
end
$$;

-- As it was, and a card that could not be saved.
create or replace function service.apply_event(
  p_event jsonb, p_payload_hash text, p_verified_with text, p_source text, p_livemode boolean, p_account text, p_api_version text
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_row private.webhook_events;
  v_id text := p_event ->> 'id';
  v_mode boolean := (p_event ->> 'livemode')::boolean;
  v_type text := p_event ->> 'type';
  v_object jsonb := p_event -> 'object';
  v_pinned boolean := p_event ->> 'api_version' is not distinct from p_api_version;
  v_kind text := v_object ->> 'object';
  v_fetch_kind text;
  v_fetch_id text;
  v_version bigint;
  v_final boolean := false;
  v_outcome text;
begin
  insert into private.webhook_events (livemode, event_id, type, api_version, account, object_id, stripe_created_at, payload,
    payload_hash, verified_with, source, next_attempt_at)
  values (v_mode, v_id, v_type, p_event ->> 'api_version', p_event ->> 'account', v_object ->> 'id',
    to_timestamp((p_event ->> 'created')::double precision), p_event, p_payload_hash, p_verified_with, p_source,
    now() + interval '30 seconds')
  on conflict do nothing;
  select e.* into v_row from private.webhook_events e where e.livemode = v_mode and e.event_id = v_id for update;
  if v_row.status <> 'pending' then
    return jsonb_build_object('outcome', 'duplicate', 'status', v_row.status);
  end if;

  if v_mode <> p_livemode or p_event ->> 'account' is distinct from p_account and p_event ->> 'account' is not null then
    update private.webhook_events set status = 'rejected', processed_at = now() where livemode = v_mode and event_id = v_id;
    perform private.alert('event_rejected', 'event', v_id);
    return jsonb_build_object('outcome', 'rejected');
  end if;

  v_fetch_kind := private.hinted_kind(v_type);
  v_fetch_id := case when v_kind = 'charge' then v_object ->> 'payment_intent' else v_object ->> 'id' end;
  if v_fetch_kind is null or v_fetch_id is null then
    update private.webhook_events set status = 'ignored', processed_at = now() where livemode = v_mode and event_id = v_id;
    return jsonb_build_object('outcome', 'ignored');
  end if;

  begin
    if v_pinned and v_type in ('payment_intent.succeeded', 'payment_intent.canceled') then
      v_outcome := private.apply_intent(v_mode, v_object, null, p_source);
    elsif v_pinned and v_type in ('charge.succeeded', 'charge.failed') then
      v_outcome := private.apply_charge(v_mode, v_object, p_source);
    elsif v_fetch_kind = 'early_fraud_warning' then
      perform private.keep_fraud_warning(v_mode, v_object);
      v_outcome := 'applied';
    elsif v_fetch_kind = 'setup_intent' then
      perform private.note_failed_setup(v_mode, v_id, v_object, p_source);
      v_outcome := 'applied';
    else
      v_outcome := 'needs_fetch';
    end if;
    if v_outcome = 'needs_fetch' then
      select v.version, v.is_final into v_version, v_final from private.version_of(v_mode, v_fetch_kind, v_fetch_id) v;
      -- What is final does not change any more, but for the fee of a charge, which arrives late.
      if v_final and v_pinned and v_type not in ('charge.updated', 'charge.succeeded', 'charge.failed') then
        v_outcome := 'applied';
      end if;
    end if;
    if v_outcome = 'applied' then
      update private.webhook_events set status = 'processed', processed_at = now(), attempts = attempts + 1, last_error = null
      where livemode = v_mode and event_id = v_id;
      return jsonb_build_object('outcome', 'processed');
    end if;
  exception
    when serialization_failure or deadlock_detected or lock_not_available then
      raise;
    when others then
      return jsonb_build_object('outcome', private.note_event_failure(v_mode, v_id, sqlstate));
  end;

  return jsonb_build_object('outcome', 'needs_fetch', 'expectedVersion', v_version,
    'fetch', jsonb_build_object('object', v_fetch_kind, 'id', v_fetch_id));
end
$$;

-- As it was, and the networks that cards were saved from.
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
    update private.card_setups s set address_hash = null where s.id in (
      select o.id from private.card_setups o where o.address_hash is not null and o.consented_at < v_before limit p_limit
      for update skip locked);
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

grant create on schema private, service to payments_owner;
do $$
declare
  f record;
begin
  for f in
    select p.oid::regprocedure as signature, n.nspname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'private' and p.proname = 'note_failed_setup'
      or n.nspname = 'service' and p.proname in ('is_card_setup_over', 'open_card_setup')
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
revoke create on schema private, service from payments_owner;
