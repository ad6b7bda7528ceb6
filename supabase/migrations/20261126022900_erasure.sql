-- A person goes. What is owed to the law stays, under the pseudonym; all that says who they were is taken out. In steps that are each
-- safe to repeat, since a long history is more than one transaction:
--   begin    look for what is open, leave the tombstone, remove the sign-in: from this commit on nobody can come in as them
--   rows     take out, batch by batch, what private.personal_data says
--   stripe   have the customer deleted there, in each mode
-- The tombstone keeps them out: whatever Stripe still tells finds the pseudonym, and leaves nothing personal with it.

create table private.erasures (
  customer_id uuid primary key references public.customers (id) on delete restrict,
  -- The sign-in that is gone, until Auth's own log is clean of it.
  user_id uuid,
  begun_at timestamptz not null default now(),
  rows_erased_at timestamptz,
  finished_at timestamptz,
  tried_at timestamptz
);
create index erasures_unfinished on private.erasures (tried_at) where finished_at is null;
alter table private.erasures enable row level security;
revoke all on private.erasures from public, anon, authenticated, service_role;
create policy erasures_functions on private.erasures to payments_owner using (true) with check (true);
grant select, insert, update on private.erasures to payments_owner;
insert into private.personal_data (table_name, rows_of, exported, why) values
  ('private.erasures', 't.customer_id = $1', false, 'the tombstone: a pseudonym and times'),
  ('public.subscriptions', 't.customer_id = $1', true, 'the books'),
  ('public.invoices', 't.customer_id = $1', true, 'the books'),
  ('private.entitlement_versions', 't.customer_id = $1', true, 'a counter'),
  ('private.subscription_checkouts', 't.customer_id = $1', true,
    'ids, and the request as it was sent: ids and addresses of our own pages'),
  ('private.subscription_cancellations', 't.subscription_id in (select s.id from public.subscriptions s where s.customer_id = $1)', true,
    'ids and codes'),
  ('public.plans', null, false, 'a catalogue'),
  ('private.stripe_prices', null, false, 'a catalogue');
update private.personal_data set rows_of = replace(rows_of, $of$union all select s.livemode, s.stripe_customer_id$of$,
  $of$union all select s.livemode, s.stripe_subscription_id from public.subscriptions s where s.customer_id = $1
      union all select i.livemode, i.stripe_invoice_id from public.invoices i where i.customer_id = $1
      union all select k.livemode, k.stripe_session_id from private.subscription_checkouts k where k.customer_id = $1
      union all select k.livemode, k.stripe_setup_intent_id from private.card_setups k where k.customer_id = $1
      union all select s.livemode, s.stripe_customer_id$of$)
where table_name = 'private.webhook_events';

-- When it was deleted at Stripe.
alter table private.stripe_customers add column deleted_at timestamptz;

create function private.is_erased(p_customer_id uuid) returns boolean
language sql stable set search_path = '' as $$
  select exists (select from private.erasures e where e.customer_id = p_customer_id)
$$;

-- Nothing new of ours for somebody who is gone.
create function private.refuse_erased() returns trigger
language plpgsql set search_path = '' as $$
begin
  -- An erasure holds the customer while it looks for what is open: one of the two sees the other.
  perform from public.customers c where c.id = new.customer_id for key share;
  if private.is_erased(new.customer_id) then
    raise exception 'this person is gone' using errcode = 'no_data_found';
  end if;
  return new;
end
$$;
create trigger orders_refuse_erased before insert on public.orders for each row execute function private.refuse_erased();
create trigger payments_refuse_erased before insert on public.payments for each row
  when (new.origin = 'app') execute function private.refuse_erased();

-- Facts always find a place, but bring nothing back of somebody who is gone.
create function private.forget_erased() returns trigger
language plpgsql set search_path = '' as $$
begin
  if private.is_erased(new.customer_id) then
    new := jsonb_populate_record(new, (
      select jsonb_object_agg(c.column_name, null::text) from private.personal_data d, jsonb_object_keys(d.erased) as c (column_name)
      where d.table_name = tg_table_schema || '.' || tg_table_name));
  end if;
  return new;
