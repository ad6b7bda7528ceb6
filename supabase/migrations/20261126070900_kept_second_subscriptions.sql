-- A decision that has lost its ground is marked as that: nothing of ours removes rows. Taken again, it goes on where it was, for the
-- number of the attempt is in the key that Stripe knows it by.

revoke delete on private.subscription_cancellations from payments_owner;
alter table private.subscription_cancellations add column kept_at timestamptz;

create or replace function private.refuse_second_subscriptions(p_customer uuid, p_livemode boolean) returns void
language plpgsql set search_path = '' as $$
declare
  v_second record;
begin
  for v_second in
    select x.id, x.stripe_subscription_id, x.first_id from (
      select s.id, s.stripe_subscription_id, row_number() over one_group as place, first_value(s.id) over one_group as first_id
      from public.subscriptions s join public.plans p on p.id = s.plan_id
      where s.customer_id = p_customer and s.livemode = p_livemode
        and s.status in ('active', 'trialing', 'past_due', 'unpaid', 'paused')
      window one_group as (partition by p.product_group order by s.began_at, s.stripe_subscription_id)) x
    where x.place > 1 and not exists (
      select from private.subscription_cancellations c where c.subscription_id = x.id and c.kept_at is null)
  loop
    insert into private.subscription_cancellations as c (subscription_id, reason) values (v_second.id, 'second_of_group')
    on conflict (subscription_id) do update set kept_at = null, decided_at = now(), tried_at = null;
    perform private.audit('system', null, 'subscription.refused', 'subscription', v_second.id::text, 'app',
      jsonb_build_object('reason', 'second_of_group', 'kept_id', v_second.first_id));
    perform private.alert('second_subscription', 'subscription', v_second.stripe_subscription_id,
      jsonb_build_object('subscription_id', v_second.id, 'kept_id', v_second.first_id));
  end loop;
end
$$;

create or replace function service.cancellations_to_carry_out(p_livemode boolean, p_limit integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_claimed jsonb;
begin
  with due as (
    select c.subscription_id from private.subscription_cancellations c join public.subscriptions s on s.id = c.subscription_id
    where c.done_at is null and c.kept_at is null and s.livemode = p_livemode and (c.tried_at is null or c.tried_at < now() - interval '10 seconds')
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

create or replace function service.keep_second_subscription(p_subscription_id uuid) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  v_second public.subscriptions;
begin
  select s.* into v_second from public.subscriptions s where s.id = p_subscription_id for update;
  if v_second.status in ('canceled', 'incomplete_expired') or exists (select from private.older_of_group(v_second)) then
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

create or replace function service.refund_cancelled_subscription(p_subscription_id uuid) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  v_payment public.payments;
  v_left bigint;
  v_missing boolean;
begin
  if not exists (
      select from private.subscription_cancellations c
      where c.subscription_id = p_subscription_id and c.done_at is null and c.kept_at is null)
    or not exists (select from public.subscriptions s where s.id = p_subscription_id and s.status in ('canceled', 'incomplete_expired')) then
    return false;
  end if;
  for v_payment in
    select p.* from public.payments p join public.invoices i on i.livemode = p.livemode and i.stripe_payment_intent_id = p.stripe_payment_intent_id
    where i.subscription_id = p_subscription_id and p.status = 'succeeded' order by p.id for update of p
  loop
    v_left := private.refundable_minor(v_payment.id);
    if v_left > 0 then
      perform private.reserve_refund(v_payment, v_left, 'duplicate', '', null);
    end if;
  end loop;
  select exists (
    select from public.invoices i where i.subscription_id = p_subscription_id and i.status = 'paid' and i.amount_paid_minor > 0
      and not exists (select from public.payments p where p.livemode = i.livemode
        and p.stripe_payment_intent_id = i.stripe_payment_intent_id and p.status = 'succeeded')
  ) into v_missing;
  if not v_missing then
    update private.subscription_cancellations set done_at = now() where subscription_id = p_subscription_id;
  end if;
  return not v_missing;
end
$$;
