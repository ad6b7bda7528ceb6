-- The way to a subscription: one Checkout page at a time for each product group of a person, none where they have one already.

-- The customer portal as we want it, at Stripe: one for each set of plans and prices it has been opened with.
create table private.portal_configurations (
  livemode boolean not null,
  features_hash text not null,
  stripe_configuration_id text not null,
  created_at timestamptz not null default now(),
  primary key (livemode, features_hash)
);
alter table private.portal_configurations enable row level security;
revoke all on private.portal_configurations from public, anon, authenticated, service_role;
create policy portal_configurations_functions on private.portal_configurations to payments_owner using (true) with check (true);
grant select, insert on private.portal_configurations to payments_owner;
insert into private.personal_data (table_name, rows_of, exported, why) values
  ('private.portal_configurations', null, false, 'how the portal is set up');

create function private.plan_json(p public.plans, p_livemode boolean) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object('id', p.id, 'group', p.product_group, 'tier', p.tier, 'name', p.name, 'description', p.description,
    'amountMinor', p.amount_minor, 'currency', p.currency, 'interval', p.interval, 'price', r.stripe_price_id, 'product', r.stripe_product_id)
  from (select) one left join private.stripe_prices r on r.plan_id = p.id and r.livemode = p_livemode
    and r.amount_minor = p.amount_minor and r.currency = p.currency and r.interval = p.interval
$$;

create function service.list_plans(p_livemode boolean) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(private.plan_json(p, p_livemode) order by p.product_group, p.position, p.id), '[]')
  from public.plans p where p.active
$$;

-- The price at Stripe that stands for a plan as it is now; the first one made stays.
create function service.register_price(
  p_livemode boolean, p_plan_id uuid, p_price_id text, p_product_id text, p_amount_minor bigint, p_currency text, p_interval text
) returns text
language plpgsql security definer set search_path = '' as $$
begin
  insert into private.stripe_prices (livemode, stripe_price_id, stripe_product_id, plan_id, amount_minor, currency, interval)
  values (p_livemode, p_price_id, p_product_id, p_plan_id, p_amount_minor, p_currency, p_interval)
  on conflict do nothing;
  return (select r.stripe_price_id from private.stripe_prices r where r.livemode = p_livemode and r.plan_id = p_plan_id
    and r.amount_minor = p_amount_minor and r.currency = p_currency and r.interval = p_interval);
end
$$;

create function private.checkout_json(c private.subscription_checkouts) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object('id', c.id, 'status', c.status, 'sessionId', c.stripe_session_id, 'request', c.stripe_request,
    'attempt', c.attempt, 'version', c.version, 'planId', c.plan_id)
$$;

-- Whether this person may start to subscribe to a plan. Raises P0002 no such plan; PW010 payments are switched off; PW030 they have
-- one of its group.
create function private.require_startable(p_customer uuid, p_livemode boolean, p_plan_id uuid) returns public.plans
language plpgsql stable set search_path = '' as $$
declare
  v_plan public.plans;
begin
  select p.* into v_plan from public.plans p where p.id = p_plan_id and p.active;
  if not found then
    raise exception 'no such plan' using errcode = 'no_data_found';
  end if;
  perform private.require_on('payments');
  if exists (
    select from public.subscriptions s join public.plans p on p.id = s.plan_id
    where s.customer_id = p_customer and s.livemode = p_livemode and p.product_group = v_plan.product_group
      and s.status in ('active', 'trialing', 'past_due', 'unpaid', 'paused')
  ) then
    raise exception 'there is one already' using errcode = 'PW030';
  end if;
  return v_plan;
end
$$;

-- What there is to know before Stripe is asked for anything. Raises as require_startable.
create function service.startable_plan(p_actor uuid, p_livemode boolean, p_plan_id uuid) returns jsonb
language sql stable security definer set search_path = '' as $$
  select private.plan_json(private.require_startable((select c.id from public.customers c where c.user_id = p_actor), p_livemode, p_plan_id),
    p_livemode)
$$;

