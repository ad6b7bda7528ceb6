-- A second subscription that ended before we got to end it: its payments go back only if another one stood in its way. The first may
-- have been over when it began, without anybody having told us; then it was no second one.

create function private.stood_in_its_way(p_second public.subscriptions) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return exists (select from private.older_of_group(p_second))
    or p_second.ended_at is not null and exists (
      select from public.subscriptions o join public.plans p on p.id = o.plan_id
      where o.customer_id = p_second.customer_id and o.livemode = p_second.livemode
        and p.product_group = (select m.product_group from public.plans m where m.id = p_second.plan_id)
        and (o.began_at, o.stripe_subscription_id) < (p_second.began_at, p_second.stripe_subscription_id)
        and o.status = 'canceled' and o.ended_at > p_second.began_at);
end
$$;

-- Nothing stands in its way any more, or nothing did while it lasted: it stays what it is. Answers whether it does.
create or replace function service.keep_second_subscription(p_subscription_id uuid) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  v_second public.subscriptions;
begin
  select s.* into v_second from public.subscriptions s where s.id = p_subscription_id for update;
  if private.stood_in_its_way(v_second) then
    return false;
  end if;
  update private.subscription_cancellations c set kept_at = now()
  where c.subscription_id = p_subscription_id and c.done_at is null and c.kept_at is null;
  if found then
    perform private.audit('system', null, 'subscription.kept', 'subscription', p_subscription_id::text, 'app');
  end if;
  return true;
end
$$;

revoke all on function private.stood_in_its_way from public, anon, authenticated, service_role;
grant execute on function private.stood_in_its_way to payments_owner;
