-- What a person is shown of a grace goes by the database's clock, as access does: between its end and the job that notes the end,
-- nobody is told that they keep what they no longer have.

create or replace function service.my_subscriptions(p_actor uuid, p_livemode boolean) returns jsonb
language sql stable security definer set search_path = '' as $$
  select jsonb_build_object('subscriptions', (
    select coalesce(jsonb_agg(x.line order by x.is_over, x.began_at desc), '[]') from (
      select s.began_at, s.status in ('canceled', 'incomplete_expired') as is_over, jsonb_build_object('id', s.id, 'status', s.status,
        'plan', p.name, 'group', p.product_group, 'planId', p.id, 'beganAt', s.began_at, 'currentPeriodEnd', s.current_period_end,
        'cancelAt', s.cancel_at, 'endedAt', s.ended_at,
        'amountMinor', r.amount_minor, 'currency', r.currency, 'interval', r.interval,
        'owed', (select jsonb_build_object('invoiceId', i.id, 'amountMinor', i.amount_due_minor, 'currency', i.currency,
            'needsAction', i.needs_action,
            'grace', case when i.grace = 'running' and i.grace_ends_at <= now() then 'ended' else i.grace end,
            'graceEndsAt', i.grace_ends_at)
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
