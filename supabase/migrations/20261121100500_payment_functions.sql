-- Opening a payment, in phases that are each safe to repeat: claim the Stripe customer, open (with the request frozen),
-- ask Stripe outside any transaction, link. Lock order everywhere: order, then payment, then customer.

-- The person's Stripe customer in this mode; stripeCustomerId is null until the first link.
create function service.claim_stripe_customer(p_actor uuid, p_livemode boolean) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_customer uuid := private.customer_of(p_actor);
  v_row private.stripe_customers;
begin
  insert into private.stripe_customers (customer_id, livemode) values (v_customer, p_livemode)
  on conflict (customer_id, livemode) do nothing;
  select s.* into v_row from private.stripe_customers s where s.customer_id = v_customer and s.livemode = p_livemode;
  return jsonb_build_object('customerId', v_customer, 'stripeCustomerId', v_row.stripe_customer_id, 'attempt', v_row.attempt);
end
$$;

-- The key of this attempt can only repeat a saved failure: the next one gets a new key. Returns the attempt that holds.
create function service.next_customer_attempt(p_customer_id uuid, p_livemode boolean, p_attempt integer) returns integer
language plpgsql security definer set search_path = '' as $$
declare
  v_attempt integer;
begin
  update private.stripe_customers s set attempt = attempt + 1
  where s.customer_id = p_customer_id and s.livemode = p_livemode and s.attempt = p_attempt and s.stripe_customer_id is null;
  select s.attempt into v_attempt from private.stripe_customers s
  where s.customer_id = p_customer_id and s.livemode = p_livemode;
  return v_attempt;
end
$$;

-- Stripe does not know this customer any more: whoever pays next gets a new one.
create function service.forget_stripe_customer(p_livemode boolean, p_stripe_customer_id text) returns void
language plpgsql security definer set search_path = '' as $$
begin
  update private.stripe_customers set stripe_customer_id = null, attempt = attempt + 1
  where livemode = p_livemode and stripe_customer_id = p_stripe_customer_id;
  if found then
    perform private.alert('stripe_customer_gone', 'customer', p_stripe_customer_id);
  end if;
end
$$;

-- The first link stays: a second Stripe customer for one person is never adopted. Returns the id that holds.
create function service.link_stripe_customer(p_customer_id uuid, p_livemode boolean, p_stripe_customer_id text) returns text
language plpgsql security definer set search_path = '' as $$
declare
  v_stripe text;
begin
  update private.stripe_customers s set stripe_customer_id = p_stripe_customer_id
  where s.customer_id = p_customer_id and s.livemode = p_livemode and s.stripe_customer_id is null;
  select s.stripe_customer_id into v_stripe from private.stripe_customers s
  where s.customer_id = p_customer_id and s.livemode = p_livemode;
  return v_stripe;
end
$$;

create function private.payment_json(p public.payments) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'id', p.id, 'orderId', p.order_id, 'status', p.status, 'amountMinor', p.amount_minor, 'currency', p.currency,
    'intentId', p.stripe_payment_intent_id, 'request', p.stripe_request, 'attempt', p.attempt,
    'attemptedAt', p.attempted_at, 'createdAt', p.created_at, 'version', p.version)
$$;

