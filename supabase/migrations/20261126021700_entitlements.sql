-- What may this person use now? One function answers, from subscriptions and grace alone. What is cached of its answers
-- carries the version they were given at.

-- Per product group the best plan that holds. `grace` while a payment is owed and the 24 hours of its first failure are not over.
create function private.entitlements(p_customer uuid, p_livemode boolean)
returns table (product_group text, tier text, plan_id uuid, plan_name text, subscription_id uuid, state text, until timestamptz)
language sql stable set search_path = '' as $$
  select distinct on (p.product_group) p.product_group, p.tier, p.id, p.name, s.id,
    case when owed.since is null then 'active' else 'grace' end, case when owed.since is not null then owed.grace_ends_at end
  from public.subscriptions s
  join public.plans p on p.id = s.plan_id
  left join lateral (
    select min(i.first_failed_at) as since, max(i.grace_ends_at) filter (where i.grace = 'running') as grace_ends_at
    from public.invoices i where i.subscription_id = s.id and i.status = 'open') owed on true
  where s.customer_id = p_customer and s.livemode = p_livemode
    and (s.status in ('active', 'trialing') and owed.since is null
      or s.status in ('active', 'trialing', 'past_due') and owed.grace_ends_at > now())
  order by p.product_group, p.position desc, s.began_at, s.id
$$;

-- {customerId, version, goodFor: how many seconds it may be kept, entitlements}: five minutes at most, and no longer than any grace in it.
create function service.entitlements(p_livemode boolean, p_customer_id uuid) returns jsonb
language sql stable security definer set search_path = '' as $$
  select jsonb_build_object('customerId', c.id,
    'version', coalesce((select v.version from private.entitlement_versions v where v.customer_id = c.id and v.livemode = p_livemode), 0),
    'goodFor', (select coalesce(floor(least(300, extract(epoch from min(e.until) - now()))), 300)::integer
      from private.entitlements(c.id, p_livemode) e),
    'entitlements', (select coalesce(jsonb_agg(jsonb_build_object('group', e.product_group, 'tier', e.tier, 'planId', e.plan_id,
        'plan', e.plan_name, 'subscriptionId', e.subscription_id, 'state', e.state, 'until', e.until) order by e.product_group), '[]')
      from private.entitlements(c.id, p_livemode) e))
  from public.customers c where c.id = p_customer_id
$$;

-- The customer that a person is, or null while they are none.
create function service.customer_of_person(p_actor uuid) returns uuid
language sql stable security definer set search_path = '' as $$
  select c.id from public.customers c where c.user_id = p_actor
$$;

-- The same for another system, about one of our customers. Raises 42501 a key without the right; P0002 no such customer.
create function service.require_entitlements_key(p_api_key_id uuid, p_livemode boolean, p_customer_id uuid) returns void
language plpgsql stable security definer set search_path = '' as $$
begin
  perform private.require_api_key(p_api_key_id, p_livemode, 'entitlements:read');
  if not exists (select from public.customers c where c.id = p_customer_id and c.user_id is not null) then
    raise exception 'no such customer' using errcode = 'no_data_found';
  end if;
end
$$;

-- The end of every grace that has run out, noted under the lease. Access has ended by then already: this says so once.
-- Answers whose answers are old now.
create function service.end_graces(p_livemode boolean, p_fencing bigint, p_limit integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_invoice record;
  v_ended jsonb := '[]';
  v_version bigint;
begin
  perform private.require_lease('grace', p_fencing);
  for v_invoice in
    select i.id, i.subscription_id from public.invoices i
    where i.grace = 'running' and i.grace_ends_at <= now() and i.livemode = p_livemode order by i.grace_ends_at limit p_limit
  loop
    -- The subscription first, as everywhere.
    perform from public.subscriptions s where s.id = v_invoice.subscription_id for update;
    update public.invoices i set grace = 'ended', version = version + 1, updated_at = now()
    where i.id = v_invoice.id and i.grace = 'running' and i.grace_ends_at <= now();
    if found then
      update public.subscriptions set version = version + 1, updated_at = now() where id = v_invoice.subscription_id;
      perform private.audit('system', null, 'grace.ended', 'invoice', v_invoice.id::text, 'app',
        jsonb_build_object('subscription_id', v_invoice.subscription_id));
      perform private.bump_entitlements(i.customer_id, p_livemode) from public.invoices i where i.id = v_invoice.id;
      select v_ended || jsonb_build_object('customerId', v.customer_id, 'version', v.version) into v_ended
      from private.entitlement_versions v join public.invoices i on i.customer_id = v.customer_id and i.livemode = v.livemode
      where i.id = v_invoice.id;
      v_ended := coalesce(v_ended, '[]');
    end if;
  end loop;
  return v_ended;
end
$$;

grant create on schema private, service to payments_owner;
do $$
declare
  f record;
begin
  for f in
    select p.oid::regprocedure as signature, n.nspname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'private' and p.proname = 'entitlements'
      or n.nspname = 'service' and p.proname in ('entitlements', 'customer_of_person', 'require_entitlements_key', 'end_graces')
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