end
$$;
create trigger payments_forget_erased before insert or update on public.payments for each row execute function private.forget_erased();
create trigger payment_attempts_forget_erased before insert or update on private.payment_attempts for each row
  execute function private.forget_erased();

-- The same for what an event said, as soon as it is dealt with.
create function private.forget_event_of_erased() returns trigger
language plpgsql set search_path = '' as $$
declare
  v_object jsonb := new.payload -> 'object';
begin
  if exists (
    select from public.payments p where p.livemode = new.livemode
      and p.stripe_payment_intent_id in (new.object_id, v_object ->> 'payment_intent') and private.is_erased(p.customer_id)
    union all
    select from private.stripe_customers s where s.livemode = new.livemode
      and s.stripe_customer_id in (new.object_id, v_object ->> 'customer') and private.is_erased(s.customer_id)
  ) then
    new.payload := null;
  end if;
  return new;
end
$$;
create trigger webhook_events_forget_erased before update of status on private.webhook_events for each row
  when (new.status <> 'pending' and new.payload is not null) execute function private.forget_event_of_erased();

-- And nobody is left to get a mail.
create function private.owe_erased_nothing() returns trigger
language plpgsql set search_path = '' as $$
begin
  return case when private.is_erased(new.customer_id) then null else new end;
end
$$;
create trigger outbox_owes_erased_nothing before insert on private.outbox for each row execute function private.owe_erased_nothing();

-- A customer at Stripe that is linked after all, by a request that was under way, has to go as well.
create function private.reopen_erasure() returns trigger
language plpgsql set search_path = '' as $$
begin
  update private.erasures e set finished_at = null where e.customer_id = new.customer_id;
  if found then
    new.deleted_at := null;
  end if;
  return new;
end
$$;
create trigger stripe_customers_of_erased before insert or update of stripe_customer_id on private.stripe_customers for each row
  execute function private.reopen_erasure();

-- What has to come to its end first, in the words of lib/errors.ts.
create function private.erasure_blockers(p_customer_id uuid, p_actor uuid) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(b.reason order by b.place), '[]') from (
    select 1 as place, 'payment_open' as reason where exists (
      select from public.payments p where p.customer_id = p_customer_id and p.status not in ('succeeded', 'canceled'))
    union all
    select 2, 'refund_open' where exists (
      select from private.refund_requests q join public.payments p on p.id = q.payment_id
      where p.customer_id = p_customer_id and q.status = 'reserved')
      or exists (select from public.refunds r join public.payments p on p.id = r.payment_id
      where p.customer_id = p_customer_id and r.status in ('pending', 'requires_action'))
    union all
    select 3, 'dispute_open' where exists (
      select from public.disputes d join public.payments p on p.id = d.payment_id
      where p.customer_id = p_customer_id and d.status not in ('won', 'lost', 'warning_closed'))
    union all
    select 4, 'subscription_live' where exists (
      select from public.subscriptions s where s.customer_id = p_customer_id and s.status not in ('canceled', 'incomplete_expired'))
      or exists (select from private.subscription_checkouts k
      where k.customer_id = p_customer_id and k.status in ('creating', 'open') and k.expires_at > now())
    union all
    select 5, 'still_staff' where exists (select from private.staff s where s.user_id = p_actor and s.role is not null)
  ) b
$$;

create function service.erasure_blockers(p_actor uuid) returns jsonb
language sql stable security definer set search_path = '' as $$
  select private.erasure_blockers((select c.id from public.customers c where c.user_id = p_actor), p_actor)
$$;

-- The sign-in of somebody whose erasure has begun, with all that Auth keeps by it. Definer, owned by the migrating role, and for
-- service.begin_erasure alone.
create function private.delete_auth_user(p_user_id uuid) returns void
language plpgsql security definer set search_path = '' as $$
declare
  v_table record;
begin
  if not exists (select from private.erasures e where e.user_id = p_user_id) then
    raise exception 'not allowed' using errcode = 'insufficient_privilege';
  end if;
  -- Not all of Auth's tables have a foreign key, and each version has others.
  for v_table in
    select format('auth.%I', c.relname) as name, format_type(a.atttypid, a.atttypmod) as type
    from pg_catalog.pg_class c join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = 'user_id' and not a.attisdropped
    where c.relnamespace = 'auth'::regnamespace and c.relkind in ('r', 'p') and has_table_privilege(c.oid, 'delete')
  loop
    execute format('delete from %s where user_id = $1::text::%s', v_table.name, v_table.type) using p_user_id;
  end loop;
  delete from auth.users u where u.id = p_user_id;
