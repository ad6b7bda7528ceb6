-- The ledger's postings and how refunds and disputes become true. Every posting is unique by (Stripe object, movement).

-- Post one movement between two accounts in the currency the customer paid in; once, however often it is told.
create function private.post_movement(
  p_payment public.payments, p_object_id text, p_movement text, p_debit text, p_credit text, p_amount_minor bigint, p_currency text
) returns void
language plpgsql set search_path = '' as $$
declare
  v_transaction uuid;
begin
  if p_object_id is null or p_amount_minor = 0 then
    return;
  end if;
  insert into private.ledger_transactions (livemode, stripe_object_id, movement, payment_id)
  values (p_payment.livemode, p_object_id, p_movement, p_payment.id)
  on conflict do nothing returning id into v_transaction;
  if v_transaction is not null then
    insert into private.ledger_entries (transaction_id, account, amount_minor, currency) values
      (v_transaction, p_debit, p_amount_minor, p_currency),
      (v_transaction, p_credit, -p_amount_minor, p_currency);
  end if;
end
$$;

-- What a movement came to on Stripe's balance: a balance transaction {id, amount, fee, currency} settles p_amount_minor of
-- p_currency (negative for money that went out). Between two currencies the exchange account takes both sides.
create function private.post_settlement(
  p_payment public.payments, p_settled jsonb, p_amount_minor bigint, p_currency text, p_fee_account text
) returns void
language plpgsql set search_path = '' as $$
declare
  v_transaction uuid;
  v_gross bigint := (p_settled ->> 'amount')::bigint;
  v_fee bigint := coalesce((p_settled ->> 'fee')::bigint, 0);
  v_currency text := p_settled ->> 'currency';
begin
  if jsonb_typeof(p_settled) is distinct from 'object' then
    return;
  end if;
  insert into private.ledger_transactions (livemode, stripe_object_id, movement, payment_id)
  values (p_payment.livemode, p_settled ->> 'id', 'settlement', p_payment.id)
  on conflict do nothing returning id into v_transaction;
  if v_transaction is null then
    return;
  end if;
  insert into private.ledger_entries (transaction_id, account, amount_minor, currency)
  select v_transaction, e.account, e.amount_minor, e.currency
  from (values
    ('stripe_clearing', -p_amount_minor, p_currency),
    ('exchange', p_amount_minor, p_currency),
    ('exchange', -v_gross, v_currency),
    ('stripe_balance', v_gross - v_fee, v_currency),
    (p_fee_account, v_fee, v_currency)
  ) as e (account, amount_minor, currency)
  where e.amount_minor <> 0 and not (e.account = 'exchange' and p_currency = v_currency and p_amount_minor = v_gross);
end
$$;

create or replace function private.post_charge(p_payment public.payments, p_charge_id text, p_amount_minor bigint, p_currency text) returns void
language sql set search_path = '' as $$
  select private.post_movement(p_payment, p_charge_id, 'charge', 'stripe_clearing', 'sales', p_amount_minor, p_currency)
$$;

-- Captured, less what went back or is on its way, less what a bank has taken or may take. An inquiry (warning_…) takes
-- nothing, and a refund is how it is kept from becoming a dispute.
create function private.refundable_minor(p_payment_id uuid) returns bigint
language sql stable set search_path = '' as $$
  select greatest(0, p.amount_received_minor
    - (select coalesce(sum(r.amount_minor), 0) from public.refunds r
       where r.payment_id = p.id and r.status not in ('failed', 'canceled'))
    - (select coalesce(sum(q.amount_minor), 0) from private.refund_requests q
       where q.payment_id = p.id and q.status = 'reserved')
    - (select coalesce(sum(d.amount_minor), 0) from public.disputes d
       where d.payment_id = p.id and d.status in ('needs_response', 'under_review', 'lost')))::bigint
  from public.payments p where p.id = p_payment_id and p.status = 'succeeded'
$$;

create function private.refund_request_json(q private.refund_requests) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object('id', q.id, 'paymentId', q.payment_id, 'amountMinor', q.amount_minor, 'status', q.status,
    'request', q.stripe_request, 'attempt', q.attempt, 'attemptedAt', q.attempted_at, 'createdAt', q.created_at,
    'currency', (select p.currency from public.payments p where p.id = q.payment_id))
$$;

