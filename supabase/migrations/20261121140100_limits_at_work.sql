-- Limits at work: opening a payment, weighing declines inside one, and deciding what becomes of an amount a bank holds.

-- The server is to do this at Stripe. The first decision about a payment stands, and is told once.
create function private.decide(p_payment_id uuid, p_decision text, p_reason text, p_detail jsonb default '{}') returns void
language plpgsql set search_path = '' as $$
begin
  insert into private.payment_decisions (payment_id, decision, reason) values (p_payment_id, p_decision, p_reason)
  on conflict do nothing;
  if found then
    perform private.audit('system', null, 'payment.decided', 'payment', p_payment_id::text, 'app',
      jsonb_build_object('decision', p_decision, 'reason', p_reason) || p_detail);
    if p_reason in ('too_many_failures', 'country_refused', 'country_unknown') then
      perform private.alert('payment_' || p_reason, 'payment', p_payment_id::text);
    end if;
  end if;
end
$$;

-- A payment that is about to be cancelled for its declines is not handed out again.
create function private.refuse_stopped(p_payment public.payments) returns void
language plpgsql set search_path = '' as $$
declare
  v_wait integer;
begin
  select ceil(extract(epoch from d.decided_at - now()) + (private.limit_of('failures_payment')).window_seconds)::integer into v_wait
  from private.payment_decisions d
  where d.payment_id = p_payment.id and d.reason = 'too_many_failures' and p_payment.status not in ('succeeded', 'canceled');
  if found then
    perform private.refuse_to_open('PW006', greatest(1, v_wait));
  end if;
end
$$;

