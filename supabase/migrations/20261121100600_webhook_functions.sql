-- How what Stripe says becomes true here.
--   Final facts (PaymentIntent succeeded or canceled, charge succeeded or failed) apply from the event: they cannot be
--   undone, so order and repetition do not matter.
--   Everything else is a hint: the answer is `needs_fetch`, the server asks Stripe for the object as it is now, and
--   apply_snapshot takes it only if the row has not moved since.

create function private.alert(p_kind text, p_subject_type text, p_subject_id text, p_detail jsonb default '{}') returns void
language sql set search_path = '' as $$
  insert into private.alerts (kind, subject_type, subject_id, detail) values (p_kind, p_subject_type, p_subject_id, p_detail)
  on conflict do nothing
$$;

-- Metadata is text anybody with the key may write: what is no uuid is no id.
create function private.uuid_or_null(p_text text) returns uuid
language sql immutable set search_path = '' as $$
  select case when p_text ~* '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' then p_text::uuid end
$$;

-- Money in: what Stripe holds for us against what was sold. Posts once per charge, however often it is told.
create function private.post_charge(p_payment public.payments, p_charge_id text, p_amount_minor bigint, p_currency text) returns void
language plpgsql set search_path = '' as $$
declare
  v_transaction uuid;
begin
  if p_charge_id is null or p_amount_minor = 0 then
    return;
  end if;
  insert into private.ledger_transactions (livemode, stripe_object_id, movement, payment_id)
  values (p_payment.livemode, p_charge_id, 'charge', p_payment.id)
  on conflict do nothing returning id into v_transaction;
  if v_transaction is not null then
    insert into private.ledger_entries (transaction_id, account, amount_minor, currency) values
      (v_transaction, 'stripe_clearing', p_amount_minor, p_currency),
      (v_transaction, 'sales', -p_amount_minor, p_currency);
  end if;
end
$$;

-- A succeeded payment pays its order once, and only in full. Whatever does not fit is kept and shown to staff.
-- The caller holds the order's lock.
create function private.settle_order(p_payment public.payments, p_source text) returns void
language plpgsql set search_path = '' as $$
declare
  v_order public.orders;
  v_reason text;
begin
  select o.* into v_order from public.orders o where o.id = p_payment.order_id;
  if not found or v_order.paid_by_payment_id = p_payment.id then
    return;
  end if;
  v_reason := case
    when v_order.status = 'paid' then 'order_already_paid'
    when p_payment.currency <> v_order.currency or p_payment.amount_received_minor <> v_order.total_minor then 'amount_differs'
  end;
  if v_reason is not null then
    update public.payments set review_reason = v_reason, version = version + 1, updated_at = now() where id = p_payment.id;
    perform private.alert('payment_' || v_reason, 'payment', p_payment.id::text);
    if v_reason = 'order_already_paid' then
      -- Paid twice: the second goes back by itself. The sweeper asks Stripe for it.
      perform private.reserve_refund(p_payment, p_payment.amount_received_minor, 'duplicate', '', null);
    end if;
    return;
  end if;
  update public.orders set status = 'paid', paid_at = now(), paid_by_payment_id = p_payment.id where id = v_order.id;
  perform private.audit('stripe', null, 'order.paid', 'order', v_order.id::text, p_source,
    jsonb_build_object('payment_id', p_payment.id));
end
$$;

-- The row of a PaymentIntent, locked (its order first), linked or made if need be.
-- A PaymentIntent that names one of our payments is linked to it if that one has no other and the Stripe customer is the
-- one we asked for; every other PaymentIntent gets a row of its own.
-- is_new tells that this call made the link.
create function private.lock_payment_of_intent(p_livemode boolean, p_intent jsonb, out payment public.payments, out is_new boolean)
language plpgsql set search_path = '' as $$
declare
  v_intent_id text := p_intent ->> 'id';
  v_named uuid := private.uuid_or_null(p_intent -> 'metadata' ->> 'payment_id');
  v_customer uuid;
  v_order uuid;
