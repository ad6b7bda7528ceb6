-- Of several graces of a subscription, the first one that ends counts. And a renewal that was owed is paid before we are told, by an
-- event of its own, that the subscription is active again: nobody loses access in between. It was past due for some payment that failed;
-- once all that is known of it is paid, that word is out of date.

create or replace function private.entitlements(p_customer uuid, p_livemode boolean)
returns table (product_group text, tier text, plan_id uuid, plan_name text, subscription_id uuid, state text, until timestamptz)
language plpgsql stable set search_path = '' as $$
begin
  return query
  select distinct on (p.product_group) p.product_group, p.tier, p.id, p.name, s.id,
    case when owed.since is null then 'active' else 'grace' end, case when owed.since is not null then owed.grace_ends_at end
  from public.subscriptions s
  join public.plans p on p.id = s.plan_id
  left join lateral (
    select min(i.first_failed_at) filter (where i.status = 'open') as since,
      min(i.grace_ends_at) filter (where i.status in ('open', 'uncollectible')) as grace_ends_at,
      bool_and(i.status = 'paid') and bool_or(i.first_failed_at is not null) as is_settled
    from public.invoices i where i.subscription_id = s.id) owed on true
  where s.customer_id = p_customer and s.livemode = p_livemode
    and case when owed.since is null then s.status in ('active', 'trialing') or s.status = 'past_due' and owed.is_settled
      else s.status in ('active', 'trialing', 'past_due') and owed.grace_ends_at > now() end
  order by p.product_group, p.position desc, s.began_at, s.id;
end
$$;