-- The person's one Checkout page for the plan's group: opened now, or the one that is there already. `replace` when that one is
-- for another plan or about to run out: it has to be closed at Stripe first. Raises as require_startable.
create function service.open_checkout(
  p_actor uuid, p_livemode boolean, p_plan_id uuid, p_price_id text, p_stripe_customer_id text, p_origin text
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_customer uuid := private.customer_of(p_actor);
  v_plan public.plans;
  v_row private.subscription_checkouts;
  v_id uuid := gen_random_uuid();
  v_expires timestamptz := now() + interval '1 hour';
begin
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('subscribing of ' || v_customer, 0));
  v_plan := private.require_startable(v_customer, p_livemode, p_plan_id);
  select c.* into v_row from private.subscription_checkouts c
  where c.customer_id = v_customer and c.livemode = p_livemode and c.product_group = v_plan.product_group
    and c.status in ('creating', 'open') for update;
  if found then
    return private.checkout_json(v_row) || jsonb_build_object('replace',
      v_row.plan_id <> p_plan_id or v_row.expires_at < now() + interval '5 minutes'
      or v_row.stripe_request -> 'line_items' -> 0 ->> 'price' <> p_price_id);
  end if;
  insert into private.subscription_checkouts (id, customer_id, plan_id, product_group, livemode, expires_at, stripe_request)
  values (v_id, v_customer, p_plan_id, v_plan.product_group, p_livemode, v_expires, jsonb_build_object(
    'mode', 'subscription', 'customer', p_stripe_customer_id,
    'line_items', jsonb_build_array(jsonb_build_object('price', p_price_id, 'quantity', 1)),
    'success_url', p_origin || '/subscription?from=checkout', 'cancel_url', p_origin || '/plans',
    'expires_at', floor(extract(epoch from v_expires))::bigint,
    'metadata', jsonb_build_object('checkout_id', v_id),
    'subscription_data', jsonb_build_object('metadata', jsonb_build_object('checkout_id', v_id))))
  returning * into v_row;
  perform private.audit('customer', p_actor, 'checkout.created', 'checkout', v_id::text, 'app', jsonb_build_object('plan_id', p_plan_id));
  return private.checkout_json(v_row) || jsonb_build_object('replace', false);
end
$$;

-- Stripe's answer to our create.
create function service.link_checkout(p_checkout_id uuid, p_session_id text) returns void
language sql security definer set search_path = '' as $$
  update private.subscription_checkouts set stripe_session_id = p_session_id, status = 'open', version = version + 1, updated_at = now()
  where id = p_checkout_id and status = 'creating' and stripe_session_id is null
$$;

