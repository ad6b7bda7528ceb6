-- An order that is cancelled or expires while it can still be paid. Its payment may succeed at Stripe at any moment, so Stripe is
-- asked first: the order is `closing`, takes no payment, and follows once each open payment of it is cancelled there. Money that was
-- quicker wins.

alter table public.orders add column closing text
  constraint orders_closing_known check (closing in ('canceled', 'expired'));
create index orders_to_expire on public.orders (expires_at) where status = 'open' and closing is null;

alter table private.payment_decisions drop constraint payment_decisions_reason_known;
alter table private.payment_decisions add constraint payment_decisions_reason_known check (reason in (
  'too_many_failures', 'idle', 'country_allowed', 'country_refused', 'country_unknown', 'order_canceled', 'order_expired'));
-- Each try at Stripe has an idempotency key of its own.
alter table private.payment_decisions add column attempts integer not null default 0;

-- The order follows once nothing of it is open any more. Not when money has come that a person has yet to look at.
create function private.finish_closing(p_order_id uuid) returns void
language plpgsql set search_path = '' as $$
declare
  v_order public.orders;
begin
  update public.orders o set status = o.closing
  where o.id = p_order_id and o.status = 'open' and o.closing is not null and not exists (
    select from public.payments p where p.order_id = o.id
      and (p.status = 'succeeded' or p.origin = 'app' and p.status <> 'canceled'))
  returning * into v_order;
  if found then
    perform private.audit('system', null, 'order.' || v_order.status, 'order', v_order.id::text, 'app');
  end if;
end
$$;

-- Stop an order from being paid, and have its open payments cancelled at Stripe. The caller holds the order's lock.
create function private.begin_closing(p_order_id uuid, p_how text, p_actor uuid) returns void
language plpgsql set search_path = '' as $$
begin
  update public.orders set closing = p_how where id = p_order_id;
  perform private.audit(case when p_actor is null then 'system' else 'customer' end, p_actor, 'order.closing', 'order',
    p_order_id::text, 'app', jsonb_build_object('to', p_how));
  perform private.decide(p.id, 'cancel', 'order_' || p_how) from public.payments p
  where p.order_id = p_order_id and p.origin = 'app' and p.status not in ('succeeded', 'canceled');
  perform private.finish_closing(p_order_id);
end
$$;

create function private.follow_canceled_payment() returns trigger
language plpgsql set search_path = '' as $$
begin
  perform private.finish_closing(new.order_id);
  return null;
end
$$;
create trigger payments_order_follows after update of status on public.payments for each row
  when (new.status = 'canceled' and old.status <> 'canceled' and new.order_id is not null)
  execute function private.follow_canceled_payment();

-- A person cancels an order of theirs. Answers its status (`open` while a payment is still to be cancelled) and the PaymentIntents
-- that are in the way. Raises P0002 no such order for this person; 55000 when it is paid, has expired, or money has come for it.
create function service.cancel_order(p_actor uuid, p_livemode boolean, p_order_id uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_order public.orders;
begin
  select o.* into v_order from public.orders o join public.customers c on c.id = o.customer_id
  where o.id = p_order_id and o.livemode = p_livemode and c.user_id = p_actor for update of o;
  if not found then
    raise exception 'no such order' using errcode = 'no_data_found';
  end if;
  if v_order.status in ('paid', 'expired') or v_order.status = 'open' and exists (
    select from public.payments p where p.order_id = v_order.id and p.status = 'succeeded')
  then
    raise exception 'order is settled' using errcode = 'object_not_in_prerequisite_state';
  end if;
  if v_order.status = 'open' and v_order.closing is null then
    perform private.begin_closing(v_order.id, 'canceled', p_actor);
  end if;
  return jsonb_build_object(
    'status', (select o.status from public.orders o where o.id = v_order.id),
    'intentIds', (select coalesce(jsonb_agg(p.stripe_payment_intent_id), '[]') from public.payments p
      where p.order_id = v_order.id and p.origin = 'app' and p.status not in ('succeeded', 'canceled')
        and p.stripe_payment_intent_id is not null));
end
$$;

-- Begin to close the orders whose time is over. Answers how many.
create function service.expire_orders(p_livemode boolean, p_limit integer) returns integer
language plpgsql security definer set search_path = '' as $$
declare
  v_count integer := 0;
  v_id uuid;
begin
  for v_id in
    select o.id from public.orders o
    where o.livemode = p_livemode and o.status = 'open' and o.closing is null and o.expires_at <= now()
      and not exists (select from public.payments p where p.order_id = o.id and p.status = 'succeeded')
    order by o.expires_at limit p_limit
    for update skip locked
  loop
    perform private.begin_closing(v_id, 'expired', null);
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;

-- A payment that is about to be cancelled, for its declines or with its order, is not handed out again.
create or replace function private.refuse_stopped(p_payment public.payments) returns void
language plpgsql set search_path = '' as $$
declare
  v_wait integer;
begin
  if p_payment.status in ('succeeded', 'canceled') then
    return;
  end if;
  if exists (select from public.orders o where o.id = p_payment.order_id and o.closing is not null) then
    raise exception 'order is closing' using errcode = 'object_not_in_prerequisite_state';
  end if;
  select ceil(extract(epoch from d.decided_at - now()) + (private.limit_of('failures_payment')).window_seconds)::integer into v_wait
  from private.payment_decisions d
  where d.payment_id = p_payment.id and d.reason = 'too_many_failures';
  if found then
    perform private.refuse_to_open('PW006', greatest(1, v_wait));
  end if;
end
$$;

-- Stripe refused the request itself, so nothing exists there: the payment ends and the order can be paid anew, unless it is closing.
create or replace function service.refuse_payment(p_payment_id uuid, p_code text) returns void
language plpgsql security definer set search_path = '' as $$
begin
  -- The order before the payment, as everywhere.
  perform from public.orders o where o.id = (select p.order_id from public.payments p where p.id = p_payment_id) for update;
  update public.payments set status = 'canceled', canceled_at = now(), last_failure_code = p_code, version = version + 1, updated_at = now()
  where id = p_payment_id and stripe_payment_intent_id is null and status in ('creating', 'unknown');
  if found then
    perform private.audit('system', null, 'payment.canceled', 'payment', p_payment_id::text, 'app', jsonb_build_object('code', p_code));
  end if;
end
$$;

-- Claim what is decided and not done yet; about one PaymentIntent only when p_intent_id is given. No two callers get the same.
create or replace function service.decisions_to_carry_out(p_livemode boolean, p_limit integer, p_intent_id text default null) returns jsonb
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
    update private.payment_decisions d set tried_at = now(), attempts = d.attempts + 1 from due, public.payments p
    where d.payment_id = due.payment_id and p.id = d.payment_id
    returning jsonb_build_object('paymentId', p.id, 'intentId', p.stripe_payment_intent_id, 'decision', d.decision,
      'reason', d.reason, 'version', p.version, 'attempt', d.attempts) as line
  )
  select coalesce(jsonb_agg(c.line), '[]') into v_claimed from claimed c;
  return v_claimed;
end
$$;

-- As function_grants says it for all that existed then.
grant create on schema private, service to payments_owner;
do $$
declare
  f record;
begin
  for f in
    select p.oid::regprocedure as signature, n.nspname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'private' and p.proname in ('finish_closing', 'begin_closing', 'follow_canceled_payment')
      or n.nspname = 'service' and p.proname in ('cancel_order', 'expire_orders')
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