begin
  is_new := false;
  select p.order_id into v_order from public.payments p
  where p.livemode = p_livemode and (p.stripe_payment_intent_id = v_intent_id or p.id = v_named)
  order by p.stripe_payment_intent_id = v_intent_id desc nulls last limit 1;
  if not found then
    select s.customer_id into v_customer from private.stripe_customers s
    where s.livemode = p_livemode and s.stripe_customer_id = p_intent ->> 'customer';
    select o.id into v_order from public.orders o
    where o.id = private.uuid_or_null(p_intent -> 'metadata' ->> 'order_id') and o.livemode = p_livemode and o.customer_id = v_customer;
  end if;
  perform from public.orders o where o.id = v_order for update;

  select p.* into payment from public.payments p
  where p.livemode = p_livemode and p.stripe_payment_intent_id = v_intent_id for update;
  if found then
    return;
  end if;

  select p.* into payment from public.payments p
  where p.id = v_named and p.livemode = p_livemode and p.origin = 'app' for update;
  if found then
    if payment.stripe_payment_intent_id is null and p_intent ->> 'customer' = payment.stripe_request ->> 'customer' then
      update public.payments set stripe_payment_intent_id = v_intent_id where id = payment.id returning * into payment;
      is_new := true;
      return;
    elsif payment.stripe_payment_intent_id = v_intent_id then
      return;
    end if;
    perform private.alert('intent_names_other_payment', 'payment_intent', v_intent_id, jsonb_build_object('payment_id', v_named));
    select s.customer_id into v_customer from private.stripe_customers s
    where s.livemode = p_livemode and s.stripe_customer_id = p_intent ->> 'customer';
    if v_customer is distinct from payment.customer_id then
      v_order := null;
    end if;
  end if;

  insert into public.payments (customer_id, order_id, livemode, origin, status, amount_minor, currency, stripe_payment_intent_id, version)
  values (v_customer, v_order, p_livemode, 'stripe', 'unknown', (p_intent ->> 'amount')::bigint, p_intent ->> 'currency', v_intent_id, 0)
  on conflict (livemode, stripe_payment_intent_id) do nothing;
  is_new := found;
  select p.* into payment from public.payments p
  where p.livemode = p_livemode and p.stripe_payment_intent_id = v_intent_id for update;
end
$$;

-- Which status a payment has after Stripe said p_said. Finals never step back; money that arrived wins over a cancel.
create function private.next_status(p_now text, p_said text) returns text
language sql immutable set search_path = '' as $$
  select case
    when p_said not in ('requires_payment_method', 'requires_confirmation', 'requires_action', 'processing',
      'requires_capture', 'succeeded', 'canceled') then p_now
    when p_now = 'succeeded' then p_now
    when p_now = 'canceled' and p_said <> 'succeeded' then p_now
    else p_said
  end
$$;

-- The reasons a customer is told. Those that would help a thief are only ever "declined".
create function private.failure_hint(p_error jsonb) returns text
language sql immutable set search_path = '' as $$
  select case
    when p_error is null or p_error = 'null' then null
    when p_error ->> 'code' = 'payment_intent_authentication_failure' then 'authentication_failed'
    when coalesce(p_error ->> 'decline_code', p_error ->> 'code') in ('insufficient_funds', 'expired_card', 'incorrect_cvc',
      'incorrect_number', 'processing_error', 'card_velocity_exceeded', 'authentication_required', 'currency_not_supported')
      then coalesce(p_error ->> 'decline_code', p_error ->> 'code')
    else 'declined'
  end
$$;

-- Take over what Stripe says of a PaymentIntent. Returns `applied`, or `stale` when p_expected_version is given and the row
-- has moved since (nothing is changed then). p_intent.latest_charge may be an id or the charge itself.
create function private.apply_intent(p_livemode boolean, p_intent jsonb, p_expected_version bigint, p_source text) returns text
language plpgsql set search_path = '' as $$
declare
  v_old public.payments;
  v_new public.payments;
  v_said text := p_intent ->> 'status';
  v_charge jsonb := case when jsonb_typeof(p_intent -> 'latest_charge') = 'object' then p_intent -> 'latest_charge' end;
  v_charge_id text := coalesce(v_charge ->> 'id', p_intent ->> 'latest_charge');
  v_locked record;
