-- Cards that end soon. Stripe has the cards, so it is asked: each customer once a week. What ends by the end of next month owes
-- its owner a mail, once for each card and the month it ends in.

alter table private.stripe_customers add column cards_due_at timestamptz not null default now() + interval '1 day';
create index stripe_customers_cards_due on private.stripe_customers (cards_due_at) where stripe_customer_id is not null;

-- Claim customers whose cards are to be looked at. A claim is good for an hour: after a crash somebody else looks.
create function service.cards_to_check(p_livemode boolean, p_limit integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_claimed jsonb;
begin
  with due as (
    select s.customer_id from private.stripe_customers s
    where s.livemode = p_livemode and s.stripe_customer_id is not null and s.cards_due_at <= now()
      and exists (select from public.customers c where c.id = s.customer_id and c.user_id is not null)
    order by s.cards_due_at limit p_limit for update of s skip locked
  ), claimed as (
    update private.stripe_customers s set cards_due_at = now() + interval '1 hour'
    from due where s.customer_id = due.customer_id and s.livemode = p_livemode returning s.*
  )
  select coalesce(jsonb_agg(jsonb_build_object('customerId', c.customer_id, 'stripeCustomerId', c.stripe_customer_id)), '[]')
  into v_claimed from claimed c;
  return v_claimed;
end
$$;

-- They were looked at. Of each card that ends: {id, brand, last4, expMonth, expYear}.
create function service.cards_checked(p_livemode boolean, p_customer_id uuid, p_ending jsonb) returns void
language plpgsql security definer set search_path = '' as $$
begin
  perform private.queue_mail(p_livemode, 'card_expiring',
    format('%s %s-%s', e ->> 'id', e ->> 'expYear', e ->> 'expMonth'), p_customer_id,
    (e - 'id') || jsonb_build_object('path', '/cards'))
  from jsonb_array_elements(p_ending) e;
  update private.stripe_customers set cards_due_at = now() + interval '7 days'
  where customer_id = p_customer_id and livemode = p_livemode;
end
$$;

-- As function_grants says it for all that existed then.
grant create on schema service to payments_owner;
do $$
declare
  f record;
begin
  for f in
    select p.oid::regprocedure as signature from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'service' and p.proname in ('cards_to_check', 'cards_checked')
  loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', f.signature);
    execute format('alter function %s owner to payments_owner', f.signature);
    execute format('grant execute on function %s to payments_service', f.signature);
  end loop;
end
$$;
revoke create on schema service from payments_owner;