-- Open a payment for an order, or return the one this key or this order already has. With p_may_open false nothing is
-- opened, and the answer is null where there is none: repeating a request need not count as a new payment.
-- Raises P0002 no such order for this person; 23505 key used with other input; 55000 the order cannot be paid now.
create function service.open_payment(
  p_actor uuid, p_livemode boolean, p_order_id uuid, p_key text, p_input_hash text, p_stripe_customer_id text, p_may_open boolean default true
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
  if not found then
    if not p_may_open then
      return null;
    end if;
    v_id := gen_random_uuid();
    insert into public.payments (id, customer_id, order_id, livemode, origin, status, amount_minor, currency, description, stripe_request)
    values (v_id, v_order.customer_id, v_order.id, p_livemode, 'app', 'creating', v_order.total_minor, v_order.currency,
      'Order ' || v_order.reference,
      jsonb_build_object(
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

-- Stripe's answer did not arrive: the payment may or may not exist there. Never `failed`.
create function service.mark_payment_unknown(p_payment_id uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
  update public.payments set status = 'unknown', version = version + 1, updated_at = now()
  where id = p_payment_id and status = 'creating' and stripe_payment_intent_id is null;
  if found then
    perform private.audit('system', null, 'payment.unknown', 'payment', p_payment_id::text, 'app');
  end if;
end
$$;

-- The key of this attempt can no longer create anything and a look-up found nothing: the next attempt gets a new key.
-- Only the caller that saw p_attempt moves it on; others get the payment as it is.
create function service.next_payment_attempt(p_payment_id uuid, p_attempt integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_payment public.payments;
begin
  update public.payments set attempt = attempt + 1, attempted_at = now(), version = version + 1, updated_at = now()
  where id = p_payment_id and attempt = p_attempt and stripe_payment_intent_id is null and status in ('creating', 'unknown')
  returning * into v_payment;
  if found then
    perform private.audit('system', null, 'payment.next_attempt', 'payment', p_payment_id::text, 'app',
      jsonb_build_object('attempt', v_payment.attempt));
  else
    select p.* into v_payment from public.payments p where p.id = p_payment_id;
  end if;
  return private.payment_json(v_payment);
end
$$;

-- Stripe refused the request itself, so nothing exists there: the payment ends and the order can be paid anew.
create function service.refuse_payment(p_payment_id uuid, p_code text) returns void
language plpgsql security definer set search_path = '' as $$
begin
  update public.payments set status = 'canceled', canceled_at = now(), last_failure_code = p_code, version = version + 1, updated_at = now()
  where id = p_payment_id and stripe_payment_intent_id is null and status in ('creating', 'unknown');
  if found then
    perform private.audit('system', null, 'payment.canceled', 'payment', p_payment_id::text, 'app', jsonb_build_object('code', p_code));
  end if;
end
$$;

-- What asking Stripe about a payment needs. Null for a payment that is not this person's.
create function service.payment_to_sync(p_actor uuid, p_payment_id uuid) returns jsonb
language sql stable security definer set search_path = '' as $$
  select private.payment_json(p) from public.payments p
  join public.customers c on c.id = p.customer_id
  where p.id = p_payment_id and c.user_id = p_actor
$$;

-- Claim unfinished payments to look at again, the longest unseen first. Half-made ones come round every few seconds;
-- one that waits for its customer is asked about less and less often. Two sweepers never get the same row.
create function service.payments_to_sweep(p_livemode boolean, p_limit integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_claimed jsonb;
begin
  with due as (
    select u.id from public.payments u
    where u.livemode = p_livemode and u.status not in ('succeeded', 'canceled')
      and u.checked_at < now() - case when u.stripe_payment_intent_id is null then interval '10 seconds'
        else greatest(interval '30 seconds', (now() - u.updated_at) / 4) end
    -- Half-made ones first: nobody else will finish them.
    order by u.stripe_payment_intent_id is not null, u.checked_at limit p_limit
    for update skip locked
  ), claimed as (
    update public.payments p set checked_at = now() from due where p.id = due.id returning p.*
  )
  select coalesce(jsonb_agg(private.payment_json(c::public.payments)), '[]') into v_claimed from claimed c;
  return v_claimed;
end
$$;

-- A payment's story for its owner: actions and times, nothing else.
create function service.payment_timeline(p_actor uuid, p_payment_id uuid) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object('at', a.at, 'kind', a.action) order by a.id), '[]')
  from private.audit_log a
  where exists (
      select from public.payments p join public.customers c on c.id = p.customer_id
      where p.id = p_payment_id and c.user_id = p_actor)
    and a.subject_type = 'payment' and a.subject_id = p_payment_id::text
    -- What staff and banks deal with among themselves is not the customer's.
    and a.action not in ('refund.requested', 'refund.refused') and a.action not like 'dispute.warning%'
$$;