begin
  select * into v_locked from private.lock_payment_of_intent(p_livemode, p_intent);
  v_old := v_locked.payment;
  if not v_locked.is_new and v_old.version <> p_expected_version then
    return 'stale';
  end if;

  v_new := v_old;
  v_new.status := private.next_status(v_old.status, v_said);
  if v_new.status <> v_said and v_old.status = 'succeeded' and v_said = 'canceled'
    or v_old.status = 'canceled' and v_said = 'succeeded' then
    perform private.alert('impossible_status', 'payment', v_old.id::text, jsonb_build_object('had', v_old.status, 'said', v_said));
  end if;
  if v_new.status = v_said then
    v_new.amount_received_minor := coalesce((p_intent ->> 'amount_received')::bigint, 0);
    v_new.failure_hint := case when v_said = 'requires_payment_method' then private.failure_hint(p_intent -> 'last_payment_error') end;
    v_new.last_failure_code := coalesce(p_intent -> 'last_payment_error' ->> 'code', v_old.last_failure_code);
    v_new.last_decline_code := coalesce(p_intent -> 'last_payment_error' ->> 'decline_code', v_old.last_decline_code);
    v_new.paid_at := case when v_said = 'succeeded' then coalesce(v_old.paid_at, now()) end;
    v_new.canceled_at := case when v_said = 'canceled' then coalesce(v_old.canceled_at, now()) end;
  end if;
  if v_said = 'succeeded' then
    -- The amount and currency that were really paid are Stripe's to say.
    v_new.currency := p_intent ->> 'currency';
  end if;
  v_new := private.with_card(v_new, v_charge);

  if v_new is distinct from v_old or v_locked.is_new then
    update public.payments p set
      status = v_new.status, amount_received_minor = v_new.amount_received_minor, currency = v_new.currency,
      failure_hint = v_new.failure_hint, last_failure_code = v_new.last_failure_code, last_decline_code = v_new.last_decline_code,
      paid_at = v_new.paid_at, canceled_at = v_new.canceled_at,
      card_brand = v_new.card_brand, card_last4 = v_new.card_last4, card_exp_month = v_new.card_exp_month,
      card_exp_year = v_new.card_exp_year, card_country = v_new.card_country, card_fingerprint_hash = v_new.card_fingerprint_hash,
      version = v_old.version + 1, updated_at = now()
    where p.id = v_old.id returning * into v_new;
  end if;
  if v_new.status <> v_old.status then
    perform private.audit('stripe', null, 'payment.' || v_new.status, 'payment', v_new.id::text, p_source,
      jsonb_build_object('from', v_old.status, 'intent_id', p_intent ->> 'id'));
  end if;
  if v_new.status = 'succeeded' then
    perform private.post_charge(v_new, v_charge_id, v_new.amount_received_minor, v_new.currency);
    perform private.post_settlement(v_new, v_charge -> 'balance_transaction', v_new.amount_received_minor, v_new.currency, 'fees');
    if v_old.status <> 'succeeded' then
      perform private.settle_order(v_new, p_source);
    end if;
  end if;
  return 'applied';
end
$$;

-- The card a charge was made with, written over what is known of it.
create function private.with_card(p_payment public.payments, p_charge jsonb) returns public.payments
language plpgsql immutable set search_path = '' as $$
declare
  v_card jsonb := p_charge -> 'card';
begin
  if p_charge ->> 'status' = 'succeeded' and jsonb_typeof(v_card) = 'object' then
    p_payment.card_brand := v_card ->> 'brand';
    p_payment.card_last4 := v_card ->> 'last4';
    p_payment.card_exp_month := (v_card ->> 'exp_month')::smallint;
    p_payment.card_exp_year := (v_card ->> 'exp_year')::smallint;
    p_payment.card_country := v_card ->> 'country';
    p_payment.card_fingerprint_hash := v_card ->> 'fingerprint_hash';
  end if;
  return p_payment;
end
$$;

-- A charge that succeeded or failed, as the event tells it. Returns `needs_fetch` when its PaymentIntent is not known yet.
create function private.apply_charge(p_livemode boolean, p_charge jsonb, p_source text) returns text
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

  insert into private.payment_attempts (livemode, stripe_charge_id, payment_id, outcome, failure_code, decline_code)
  values (p_livemode, p_charge ->> 'id', v_old.id, case p_charge ->> 'status' when 'succeeded' then 'succeeded' else 'failed' end,
    p_charge ->> 'failure_code', p_charge ->> 'decline_code')
  on conflict do nothing;
  if p_charge ->> 'status' = 'failed' then
    if found then
      perform private.audit('stripe', null, 'payment.failed_attempt', 'payment', v_old.id::text, p_source,
        jsonb_build_object('charge_id', p_charge ->> 'id', 'code', p_charge ->> 'failure_code'));
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