-- Open a payment for an order, or return the one this key or this order already has. With p_may_open false nothing is
-- opened, and the answer is null where there is none: repeating a request need not count as a new payment.
-- What would be refused is refused then too, before Stripe is asked for anything.
-- Raises P0002 no such order for this person; 23505 key used with other input; 55000 the order cannot be paid now; PW001 to
-- PW006 as private.check_limits says.
drop function service.open_payment(uuid, boolean, uuid, text, text, text, boolean);
create function service.open_payment(
  p_actor uuid, p_livemode boolean, p_order_id uuid, p_key text, p_input_hash text, p_stripe_customer_id text,
  p_may_open boolean default true, p_address_hash text default null
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_order public.orders;
  v_payment public.payments;
  v_known private.idempotency_keys;
  v_id uuid;
begin
  select o.* into v_order from public.orders o
  join public.customers c on c.id = o.customer_id
  where o.id = p_order_id and o.livemode = p_livemode and c.user_id = p_actor
  for update of o;
  if not found then
    raise exception 'no such order' using errcode = 'no_data_found';
  end if;

  select k.* into v_known from private.idempotency_keys k where k.customer_id = v_order.customer_id and k.key = p_key;
  if found then
    if v_known.input_hash <> p_input_hash then
      raise exception 'key used with other input' using errcode = 'unique_violation';
    end if;
    select p.* into v_payment from public.payments p where p.id = v_known.payment_id;
    perform private.refuse_stopped(v_payment);
    return private.payment_json(v_payment);
  end if;

  -- Neither an order that is settled, nor one for which money has come that a person has yet to look at.
  if v_order.status <> 'open' or v_order.expires_at <= now() or exists (
    select from public.payments p where p.order_id = v_order.id and p.status = 'succeeded'
  ) then
    raise exception 'order cannot be paid' using errcode = 'object_not_in_prerequisite_state';
  end if;
  select p.* into v_payment from public.payments p
  where p.order_id = v_order.id and p.origin = 'app' and p.status not in ('succeeded', 'canceled');
  if found then
    perform private.refuse_stopped(v_payment);
  else
    perform private.check_limits(v_order.customer_id, p_livemode, v_order.total_minor, v_order.currency, p_address_hash);
    if not p_may_open then
      return null;
    end if;
    v_id := gen_random_uuid();
    insert into public.payments (id, customer_id, order_id, livemode, origin, status, amount_minor, currency, description,
      address_hash, stripe_request)
    values (v_id, v_order.customer_id, v_order.id, p_livemode, 'app', 'creating', v_order.total_minor, v_order.currency,
      'Order ' || v_order.reference, p_address_hash,
      -- Where countries matter, the card's is looked at before the money is taken.
      case when private.is_country_rule_active() then '{"capture_method": "manual"}'::jsonb else '{}' end || jsonb_build_object(
        'amount', v_order.total_minor, 'currency', v_order.currency, 'customer', p_stripe_customer_id,
        'automatic_payment_methods', jsonb_build_object('enabled', true),
        'description', 'Order ' || v_order.reference,
        'metadata', jsonb_build_object('payment_id', v_id, 'order_id', v_order.id)))
    returning * into v_payment;
    perform private.audit('customer', p_actor, 'payment.opened', 'payment', v_id::text, 'app',
      jsonb_build_object('order_id', v_order.id, 'amount_minor', v_order.total_minor, 'currency', v_order.currency));
  end if;

  insert into private.idempotency_keys (customer_id, key, input_hash, payment_id)
  values (v_order.customer_id, p_key, p_input_hash, v_payment.id);
  return private.payment_json(v_payment);
end
$$;

-- A payment that was left lying takes up its customer's sums. Once they are used up, those older than a day are cancelled.
create function service.cancel_idle_payments(p_actor uuid, p_livemode boolean) returns integer
language plpgsql security definer set search_path = '' as $$
declare
  v_count integer := 0;
  v_id uuid;
begin
  for v_id in
    select p.id from public.payments p join public.customers c on c.id = p.customer_id
    where c.user_id = p_actor and p.livemode = p_livemode and p.origin = 'app'
      and p.status in ('requires_payment_method', 'requires_confirmation', 'requires_action')
      and p.created_at < now() - make_interval(secs => (private.limit_of('sum_day', p.currency)).window_seconds)
      and not exists (select from private.payment_decisions d where d.payment_id = p.id)
    order by p.id
  loop
    perform private.decide(v_id, 'cancel', 'idle');
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;

-- One more decline. Browsers confirm at Stripe, past our server: at a limit the payment itself has to end. The caller holds
-- the payment's lock.
create function private.weigh_failure(p_payment public.payments, p_fingerprint_hash text) returns void
language plpgsql set search_path = '' as $$
declare
  v_card private.payment_limits := private.limit_of('failures_card');
begin
  if p_payment.origin <> 'app' or p_payment.status in ('succeeded', 'canceled') then
    return;
  end if;
  if (select count(*) from private.payment_attempts a where a.payment_id = p_payment.id and a.outcome = 'failed')
      >= (private.limit_of('failures_payment')).value
    or private.failure_wait(p_payment.customer_id, p_payment.livemode, p_payment.address_hash) is not null
    or private.seconds_to_wait(v_card, array(
      select a.created_at from private.payment_attempts a
      where a.card_fingerprint_hash = p_fingerprint_hash and a.livemode = p_payment.livemode and a.outcome = 'failed'
      order by a.created_at desc limit v_card.value)) is not null
  then
    perform private.decide(p_payment.id, 'cancel', 'too_many_failures');
  end if;
end
$$;

-- The bank asked the customer to confirm, and that failed: a decline without a charge.
create function private.note_failed_authentication(p_livemode boolean, p_event_id text, p_intent jsonb, p_source text) returns void
language plpgsql set search_path = '' as $$
declare
  v_code text := p_intent -> 'last_payment_error' ->> 'code';
  v_payment public.payments;
begin
  if v_code is distinct from 'payment_intent_authentication_failure' then
    return;
  end if;
  v_payment := private.lock_known_payment(p_livemode, p_intent ->> 'id');
  insert into private.payment_attempts (livemode, stripe_charge_id, payment_id, outcome, failure_code, customer_id, address_hash)
  values (p_livemode, p_event_id, v_payment.id, 'failed', v_code, v_payment.customer_id, v_payment.address_hash)
  on conflict do nothing;
  if found then
    perform private.audit('stripe', null, 'payment.failed_attempt', 'payment', v_payment.id::text, p_source,
      jsonb_build_object('event_id', p_event_id, 'code', v_code));
    perform private.weigh_failure(v_payment, null);
  end if;
end
$$;

-- The bank holds the amount: take it or let it go, by the country of the card as Stripe says it. Nothing a browser sends
-- plays a part. The caller holds the payment's lock.
create function private.decide_capture(p_livemode boolean, p_intent_id text) returns void
language plpgsql set search_path = '' as $$
declare
  v_payment public.payments;
  v_verdict text;
begin
  select p.* into v_payment from public.payments p
  where p.livemode = p_livemode and p.stripe_payment_intent_id = p_intent_id and p.origin = 'app'
    and p.status = 'requires_capture' and p.stripe_request ->> 'capture_method' = 'manual';
  if found then
    v_verdict := private.country_verdict(v_payment.card_country);
    perform private.decide(v_payment.id, case v_verdict when 'allowed' then 'capture' else 'cancel' end, 'country_' || v_verdict,
      jsonb_build_object('country', v_payment.card_country));
  end if;
end
$$;

-- Claim what is decided and not done yet; about one PaymentIntent only when p_intent_id is given. No two callers get the same.
create function service.decisions_to_carry_out(p_livemode boolean, p_limit integer, p_intent_id text default null) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_claimed jsonb;
begin
  update private.payment_decisions d set done_at = now() from public.payments p
  where p.id = d.payment_id and d.done_at is null and p.status in ('succeeded', 'canceled');

  with due as (
    select d.payment_id from private.payment_decisions d join public.payments p on p.id = d.payment_id
    where d.done_at is null and p.livemode = p_livemode and p.stripe_payment_intent_id = coalesce(p_intent_id, p.stripe_payment_intent_id)
      and (d.tried_at is null or d.tried_at < now() - interval '10 seconds')
    order by d.tried_at nulls first limit p_limit
    for update of d skip locked
  ), claimed as (
    update private.payment_decisions d set tried_at = now() from due, public.payments p
    where d.payment_id = due.payment_id and p.id = d.payment_id
    returning jsonb_build_object('paymentId', p.id, 'intentId', p.stripe_payment_intent_id, 'decision', d.decision,
      'reason', d.reason, 'version', p.version) as line
  )
  select coalesce(jsonb_agg(c.line), '[]') into v_claimed from claimed c;
  return v_claimed;
end
$$;

-- A charge that succeeded or failed, as the event tells it. Returns `needs_fetch` when its PaymentIntent is not known yet.
create or replace function private.apply_charge(p_livemode boolean, p_charge jsonb, p_source text) returns text
language plpgsql set search_path = '' as $$
declare
  v_old public.payments;
  v_new public.payments;
begin
  select p.* into v_old from public.payments p
  where p.livemode = p_livemode and p.stripe_payment_intent_id = p_charge ->> 'payment_intent';
  if not found then
    return 'needs_fetch';
  end if;
  perform from public.orders o where o.id = v_old.order_id for update;
  select p.* into v_old from public.payments p where p.id = v_old.id for update;

  insert into private.payment_attempts (livemode, stripe_charge_id, payment_id, outcome, failure_code, decline_code,
    customer_id, card_fingerprint_hash, address_hash)
  values (p_livemode, p_charge ->> 'id', v_old.id, case p_charge ->> 'status' when 'succeeded' then 'succeeded' else 'failed' end,
    p_charge ->> 'failure_code', p_charge ->> 'decline_code',
    v_old.customer_id, p_charge -> 'card' ->> 'fingerprint_hash', v_old.address_hash)
  on conflict do nothing;
  if p_charge ->> 'status' = 'failed' then
    if found then
      perform private.audit('stripe', null, 'payment.failed_attempt', 'payment', v_old.id::text, p_source,
        jsonb_build_object('charge_id', p_charge ->> 'id', 'code', p_charge ->> 'failure_code'));
      perform private.weigh_failure(v_old, p_charge -> 'card' ->> 'fingerprint_hash');
    end if;
    return 'applied';
  end if;

  v_new := private.with_card(v_old, p_charge);
  if v_new is distinct from v_old then
    update public.payments p set
      card_brand = v_new.card_brand, card_last4 = v_new.card_last4, card_exp_month = v_new.card_exp_month,
      card_exp_year = v_new.card_exp_year, card_country = v_new.card_country, card_fingerprint_hash = v_new.card_fingerprint_hash,
      version = v_old.version + 1, updated_at = now()
    where p.id = v_old.id;
  end if;
  if (p_charge ->> 'captured')::boolean then
    perform private.post_charge(v_old, p_charge ->> 'id', (p_charge ->> 'amount_captured')::bigint, p_charge ->> 'currency');
  end if;
  return 'applied';
end
$$;

-- The object as Stripe has it now, asked for by a hint (then p_event_id is done with it), the result page or the sweeper.
-- Answers {outcome, version}: applied; stale (ask Stripe again and come back with that version); needs_payment (its
-- PaymentIntent is not known here: apply that first); foreign (it has none, so it is none of ours: kept as an alert).
create or replace function service.apply_snapshot(
  p_livemode boolean, p_object jsonb, p_expected_version bigint, p_event_id text, p_source text
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_kind text := p_object ->> 'object';
  v_outcome text;
  v_version bigint;
begin
  -- The event before order, payment and customer, as in apply_event.
  perform from private.webhook_events e where e.livemode = p_livemode and e.event_id = p_event_id for update;
  v_outcome := case
    when v_kind <> 'payment_intent' and p_object ->> 'payment_intent' is null then 'foreign' end;
  if v_outcome = 'foreign' then
    perform private.alert('without_payment_intent', v_kind, p_object ->> 'id');
    update private.webhook_events set status = 'ignored', processed_at = now()
    where livemode = p_livemode and event_id = p_event_id and status = 'pending';
    return jsonb_build_object('outcome', v_outcome, 'version', 0);
  end if;
  v_outcome := case v_kind
    when 'payment_intent' then private.apply_intent(p_livemode, p_object, p_expected_version, p_source)
    when 'refund' then private.apply_refund(p_livemode, p_object, p_expected_version, p_source)
    when 'dispute' then private.apply_dispute(p_livemode, p_object, p_expected_version, p_source) end;
  if v_outcome = 'applied' and p_event_id is not null then
    -- The event may be a charge that came before its payment was known: now it is.
    perform private.apply_charge(p_livemode, e.payload -> 'object', p_source)
    from private.webhook_events e
    where e.livemode = p_livemode and e.event_id = p_event_id and e.status = 'pending' and e.type in ('charge.succeeded', 'charge.failed');
    perform private.note_failed_authentication(p_livemode, e.event_id, e.payload -> 'object', p_source)
    from private.webhook_events e
    where e.livemode = p_livemode and e.event_id = p_event_id and e.status = 'pending' and e.type = 'payment_intent.payment_failed';
    update private.webhook_events set status = 'processed', processed_at = now(), attempts = attempts + 1, last_error = null
    where livemode = p_livemode and event_id = p_event_id and status = 'pending';
  end if;
  if v_outcome = 'applied' and v_kind = 'payment_intent' then
    perform private.decide_capture(p_livemode, p_object ->> 'id');
  end if;
  select v.version into v_version from private.version_of(p_livemode, v_kind, p_object ->> 'id') v;
  return jsonb_build_object('outcome', v_outcome, 'version', v_version);
end
$$;

-- A payment's story for its owner: actions and times, nothing else.
create or replace function service.payment_timeline(p_actor uuid, p_payment_id uuid) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object('at', a.at, 'kind', a.action) order by a.id), '[]')
  from private.audit_log a
  where exists (
      select from public.payments p join public.customers c on c.id = p.customer_id
      where p.id = p_payment_id and c.user_id = p_actor)
    and a.subject_type = 'payment' and a.subject_id = p_payment_id::text
    -- What staff and banks deal with among themselves is not the customer's.
    and a.action not in ('refund.requested', 'refund.refused', 'payment.decided') and a.action not like 'dispute.warning%'
$$;

-- As function_grants says it for all that existed then.
grant create on schema private, service to payments_owner;
do $$
declare
  f record;
begin
  for f in
    select p.oid::regprocedure as signature, n.nspname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'private' and p.proname in ('limit_of', 'seconds_to_wait', 'seconds_until_sum_fits', 'refuse_to_open',
        'failure_wait', 'check_limits', 'is_country_rule_active', 'country_verdict', 'decide', 'refuse_stopped', 'weigh_failure',
        'note_failed_authentication', 'decide_capture', 'apply_charge')
      or n.nspname = 'service' and p.proname in ('open_payment', 'payment_limits', 'change_payment_limit', 'cancel_idle_payments',
        'decisions_to_carry_out', 'apply_snapshot', 'payment_timeline')
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
