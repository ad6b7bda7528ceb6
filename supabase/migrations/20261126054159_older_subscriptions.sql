-- Before a second subscription is ended, its rivals are looked at once more: the one that was there first may be over by now without
-- anybody having told us. And whatever is paid for one that was ended goes back, also what comes later.

-- A decision that has lost its ground is taken back.
grant delete on private.subscription_cancellations to payments_owner;

-- Those of the same person and group that are there, as far as we know, and began before this one.
create function private.older_of_group(p_subscription public.subscriptions) returns setof public.subscriptions
language sql stable set search_path = '' as $$
  select o.* from public.subscriptions o join public.plans p on p.id = o.plan_id
  where o.customer_id = p_subscription.customer_id and o.livemode = p_subscription.livemode
    and p.product_group = (select m.product_group from public.plans m where m.id = p_subscription.plan_id)
    and o.status in ('active', 'trialing', 'past_due', 'unpaid', 'paused')
    and (o.began_at, o.stripe_subscription_id) < (p_subscription.began_at, p_subscription.stripe_subscription_id)
$$;

-- Second subscriptions to cancel at Stripe and pay back, each claimed by one. They stay until all of it is done. `older` are those
-- that stand in their way.
create or replace function service.cancellations_to_carry_out(p_livemode boolean, p_limit integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_claimed jsonb;
begin
  with due as (
    select c.subscription_id from private.subscription_cancellations c join public.subscriptions s on s.id = c.subscription_id
    where c.done_at is null and s.livemode = p_livemode and (c.tried_at is null or c.tried_at < now() - interval '10 seconds')
    order by c.tried_at nulls first limit p_limit for update of c skip locked
  ), claimed as (
    update private.subscription_cancellations c set tried_at = now(), attempt = c.attempt + 1
    from due, public.subscriptions s where c.subscription_id = due.subscription_id and s.id = c.subscription_id
    returning jsonb_build_object('id', s.id, 'stripeId', s.stripe_subscription_id, 'version', s.version, 'attempt', c.attempt,
      'ended', s.status in ('canceled', 'incomplete_expired'), 'older', (
        select coalesce(jsonb_agg(jsonb_build_object('stripeId', o.stripe_subscription_id, 'version', o.version)), '[]')
        from private.older_of_group(s) o)) as line
  )
  select coalesce(jsonb_agg(c.line), '[]') into v_claimed from claimed c;
  return v_claimed;
end
$$;

-- Nothing stands in its way any more: it stays. Answers whether it does.
create function service.keep_second_subscription(p_subscription_id uuid) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  v_second public.subscriptions;
begin
  select s.* into v_second from public.subscriptions s where s.id = p_subscription_id for update;
  if v_second.status in ('canceled', 'incomplete_expired') or exists (select from private.older_of_group(v_second)) then
    return false;
  end if;
  delete from private.subscription_cancellations c where c.subscription_id = p_subscription_id and c.done_at is null;
  if found then
    perform private.audit('system', null, 'subscription.kept', 'subscription', p_subscription_id::text, 'app');
  end if;
  return true;
end
$$;

-- An invoice of a subscription that was ended is paid after all: that goes back as well.
create function private.send_back_late_payment() returns trigger
language plpgsql set search_path = '' as $$
begin
  update private.subscription_cancellations set done_at = null, tried_at = null
  where subscription_id = new.subscription_id and done_at is not null;
  return null;
end
$$;
create trigger invoices_paid_for_nothing after update of status on public.invoices for each row
  when (new.status = 'paid' and old.status <> 'paid') execute function private.send_back_late_payment();

grant create on schema private, service to payments_owner;
do $$
declare
  f record;
begin
  for f in
    select p.oid::regprocedure as signature, n.nspname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'private' and p.proname in ('older_of_group', 'send_back_late_payment')
      or n.nspname = 'service' and p.proname in ('cancellations_to_carry_out', 'keep_second_subscription')
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