-- One call, one transaction: keep the event, apply it, post the ledger, write the audit row.
--   p_event          the event, already cut down to the fields we use (object under `object`)
--   p_livemode       the mode this server is in; p_api_version the version it is pinned to
-- Answers {outcome: processed | duplicate | ignored | rejected | needs_fetch | failed | parked, fetch?: {object, id}, expectedVersion?}.
-- A failure of ours rolls back the effects and keeps the event with the error. Lock and serialisation failures are raised:
-- the caller may simply try again.
create function service.apply_event(
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

  v_fetch_kind := case
    when v_type in ('payment_intent.created', 'payment_intent.processing', 'payment_intent.requires_action',
      'payment_intent.payment_failed', 'payment_intent.partially_funded', 'payment_intent.amount_capturable_updated',
      'payment_intent.succeeded', 'payment_intent.canceled', 'charge.pending', 'charge.succeeded', 'charge.failed',
      'charge.captured', 'charge.expired', 'charge.updated') then 'payment_intent'
    -- `charge.refunded` is not among them: the refund's own events say which refund it was.
    when v_type in ('refund.created', 'refund.updated', 'refund.failed', 'charge.refund.updated') then 'refund'
    when v_type in ('charge.dispute.created', 'charge.dispute.updated', 'charge.dispute.closed',
      'charge.dispute.funds_withdrawn', 'charge.dispute.funds_reinstated') then 'dispute'
    when v_type in ('radar.early_fraud_warning.created', 'radar.early_fraud_warning.updated') then 'early_fraud_warning'
  end;
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

-- How far our row of a Stripe object is: its version (0 when there is none yet) and whether it can still change.
create function private.version_of(p_livemode boolean, p_kind text, p_id text, out version bigint, out is_final boolean)
language plpgsql stable set search_path = '' as $$
begin
  case p_kind
    when 'payment_intent' then
      select p.version, p.status in ('succeeded', 'canceled') into version, is_final from public.payments p
      where p.livemode = p_livemode and p.stripe_payment_intent_id = p_id;
    when 'refund' then
      select r.version, false into version, is_final from public.refunds r
      where r.livemode = p_livemode and r.stripe_refund_id = p_id;
    when 'dispute' then
      select d.version, false into version, is_final from public.disputes d
      where d.livemode = p_livemode and d.stripe_dispute_id = p_id;
  end case;
  version := coalesce(version, 0);
  is_final := coalesce(is_final, false);
end
$$;

-- Count a failed attempt; after eight the event is parked for a person to look at. Returns `failed` or `parked`.
create function private.note_event_failure(p_livemode boolean, p_event_id text, p_code text) returns text
language plpgsql set search_path = '' as $$
declare
  v_attempts integer;
begin
  update private.webhook_events e set
    attempts = e.attempts + 1, last_error = left(p_code, 64),
    status = case when e.attempts + 1 >= 8 then 'parked' else 'pending' end,
    -- 4 s, 8 s … 4 min, spread by up to a quarter so that a burst does not come back as one.
    next_attempt_at = now() + (2 ^ (e.attempts + 2)) * (0.875 + random() / 4) * interval '1 second'
  where e.livemode = p_livemode and e.event_id = p_event_id and e.status = 'pending'
  returning e.attempts into v_attempts;
  if v_attempts >= 8 then
    perform private.alert('event_parked', 'event', p_event_id);
    return 'parked';
  end if;
  return 'failed';
end
$$;

-- A failure that happened outside apply_event: while asking Stripe, or in the connection to the database.
create function service.event_failed(p_livemode boolean, p_event_id text, p_code text) returns text
language sql security definer set search_path = '' as $$
  select private.note_event_failure(p_livemode, p_event_id, p_code)
$$;

-- The object as Stripe has it now, asked for by a hint (then p_event_id is done with it), the result page or the sweeper.
-- Answers {outcome, version}: applied; stale (ask Stripe again and come back with that version); needs_payment (its
-- PaymentIntent is not known here: apply that first); foreign (it has none, so it is none of ours: kept as an alert).
create function service.apply_snapshot(
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
    update private.webhook_events set status = 'processed', processed_at = now(), attempts = attempts + 1, last_error = null
    where livemode = p_livemode and event_id = p_event_id and status = 'pending';
  end if;
  select v.version into v_version from private.version_of(p_livemode, v_kind, p_object ->> 'id') v;
  return jsonb_build_object('outcome', v_outcome, 'version', v_version);
end
$$;

-- Stripe's answer to our create. Links the payment; if an event has already told more, that stands.
create function service.link_payment_intent(p_livemode boolean, p_payment_id uuid, p_intent jsonb) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_payment public.payments;
begin
  if not exists (select from public.payments p where p.livemode = p_livemode and p.stripe_payment_intent_id = p_intent ->> 'id') then
    -- Stale means that somebody linked it in between: their news is as good as ours or better.
    perform private.apply_intent(p_livemode, p_intent, 0, 'app');
  end if;
  select p.* into v_payment from public.payments p where p.id = p_payment_id;
  return private.payment_json(v_payment);
end
$$;

-- Claim events that still wait for a try. Two jobs never get the same one.
create function service.events_to_retry(p_livemode boolean, p_limit integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_claimed jsonb;
begin
  with due as (
    select e.livemode, e.event_id from private.webhook_events e
    where e.status = 'pending' and e.livemode = p_livemode and e.next_attempt_at <= now()
    order by e.next_attempt_at limit p_limit
    for update skip locked
  ), claimed as (
    update private.webhook_events e set next_attempt_at = now() + interval '30 seconds'
    from due where e.livemode = due.livemode and e.event_id = due.event_id
    returning e.payload, e.payload_hash
  )
  select coalesce(jsonb_agg(jsonb_build_object('event', c.payload, 'payloadHash', c.payload_hash)), '[]')
  into v_claimed from claimed c;
  return v_claimed;
end
$$;