end
$$;

-- Begin, unless something is open: {customerId, blockers}. Blockers that are not empty say what, and nothing has happened.
-- Raises P0002 for somebody who is gone.
create function service.begin_erasure(p_actor uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_customer uuid;
  v_blockers jsonb;
begin
  begin
    v_customer := private.customer_of(p_actor);
  exception when foreign_key_violation then
    raise exception 'no such person' using errcode = 'no_data_found';
  end;
  perform from public.customers c where c.id = v_customer and c.user_id = p_actor for update;
  if not found then
    raise exception 'no such person' using errcode = 'no_data_found';
  end if;
  v_blockers := private.erasure_blockers(v_customer, p_actor);
  if v_blockers = '[]' then
    insert into private.erasures (customer_id, user_id) values (v_customer, p_actor);
    perform private.audit('customer', p_actor, 'erasure.begun', 'customer', v_customer::text, 'app');
    perform private.delete_auth_user(p_actor);
  end if;
  return jsonb_build_object('customerId', v_customer, 'blockers', v_blockers);
end
$$;

-- Take out at most p_limit rows' worth of every table, and answer how many that were. Definer, owned by the migrating role: what
-- payments_owner may only add to is changed here, for somebody whose erasure has begun.
create function private.erase_person_rows(p_customer_id uuid, p_user_id uuid, p_limit integer) returns integer
language plpgsql security definer set search_path = '' as $$
declare
  v_data private.personal_data;
  v_set text;
  v_differs text;
  v_rows integer;
  v_count integer := 0;
begin
  if not private.is_erased(p_customer_id) then
    raise exception 'not allowed' using errcode = 'insufficient_privilege';
  end if;
  for v_data in select d.* from private.personal_data d where d.removed or d.erased <> '{}' order by d.table_name loop
    if v_data.removed then
      -- Supabase owns Auth's log, and may take this right away one day.
      continue when not has_table_privilege(v_data.table_name, 'delete');
      execute format('delete from %1$s where ctid in (select t.ctid from %1$s t where %2$s limit $3 for update)',
        v_data.table_name::regclass, v_data.rows_of) using p_customer_id, p_user_id, p_limit;
    else
      select string_agg(format('%I = %s', c.key, c.value), ', '),
        string_agg(format('t.%I is distinct from (%s)', c.key, c.value), ' or ')
      into v_set, v_differs from jsonb_each_text(v_data.erased) c;
      execute format('update %1$s t set %2$s where t.ctid in (select t.ctid from %1$s t where (%3$s) and (%4$s) limit $3 for update)',
        v_data.table_name::regclass, v_set, v_data.rows_of, v_differs) using p_customer_id, p_user_id, p_limit;
    end if;
    get diagnostics v_rows = row_count;
    v_count := v_count + v_rows;
  end loop;
  return v_count;
end
$$;

-- A batch of the rows, and of the orders that nobody will pay any more. Answers whether there may be more.
create function service.erase_rows(p_customer_id uuid, p_limit integer) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  v_erasure private.erasures;
  v_order uuid;
  v_count integer := 0;
begin
  select e.* into strict v_erasure from private.erasures e where e.customer_id = p_customer_id for update;
  if v_erasure.rows_erased_at is not null then
    return false;
  end if;
  for v_order in
    select o.id from public.orders o
    where o.customer_id = p_customer_id and o.status = 'open' and o.closing is null
      and not exists (select from public.payments p where p.order_id = o.id and p.status = 'succeeded')
    order by o.id limit p_limit for update
  loop
    perform private.begin_closing(v_order, 'canceled', null);
    v_count := v_count + 1;
  end loop;
  v_count := v_count + private.erase_person_rows(p_customer_id, v_erasure.user_id, p_limit);
  if v_count = 0 then
    update private.erasures set rows_erased_at = now() where customer_id = p_customer_id;
    perform private.audit('system', null, 'erasure.rows_erased', 'customer', p_customer_id::text, 'erasure');
  end if;
  return v_count > 0;
end
$$;

-- The customer to delete at Stripe in this mode, or null: {stripeCustomerId, attempt}. An id that is null was asked for, and its answer
-- never noted.
create function service.stripe_customer_to_delete(p_customer_id uuid, p_livemode boolean) returns jsonb
language sql stable security definer set search_path = '' as $$
  select jsonb_build_object('stripeCustomerId', s.stripe_customer_id, 'attempt', s.attempt)
  from private.stripe_customers s
  where s.customer_id = p_customer_id and s.livemode = p_livemode and s.deleted_at is null and private.is_erased(p_customer_id)
$$;

create function service.note_stripe_deletion(p_customer_id uuid, p_livemode boolean, p_stripe_customer_id text) returns void
language plpgsql security definer set search_path = '' as $$
begin
  update private.stripe_customers s set deleted_at = now()
  where s.customer_id = p_customer_id and s.livemode = p_livemode and s.stripe_customer_id = p_stripe_customer_id
    and s.deleted_at is null and private.is_erased(p_customer_id);
  if found then
    perform private.audit('system', null, 'erasure.stripe_deleted', 'customer', p_customer_id::text, 'erasure',
      jsonb_build_object('stripe_customer_id', p_stripe_customer_id));
  end if;
end
$$;

-- Done, unless something is left: then false.
create function service.finish_erasure(p_customer_id uuid) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  update private.erasures e set finished_at = now(), user_id = null
  where e.customer_id = p_customer_id and e.finished_at is null and e.rows_erased_at is not null
    and not exists (select from private.stripe_customers s where s.customer_id = p_customer_id and s.deleted_at is null);
  if found then
    perform private.audit('system', null, 'erasure.finished', 'customer', p_customer_id::text, 'erasure');
  end if;
  return exists (select from private.erasures e where e.customer_id = p_customer_id and e.finished_at is not null);
end
$$;

-- Claim erasures that were left half-way: [{customerId}]. What is left of one in the other mode is for servers of that mode.
create function service.erasures_to_continue(p_livemode boolean, p_limit integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_claimed jsonb;
begin
  with due as (
    select e.customer_id from private.erasures e
    where e.finished_at is null and (e.tried_at is null or e.tried_at < now() - interval '10 seconds')
      and (e.rows_erased_at is null or not exists (
        select from private.stripe_customers s
        where s.customer_id = e.customer_id and s.deleted_at is null and s.livemode <> p_livemode)
      or exists (select from private.stripe_customers s
        where s.customer_id = e.customer_id and s.deleted_at is null and s.livemode = p_livemode))
    order by e.tried_at nulls first limit p_limit for update skip locked
  ), claimed as (
    update private.erasures e set tried_at = now() from due where e.customer_id = due.customer_id returning e.customer_id
  )
  select coalesce(jsonb_agg(jsonb_build_object('customerId', c.customer_id)), '[]') into v_claimed from claimed c;
  return v_claimed;
end
$$;

revoke all on function private.is_erased(uuid), private.refuse_erased(), private.forget_erased(), private.forget_event_of_erased(),
  private.owe_erased_nothing(),   private.reopen_erasure(), private.erasure_blockers(uuid, uuid), private.delete_auth_user(uuid),
  private.erase_person_rows(uuid, uuid, integer)
  from public, anon, authenticated, service_role;
grant execute on function private.is_erased(uuid), private.erasure_blockers(uuid, uuid), private.delete_auth_user(uuid),
  private.erase_person_rows(uuid, uuid, integer) to payments_owner;

grant create on schema service to payments_owner;
do $$
declare
  f record;
begin
  for f in
    select p.oid::regprocedure as signature from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'service' and p.proname in ('erasure_blockers', 'begin_erasure', 'erase_rows', 'stripe_customer_to_delete',
      'note_stripe_deletion', 'finish_erasure', 'erasures_to_continue')
  loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', f.signature);
    execute format('alter function %s owner to payments_owner', f.signature);
    execute format('grant execute on function %s to payments_service', f.signature);
  end loop;
end
$$;
revoke create on schema service from payments_owner;
