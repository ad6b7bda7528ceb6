-- Saved cards. Stripe keeps the cards, and is asked for them whenever they are shown; what we keep is that a person agreed to
-- it: to which words, and when.

create table private.card_setups (
  id uuid primary key default gen_random_uuid(),
  customer_id uuid not null references public.customers (id) on delete restrict,
  livemode boolean not null,
  -- The person's Idempotency-Key: the same one always leads to the same SetupIntent.
  key text not null constraint card_setups_key_length check (char_length(key) between 1 and 255),
  consent_text text not null constraint card_setups_consent_length check (char_length(consent_text) between 1 and 1000),
  consented_at timestamptz not null default now(),
  stripe_setup_intent_id text,
  constraint card_setups_one_per_key unique (customer_id, key)
);

alter table private.card_setups enable row level security;
revoke all on private.card_setups from public, anon, authenticated, service_role;
create policy card_setups_functions on private.card_setups to payments_owner using (true) with check (true);
grant select, insert, update on private.card_setups to payments_owner;

insert into private.personal_data (table_name, rows_of, exported, withheld, erased, removed, why) values
  ('private.card_setups', 't.customer_id = $1', true, '{}', '{"key": "''erased:'' || t.id"}', false,
    'that somebody agreed, to which words and when, has to be shown for as long as what was charged by it');

-- The person's customer at Stripe, or null while there is none.
create function service.find_stripe_customer(p_actor uuid, p_livemode boolean) returns text
language sql stable security definer set search_path = '' as $$
  select s.stripe_customer_id from private.stripe_customers s join public.customers c on c.id = s.customer_id
  where c.user_id = p_actor and s.livemode = p_livemode
$$;

-- A person agrees that a card is kept. Before Stripe is asked for anything.
create function service.open_card_setup(p_actor uuid, p_livemode boolean, p_key text, p_consent_text text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_customer uuid := private.customer_of(p_actor);
  v_row private.card_setups;
begin
  insert into private.card_setups (customer_id, livemode, key, consent_text)
  values (v_customer, p_livemode, p_key, p_consent_text)
  on conflict (customer_id, key) do nothing returning * into v_row;
  if found then
    perform private.audit('customer', p_actor, 'card.consented', 'card_setup', v_row.id::text, 'app');
  else
    select * into v_row from private.card_setups s where s.customer_id = v_customer and s.key = p_key;
  end if;
  return jsonb_build_object('id', v_row.id, 'setupIntentId', v_row.stripe_setup_intent_id);
end
$$;

create function service.link_card_setup(p_id uuid, p_setup_intent_id text) returns void
language sql security definer set search_path = '' as $$
  update private.card_setups set stripe_setup_intent_id = p_setup_intent_id
  where id = p_id and stripe_setup_intent_id is null
$$;

-- What a person did to a card at Stripe.
create function service.note_card_change(p_actor uuid, p_action text, p_payment_method_id text) returns void
language plpgsql security definer set search_path = '' as $$
begin
  if p_action not in ('card.made_default', 'card.removed') then
    raise exception 'no such change' using errcode = '22023';
  end if;
  perform private.audit('customer', p_actor, p_action, 'payment_method', p_payment_method_id, 'app');
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
    where n.nspname = 'service'
      and p.proname in ('find_stripe_customer', 'open_card_setup', 'link_card_setup', 'note_card_change')
  loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', f.signature);
    execute format('alter function %s owner to payments_owner', f.signature);
    execute format('grant execute on function %s to payments_service', f.signature);
  end loop;
end
$$;
revoke create on schema service from payments_owner;