-- Stripe refused to make the page, or a spent key can only repeat a failure: this row leads nowhere.
create function service.drop_checkout(p_checkout_id uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
  update private.subscription_checkouts set status = 'expired', version = version + 1, updated_at = now()
  where id = p_checkout_id and status = 'creating';
  if found then
    perform private.audit('system', null, 'checkout.expired', 'checkout', p_checkout_id::text, 'app');
  end if;
end
$$;

-- Checkout pages that nobody has told us about for a while. One that was never linked has no address anybody could know: once its
-- time is over, it is over.
create function service.checkouts_to_sweep(p_livemode boolean, p_limit integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_claimed jsonb;
begin
  perform service.drop_checkout(c.id) from private.subscription_checkouts c
  where c.livemode = p_livemode and c.status = 'creating' and c.expires_at < now() - interval '5 minutes';
  with due as (
    select c.id from private.subscription_checkouts c
    where c.livemode = p_livemode and c.status = 'open' and c.checked_at < now() - interval '1 minute'
    order by c.checked_at limit p_limit for update skip locked
  ), claimed as (
    update private.subscription_checkouts c set checked_at = now() from due where c.id = due.id returning c.*
  )
  select coalesce(jsonb_agg(private.checkout_json(c::private.subscription_checkouts)), '[]') into v_claimed from claimed c;
  return v_claimed;
end
$$;

-- A person's own subscriptions, those that run first; what is owed for each and until when that is overlooked.
create function service.my_subscriptions(p_actor uuid, p_livemode boolean) returns jsonb
language sql stable security definer set search_path = '' as $$
  select jsonb_build_object('subscriptions', (
    select coalesce(jsonb_agg(x.line order by x.is_over, x.began_at desc), '[]') from (
      select s.began_at, s.status in ('canceled', 'incomplete_expired') as is_over, jsonb_build_object('id', s.id, 'status', s.status,
        'plan', p.name, 'group', p.product_group, 'planId', p.id, 'beganAt', s.began_at, 'currentPeriodEnd', s.current_period_end,
        'cancelAt', s.cancel_at, 'endedAt', s.ended_at,
        'amountMinor', r.amount_minor, 'currency', r.currency, 'interval', r.interval,
        'owed', (select jsonb_build_object('invoiceId', i.id, 'amountMinor', i.amount_due_minor, 'currency', i.currency,
            'needsAction', i.needs_action, 'grace', i.grace, 'graceEndsAt', i.grace_ends_at)
          from public.invoices i where i.subscription_id = s.id and i.status = 'open' and (i.first_failed_at is not null or i.needs_action)
          order by i.created_at limit 1)) as line
      from public.subscriptions s join public.customers c on c.id = s.customer_id
      left join public.plans p on p.id = s.plan_id
      left join private.stripe_prices r on r.livemode = s.livemode and r.stripe_price_id = s.stripe_price_id
      where c.user_id = p_actor and s.livemode = p_livemode
      order by is_over, s.began_at desc limit 20) x),
    'isSubscribing', exists (select from private.subscription_checkouts k join public.customers c on c.id = k.customer_id
      where c.user_id = p_actor and k.livemode = p_livemode and k.status = 'open' and k.expires_at > now()))
$$;

-- What the portal of a person takes. Raises P0002 for somebody Stripe does not know.
create function service.portal_of(p_actor uuid, p_livemode boolean) returns text
language plpgsql stable security definer set search_path = '' as $$
declare
  v_stripe text;
begin
  select s.stripe_customer_id into v_stripe from private.stripe_customers s join public.customers c on c.id = s.customer_id
  where c.user_id = p_actor and s.livemode = p_livemode
    and exists (select from public.subscriptions u where u.customer_id = c.id and u.livemode = p_livemode);
  if v_stripe is null then
    raise exception 'nothing to manage' using errcode = 'no_data_found';
  end if;
  return v_stripe;
end
$$;

create function service.portal_configuration(p_livemode boolean, p_fingerprint text, p_configuration_id text default null) returns text
language plpgsql security definer set search_path = '' as $$
begin
  if p_configuration_id is not null then
    insert into private.portal_configurations (livemode, features_hash, stripe_configuration_id)
    values (p_livemode, p_fingerprint, p_configuration_id) on conflict do nothing;
  end if;
  return (select g.stripe_configuration_id from private.portal_configurations g
    where g.livemode = p_livemode and g.features_hash = p_fingerprint);
end
$$;

-- An invoice of the person's own that waits for them. Raises P0002 for any other.
create function service.my_invoice(p_actor uuid, p_livemode boolean, p_invoice_id uuid) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  v_invoice jsonb;
begin
  select jsonb_build_object('id', i.id, 'stripeId', i.stripe_invoice_id, 'status', i.status, 'version', i.version,
    'amountMinor', i.amount_due_minor, 'currency', i.currency, 'needsAction', i.needs_action, 'plan', private.words_of_invoice(i),
    'intentId', i.stripe_payment_intent_id, 'graceEndsAt', case when i.grace = 'running' then i.grace_ends_at end,
    'paymentId', (select p.id from public.payments p where p.livemode = i.livemode
      and p.stripe_payment_intent_id = i.stripe_payment_intent_id)) into v_invoice
  from public.invoices i join public.customers c on c.id = i.customer_id
  where i.id = p_invoice_id and c.user_id = p_actor and i.livemode = p_livemode;
  if v_invoice is null then
    raise exception 'no such invoice' using errcode = 'no_data_found';
  end if;
  return v_invoice;
end
$$;

grant create on schema private, service to payments_owner;
do $$
declare
  f record;
begin
  for f in
    select p.oid::regprocedure as signature, n.nspname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'private' and p.proname in ('plan_json', 'checkout_json', 'require_startable')
      or n.nspname = 'service' and p.proname in ('list_plans', 'register_price', 'startable_plan', 'open_checkout', 'link_checkout',
        'drop_checkout', 'checkouts_to_sweep', 'my_subscriptions', 'portal_of', 'portal_configuration', 'my_invoice')
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
