-- Switches for a bad day: no new payments, no refunds, no sign-ups. The functions that open a payment or give money back look
-- at them in their own transaction, so a switch that is off is off for every process with its commit.

-- A switch without a row has never been touched: it is on.
create table private.switches (
  name text primary key constraint switches_name_known check (name in ('payments', 'refunds', 'sign_ups')),
  is_on boolean not null,
  reason text not null,
  changed_at timestamptz not null default now(),
  changed_by uuid not null
);
alter table private.switches enable row level security;
revoke all on private.switches from public, anon, authenticated, service_role;
create policy switches_functions on private.switches to payments_owner using (true) with check (true);
grant select, insert, update on private.switches to payments_owner;

create function private.is_on(p_name text) returns boolean
language sql stable set search_path = '' as $$
  select not exists (select from private.switches s where s.name = p_name and not s.is_on)
$$;

-- Raises PW010 while the switch is off. The detail says after how many seconds to ask again.
create function private.require_on(p_name text) returns void
language plpgsql stable set search_path = '' as $$
begin
  if not private.is_on(p_name) then
    raise exception '% are switched off', p_name using errcode = 'PW010', detail = '60';
  end if;
end
$$;

create function private.switch_board() returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_agg(jsonb_build_object('name', n, 'on', coalesce(s.is_on, true), 'reason', s.reason,
      'changedAt', s.changed_at, 'changedBy', s.changed_by) order by n)
  from unnest(array['payments', 'refunds', 'sign_ups']) n left join private.switches s on s.name = n
$$;

-- For the server, which acts for nobody here.
create function service.is_switched_on(p_name text) returns boolean
language sql stable security definer set search_path = '' as $$
  select private.is_on(p_name)
$$;

-- All switches, for staff. Reading them is noted.
create function service.switches(p_actor uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
begin
  perform private.require_staff(p_actor, 'support', 'admin', 'auditor');
  perform private.audit('staff', p_actor, 'switches.read', 'switch', '*', 'app');
  return private.switch_board();
end
$$;

-- Raises 42501 unless the actor is an admin, 22023 for no such switch or no reason.
create function service.set_switch(p_actor uuid, p_name text, p_on boolean, p_reason text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_reason text := private.reason(p_reason);
begin
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('switch ' || p_name, 0));
  perform private.require_staff(p_actor, 'admin');
  if p_on is null or p_name is null or p_name not in ('payments', 'refunds', 'sign_ups') then
    raise exception 'no such switch' using errcode = 'invalid_parameter_value';
  end if;
  if private.is_on(p_name) <> p_on then
    insert into private.switches as s (name, is_on, reason, changed_by) values (p_name, p_on, v_reason, p_actor)
    on conflict (name) do update set is_on = excluded.is_on, reason = excluded.reason, changed_by = excluded.changed_by,
      changed_at = now();
    perform private.audit('staff', p_actor, case when p_on then 'switch.on' else 'switch.off' end, 'switch', p_name, 'app',
      jsonb_build_object('reason', v_reason));
  end if;
  return private.switch_board();
end
$$;

-- Open a payment for an order, or return the one this key or this order already has. With p_may_open false nothing is
-- opened, and the answer is null where there is none: repeating a request need not count as a new payment.
-- What would be refused is refused then too, before Stripe is asked for anything. While payments are switched off none is
-- opened, and none that could still be paid is handed out.
-- Raises P0002 no such order for this person; 23505 key used with other input; 55000 the order cannot be paid now; PW010
-- payments are switched off; PW001 to PW006 as private.check_limits says.
create or replace function service.open_payment(
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
    if v_payment.status not in ('succeeded', 'canceled') then
      perform private.require_on('payments');
    end if;
    perform private.refuse_stopped(v_payment);
    return private.payment_json(v_payment);
  end if;

  -- Neither an order that is settled, nor one for which money has come that a person has yet to look at.
  if v_order.status <> 'open' or v_order.expires_at <= now() or exists (
    select from public.payments p where p.order_id = v_order.id and p.status = 'succeeded'
  ) then
    raise exception 'order cannot be paid' using errcode = 'object_not_in_prerequisite_state';
  end if;
  perform private.require_on('payments');
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

-- A member of staff asks for a refund; the whole rest when p_amount_minor is null. The same key gets the same request.
-- Raises 42501 not staff with that right; PW010 refunds are switched off; P0002 no such payment; 23505 key used with other input;
-- 22023 more than is left; 55000 a dispute is open, or nothing has been paid.
create or replace function service.request_refund(
  p_actor uuid, p_payment_id uuid, p_amount_minor bigint, p_reason text, p_note text, p_key text, p_input_hash text
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_payment public.payments;
  v_known private.refund_keys;
  v_request private.refund_requests;
  v_left bigint;
begin
  perform private.require_staff(p_actor, 'support', 'admin');
  -- A repeat as well: Stripe may not have heard of the first yet.
  perform private.require_on('refunds');
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

-- Claim refund requests that Stripe has not answered yet; none while refunds are switched off. Two sweepers never get the same one.
create or replace function service.refunds_to_sweep(p_livemode boolean, p_limit integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_claimed jsonb;
begin
  if not private.is_on('refunds') then
    return '[]';
  end if;
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

grant create on schema private, service to payments_owner;
do $$
declare
  f record;
begin
  for f in
    select p.oid::regprocedure as signature, n.nspname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'private' and p.proname in ('is_on', 'require_on', 'switch_board')
      or n.nspname = 'service' and p.proname in ('is_switched_on', 'switches', 'set_switch', 'open_payment', 'request_refund', 'refunds_to_sweep')
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