-- Reserve money to give back. The caller holds the locks of order and payment.
create function private.reserve_refund(p_payment public.payments, p_amount_minor bigint, p_reason text, p_note text, p_actor uuid) returns private.refund_requests
language plpgsql set search_path = '' as $$
declare
  v_id uuid := gen_random_uuid();
  v_request private.refund_requests;
begin
  insert into private.refund_requests (id, payment_id, amount_minor, reason, note, requested_by, stripe_request)
  values (v_id, p_payment.id, p_amount_minor, p_reason, p_note, p_actor, jsonb_build_object(
    'payment_intent', p_payment.stripe_payment_intent_id, 'amount', p_amount_minor, 'reason', p_reason,
    'metadata', jsonb_build_object('refund_request_id', v_id, 'payment_id', p_payment.id)))
  returning * into v_request;
  perform private.audit(case when p_actor is null then 'system' else 'staff' end, p_actor, 'refund.requested', 'payment',
    p_payment.id::text, 'app', jsonb_build_object('request_id', v_id, 'amount_minor', p_amount_minor, 'reason', p_reason));
  return v_request;
end
$$;

-- A member of staff asks for a refund; the whole rest when p_amount_minor is null. The same key gets the same request.
-- Raises 42501 not staff with that right; P0002 no such payment; 23505 key used with other input; 22023 more than is left;
-- 55000 a dispute is open, or nothing has been paid.
create function service.request_refund(
  p_actor uuid, p_payment_id uuid, p_amount_minor bigint, p_reason text, p_note text, p_key text, p_input_hash text
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_payment public.payments;
  v_known private.refund_keys;
  v_request private.refund_requests;
  v_left bigint;
begin
  if not exists (select from private.staff s where s.user_id = p_actor and s.role in ('support', 'admin')) then
    raise exception 'not allowed' using errcode = 'insufficient_privilege';
  end if;
  perform from public.orders o where o.id = (select p.order_id from public.payments p where p.id = p_payment_id) for update;
  select p.* into v_payment from public.payments p where p.id = p_payment_id for update;
  if not found then
    raise exception 'no such payment' using errcode = 'no_data_found';
  end if;

  select k.* into v_known from private.refund_keys k where k.requested_by = p_actor and k.key = p_key;
  if found then
    if v_known.input_hash <> p_input_hash then
      raise exception 'key used with other input' using errcode = 'unique_violation';
    end if;
    select q.* into v_request from private.refund_requests q where q.id = v_known.request_id;
    return private.refund_request_json(v_request);
  end if;

  if v_payment.status <> 'succeeded' or exists (
    select from public.disputes d where d.payment_id = v_payment.id and d.status in ('needs_response', 'under_review')
  ) then
    raise exception 'cannot be refunded now' using errcode = 'object_not_in_prerequisite_state';
  end if;
  v_left := private.refundable_minor(v_payment.id);
  if coalesce(p_amount_minor, v_left) not between 1 and v_left then
    raise exception 'more than is left' using errcode = 'invalid_parameter_value';
  end if;
  v_request := private.reserve_refund(v_payment, coalesce(p_amount_minor, v_left), p_reason, p_note, p_actor);
  insert into private.refund_keys (requested_by, key, input_hash, request_id) values (p_actor, p_key, p_input_hash, v_request.id);
  return private.refund_request_json(v_request);
end
$$;

-- The key of this attempt is spent and a look-up found nothing: the next attempt gets a new one.
create function service.next_refund_attempt(p_request_id uuid, p_attempt integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_request private.refund_requests;
begin
  update private.refund_requests set attempt = attempt + 1, attempted_at = now()
  where id = p_request_id and attempt = p_attempt and status = 'reserved';
  select q.* into v_request from private.refund_requests q where q.id = p_request_id;
  return private.refund_request_json(v_request);
end
$$;

-- Stripe refused: nothing goes back, and what was reserved is free again.
create function service.refuse_refund(p_request_id uuid, p_code text) returns void
language plpgsql security definer set search_path = '' as $$
declare
  v_request private.refund_requests;
begin
  update private.refund_requests set status = 'refused', refused_code = left(p_code, 64)
  where id = p_request_id and status = 'reserved' returning * into v_request;
  if found then
    perform private.audit('system', null, 'refund.refused', 'payment', v_request.payment_id::text, 'app',
      jsonb_build_object('request_id', p_request_id, 'code', left(p_code, 64)));
    perform private.alert('refund_refused', 'refund_request', p_request_id::text);
  end if;
end
$$;

-- Claim refund requests that Stripe has not answered yet. Two sweepers never get the same one.
create function service.refunds_to_sweep(p_livemode boolean, p_limit integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_claimed jsonb;
begin
  with due as (
    select q.id from private.refund_requests q join public.payments p on p.id = q.payment_id
    where q.status = 'reserved' and p.livemode = p_livemode and q.checked_at < now() - interval '10 seconds'
    order by q.checked_at limit p_limit for update of q skip locked
  ), claimed as (
    update private.refund_requests q set checked_at = now() from due where q.id = due.id returning q.*
  )
  select coalesce(jsonb_agg(private.refund_request_json(c::private.refund_requests)), '[]') into v_claimed from claimed c;
  return v_claimed;
end
$$;

-- Lock a payment by its PaymentIntent, its order first. Null when it is not known here.
create function private.lock_known_payment(p_livemode boolean, p_intent_id text) returns public.payments
language plpgsql set search_path = '' as $$
declare
  v_payment public.payments;
begin
  perform from public.orders o where o.id = (
    select p.order_id from public.payments p where p.livemode = p_livemode and p.stripe_payment_intent_id = p_intent_id) for update;
  select p.* into v_payment from public.payments p
  where p.livemode = p_livemode and p.stripe_payment_intent_id = p_intent_id for update;
  return v_payment;
end
$$;

-- Take over a refund as Stripe has it now. One we asked for is known by our metadata, before it is taken for one made in the
-- dashboard. Returns applied, stale or needs_payment.
create function private.apply_refund(p_livemode boolean, p_refund jsonb, p_expected_version bigint, p_source text) returns text
language plpgsql set search_path = '' as $$
declare
  v_payment public.payments := private.lock_known_payment(p_livemode, p_refund ->> 'payment_intent');
  v_old public.refunds;
  v_request private.refund_requests;
  v_said text := coalesce(p_refund ->> 'status', 'unknown');
  v_amount bigint := (p_refund ->> 'amount')::bigint;
  v_currency text := p_refund ->> 'currency';
begin
  if v_payment.id is null then
    return 'needs_payment';
  end if;
  -- Stripe also shows the release of money that was only reserved as a refund. None came, so none goes back.
  if (p_refund ->> 'is_release')::boolean then
    return 'applied';
  end if;
  select r.* into v_old from public.refunds r
  where r.livemode = p_livemode and r.stripe_refund_id = p_refund ->> 'id' for update;
  if coalesce(v_old.version, 0) <> p_expected_version then
    return 'stale';
  end if;

  if v_old.id is null then
    select q.* into v_request from private.refund_requests q
    where q.id = private.uuid_or_null(p_refund -> 'metadata' ->> 'refund_request_id') and q.payment_id = v_payment.id
      and q.status <> 'made' for update;
    update private.refund_requests set status = 'made' where id = v_request.id;
    insert into public.refunds (payment_id, request_id, livemode, stripe_refund_id, status, amount_minor, currency, version)
    values (v_payment.id, v_request.id, p_livemode, p_refund ->> 'id', v_said, v_amount, v_currency, 1);
  elsif v_old.status <> v_said or v_old.amount_minor <> v_amount then
    update public.refunds set status = v_said, amount_minor = v_amount, version = version + 1, updated_at = now() where id = v_old.id;
  end if;

  if v_old.status is distinct from v_said then
    perform private.audit('stripe', null, 'refund.' || v_said, 'payment', v_payment.id::text, p_source,
      jsonb_build_object('from', v_old.status, 'refund_id', p_refund ->> 'id', 'amount_minor', v_amount));
    update public.payments p set version = p.version + 1, updated_at = now(), amount_refunded_minor = (
      select coalesce(sum(r.amount_minor), 0) from public.refunds r
      where r.payment_id = p.id and r.status not in ('failed', 'canceled'))
    where p.id = v_payment.id;
  end if;
  -- A refund that has failed before we heard of it went out and came back: both are posted, and so Stripe's balance is met.
  perform private.post_movement(v_payment, p_refund ->> 'id', 'refund', 'refunds', 'stripe_clearing', v_amount, v_currency);
  perform private.post_settlement(v_payment, p_refund -> 'balance_transaction', -v_amount, v_currency, 'fees');
  if v_said in ('failed', 'canceled') then
    perform private.post_movement(v_payment, p_refund ->> 'id', 'refund_reversal', 'stripe_clearing', 'refunds', v_amount, v_currency);
    perform private.post_settlement(v_payment, p_refund -> 'failure_balance_transaction', v_amount, v_currency, 'fees');
    perform private.alert('refund_failed', 'refund', p_refund ->> 'id', jsonb_build_object('payment_id', v_payment.id));
  end if;
  return 'applied';
end
$$;

-- Take over a dispute as Stripe has it now. Whether money moved is told by its balance transactions: an inquiry has none.
create function private.apply_dispute(p_livemode boolean, p_dispute jsonb, p_expected_version bigint, p_source text) returns text
language plpgsql set search_path = '' as $$
declare
  v_payment public.payments := private.lock_known_payment(p_livemode, p_dispute ->> 'payment_intent');
  v_old public.disputes;
  v_said text := p_dispute ->> 'status';
  v_amount bigint := (p_dispute ->> 'amount')::bigint;
  v_currency text := p_dispute ->> 'currency';
  v_due timestamptz := to_timestamp((p_dispute ->> 'due_by')::double precision);
  v_settled jsonb;
begin
  if v_payment.id is null then
    return 'needs_payment';
  end if;
  select d.* into v_old from public.disputes d
  where d.livemode = p_livemode and d.stripe_dispute_id = p_dispute ->> 'id' for update;
  if coalesce(v_old.version, 0) <> p_expected_version then
    return 'stale';
  end if;

  if v_old.id is null then
    insert into public.disputes (payment_id, livemode, stripe_dispute_id, status, reason, due_by, amount_minor, currency, version)
    values (v_payment.id, p_livemode, p_dispute ->> 'id', v_said, p_dispute ->> 'reason', v_due, v_amount, v_currency, 1);
    perform private.alert('dispute_opened', 'dispute', p_dispute ->> 'id', jsonb_build_object('payment_id', v_payment.id));
  elsif (v_old.status, v_old.amount_minor, v_old.reason, v_old.due_by)
    is distinct from (v_said, v_amount, p_dispute ->> 'reason', v_due) then
    update public.disputes set status = v_said, amount_minor = v_amount, reason = p_dispute ->> 'reason', due_by = v_due,
      version = version + 1, updated_at = now()
    where id = v_old.id;
  end if;
  if v_old.status is distinct from v_said then
    perform private.audit('stripe', null, 'dispute.' || v_said, 'payment', v_payment.id::text, p_source,
      jsonb_build_object('from', v_old.status, 'dispute_id', p_dispute ->> 'id', 'amount_minor', v_amount));
  end if;

  for v_settled in select s from jsonb_array_elements(p_dispute -> 'balance_transactions') s loop
    if (v_settled ->> 'amount')::bigint < 0 then
      perform private.post_movement(v_payment, p_dispute ->> 'id', 'dispute_withdrawal', 'disputes', 'stripe_clearing', v_amount, v_currency);
      perform private.post_settlement(v_payment, v_settled, -v_amount, v_currency, 'dispute_fees');
    elsif (v_settled ->> 'amount')::bigint > 0 then
      perform private.post_movement(v_payment, p_dispute ->> 'id', 'dispute_reinstatement', 'stripe_clearing', 'disputes', v_amount, v_currency);
      perform private.post_settlement(v_payment, v_settled, v_amount, v_currency, 'dispute_fees');
    end if;
  end loop;
  return 'applied';
end
$$;

-- A warning is told once and not fetched again: kept for staff, with an alert.
create function private.keep_fraud_warning(p_livemode boolean, p_warning jsonb) returns void
language plpgsql set search_path = '' as $$
declare
  v_payment_id uuid;
begin
  select p.id into v_payment_id from public.payments p
  where p.livemode = p_livemode and p.stripe_payment_intent_id = p_warning ->> 'payment_intent';
  insert into private.early_fraud_warnings (livemode, stripe_warning_id, payment_id, fraud_type, actionable)
  values (p_livemode, p_warning ->> 'id', v_payment_id, p_warning ->> 'fraud_type', (p_warning ->> 'actionable')::boolean)
  on conflict (livemode, stripe_warning_id) do update
    set actionable = excluded.actionable, payment_id = coalesce(early_fraud_warnings.payment_id, excluded.payment_id);
  perform private.alert('early_fraud_warning', 'warning', p_warning ->> 'id', jsonb_build_object('payment_id', v_payment_id));
end
$$;
