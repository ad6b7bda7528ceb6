-- Payment requests: staff, or another system, place an order for somebody who may have no account yet. Such an order is nobody's
-- until whoever has confirmed that e-mail address takes it; for everybody else it does not exist.

alter table public.orders alter column customer_id drop not null;
alter table public.orders add constraint orders_unclaimed_are_requests
  check (customer_id is not null or created_by in ('staff', 'api') and status <> 'paid');

create table private.payment_requests (
  order_id uuid primary key references public.orders (id) on delete restrict,
  livemode boolean not null,
  email text constraint payment_requests_email_normal check (email = lower(btrim(email)) and char_length(email) between 3 and 254),
  -- Null when another system asked; its key is in private.api_orders.
  requested_by uuid,
  key text constraint payment_requests_key_length check (char_length(key) between 1 and 255),
  input_hash text,
  created_at timestamptz not null default now(),
  claimed_at timestamptz,
  constraint payment_requests_one_per_key unique (requested_by, key)
);
comment on column private.payment_requests.email is
  'Personal. The one place where the address of somebody without an account is kept: until they take the order, or it ends.';
create index payment_requests_by_email on private.payment_requests (email) where email is not null;
create index payment_requests_by_age on private.payment_requests (livemode, created_at desc, order_id desc);

alter table private.payment_requests enable row level security;
revoke all on private.payment_requests from public, anon, authenticated, service_role;
create policy payment_requests_functions on private.payment_requests to payments_owner using (true) with check (true);
grant select, insert, update on private.payment_requests to payments_owner;

insert into private.personal_data (table_name, rows_of, exported, withheld, erased, removed, why) values
  ('private.payment_requests', $of$t.order_id in (select o.id from public.orders o where o.customer_id = $1) or t.email = (
      select lower(u.email) from auth.users u where u.id = $2 and u.email_confirmed_at is not null)$of$, true,
    '{requested_by,key,input_hash}', '{"email": "null", "key": "null", "input_hash": "null"}', false,
    'that a payment was asked for belongs to the books; who of the staff asked is not theirs to know');

-- The address a person signs in with, once they have confirmed it. Definer, as private.user_of_email is, and for its reason.
create function private.confirmed_email(p_user_id uuid) returns text
language sql stable security definer set search_path = '' as $$
  select lower(u.email) from auth.users u
  where u.id = p_user_id and u.email_confirmed_at is not null and u.deleted_at is null
$$;

-- Nothing is owed any more: nobody's address is needed for it.
create function private.forget_requested_email() returns trigger
language plpgsql set search_path = '' as $$
begin
  update private.payment_requests r set email = null where r.order_id = new.id and r.email is not null;
  return null;
end
$$;
create trigger orders_forget_requested_email after update of status on public.orders for each row
  when (new.status <> old.status) execute function private.forget_requested_email();

-- Somebody goes: what still waits for their address ends with them. Before their sign-in does, by which the address is known.
create function private.end_requests_of_erased() returns trigger
language plpgsql set search_path = '' as $$
begin
  perform private.begin_closing(o.id, 'canceled', null)
  from private.payment_requests r join public.orders o on o.id = r.order_id
  where r.email = private.confirmed_email(new.user_id) and o.status = 'open' and o.closing is null;
  return null;
end
$$;
create trigger erasures_end_requests after insert on private.erasures for each row execute function private.end_requests_of_erased();
create trigger orders_refuse_claim_of_erased before update of customer_id on public.orders for each row
  when (new.customer_id is distinct from old.customer_id) execute function private.refuse_erased();

-- Who is to pay: one of our customers, or whoever confirms this address one day. Raises PW020 no such customer.
create function private.payer(p_customer_id uuid, p_email text, out customer_id uuid, out email text)
language plpgsql set search_path = '' as $$
declare
  v_user uuid;
begin
  if p_customer_id is not null then
    -- Somebody who is gone can pay nothing any more.
    select c.id into customer_id from public.customers c where c.id = p_customer_id and c.user_id is not null;
  else
    v_user := private.user_of_email(p_email);
    if v_user is not null then
      customer_id := private.customer_of(v_user);
    else
      email := lower(btrim(p_email));
    end if;
  end if;
  if customer_id is null and email is null then
    raise exception 'no such customer' using errcode = 'PW020';
  end if;
end
$$;

-- Prices come from the catalogue. Raises PW021 no such product; PW022 products of several currencies; 22003 more than one order
-- may come to; 22023 lines that make no sense.
create function private.place_order(
  p_livemode boolean, p_customer_id uuid, p_lines jsonb, p_created_by text, p_expires_at timestamptz
) returns public.orders
language plpgsql set search_path = '' as $$
declare
  v_order public.orders;
  v_lines record;
begin
  select count(*) as lines, count(p.id) as known, count(distinct p.currency) as currencies, min(p.currency) as currency,
    sum(p.amount_minor * l.quantity) as total, bool_and(coalesce(l.quantity between 1 and 99, false)) as in_range
  into v_lines
  from jsonb_to_recordset(p_lines) as l ("productId" uuid, quantity integer)
  left join public.products p on p.id = l."productId" and p.active;
  if v_lines.lines not between 1 and 50 or not v_lines.in_range then
    raise exception 'quantity out of range' using errcode = 'invalid_parameter_value';
  elsif v_lines.known < v_lines.lines then
    raise exception 'no such product' using errcode = 'PW021';
  elsif v_lines.currencies > 1 then
    raise exception 'several currencies' using errcode = 'PW022';
  elsif v_lines.total > 99999999 then
    raise exception 'more than one order may come to' using errcode = 'numeric_value_out_of_range';
  end if;

  insert into public.orders (customer_id, reference, livemode, total_minor, currency, created_by, expires_at)
  values (p_customer_id, private.new_order_reference(), p_livemode, v_lines.total, v_lines.currency, p_created_by, p_expires_at)
  returning * into v_order;
  insert into public.order_lines (order_id, position, product_id, name, quantity, unit_amount_minor, amount_minor)
  select v_order.id, l.position, p.id, p.name, (l.line ->> 'quantity')::integer, p.amount_minor,
    p.amount_minor * (l.line ->> 'quantity')::integer
  from jsonb_array_elements(p_lines) with ordinality as l (line, position)
  join public.products p on p.id = (l.line ->> 'productId')::uuid;
  return v_order;
end
$$;

create function private.order_lines_json(p_order_id uuid) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_agg(jsonb_build_object('productId', l.product_id, 'name', l.name, 'quantity', l.quantity,
    'unitAmountMinor', l.unit_amount_minor, 'amountMinor', l.amount_minor) order by l.position)
  from public.order_lines l where l.order_id = p_order_id
$$;

-- A request goes to an address as well: our customer's, or the one in private.payment_requests.
create or replace function private.queue_mail(
  p_livemode boolean, p_kind text, p_key text, p_customer_id uuid, p_facts jsonb, p_due_at timestamptz default now()
) returns void
language sql set search_path = '' as $$
  insert into private.outbox (livemode, kind, key, customer_id, facts, due_at)
  select p_livemode, p_kind, p_key, p_customer_id, p_facts, p_due_at where p_customer_id is not null or p_kind = 'payment_request'
  on conflict (livemode, kind, key) do nothing
$$;

create function private.mail_address(p_mail private.outbox) returns text
language sql stable set search_path = '' as $$
  select case when p_mail.customer_id is not null then private.address_of(p_mail.customer_id) else (
    select r.email from private.payment_requests r
    where p_mail.kind = 'payment_request' and r.order_id = private.uuid_or_null(p_mail.facts ->> 'orderId')) end
$$;

-- Whether a mail says what is no longer so.
create or replace function private.is_mail_moot(p_mail private.outbox) returns boolean
language sql stable set search_path = '' as $$
  select case p_mail.kind
    when 'failed_payment' then exists (
      select from public.payments p where p.id = private.uuid_or_null(p_mail.facts ->> 'paymentId')
        and p.status in ('processing', 'requires_capture', 'succeeded', 'canceled'))
    when 'payment_request' then not exists (
      select from public.orders o where o.id = private.uuid_or_null(p_mail.facts ->> 'orderId')
        and o.status = 'open' and o.closing is null and o.expires_at > now())
    else false end
$$;

-- Claim the next mail that is due: {id, kind, facts, to, attempt}, or null. It is nobody else's for a minute, which is longer than
-- any attempt to send it takes; after a crash it is claimed again then. Raises 55000 when the lease is lost.
create or replace function service.claim_mail(p_livemode boolean, p_fencing bigint) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_mail private.outbox;
  v_to text;
  v_reason text;
begin
  perform private.require_lease(private.outbox_lease(p_livemode), p_fencing);
  loop
    -- One at a time: rows that are merely looked at must not be locked for others.
    select o.* into v_mail from private.outbox o
    where o.livemode = p_livemode and o.status in ('waiting', 'sending') and o.due_at <= now()
    order by o.due_at limit 1
    for update skip locked;
    if not found then
      return null;
    end if;
    v_to := private.mail_address(v_mail);
    v_reason := case when v_to is null then 'no_address' when private.is_mail_moot(v_mail) then 'moot' end;
    if v_reason is null then
      update private.outbox o set status = 'sending', attempts = o.attempts + 1, due_at = now() + interval '1 minute'
      where o.id = v_mail.id returning * into v_mail;
      return jsonb_build_object('id', v_mail.id, 'kind', v_mail.kind, 'facts', v_mail.facts, 'to', v_to, 'attempt', v_mail.attempts);
    end if;
    update private.outbox o set status = 'dropped', last_error = v_reason, finished_at = now() where o.id = v_mail.id;
  end loop;
end
$$;

create function private.owe_request_mail(p_order public.orders) returns void
language sql set search_path = '' as $$
  select private.queue_mail(p_order.livemode, 'payment_request', p_order.id::text, p_order.customer_id, jsonb_build_object(
    'orderId', p_order.id, 'reference', p_order.reference, 'expiresAt', p_order.expires_at))
$$;

create function private.payment_request_json(p_order_id uuid) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object('id', o.id, 'reference', o.reference, 'status', o.status, 'customerId', o.customer_id, 'email', r.email,
    'totalMinor', o.total_minor, 'currency', o.currency, 'createdAt', o.created_at, 'expiresAt', o.expires_at, 'claimedAt', r.claimed_at,
    'paidAt', o.paid_at, 'lines', private.order_lines_json(o.id))
  from public.orders o join private.payment_requests r on r.order_id = o.id where o.id = p_order_id
$$;

-- A member of staff asks somebody to pay: a customer by our id, or an address. They get a mail. The same key gets the same request.
-- Raises 42501 not staff with that right; 23505 key used with other input; 22023 no reason; PW020 no such customer; and what
-- private.place_order does.
create function service.create_payment_request(
  p_actor uuid, p_livemode boolean, p_customer_id uuid, p_email text, p_lines jsonb, p_days integer, p_reason text,
  p_key text, p_input_hash text
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_reason text := private.reason(p_reason);
  v_known private.payment_requests;
  v_payer record;
  v_order public.orders;
begin
  perform private.require_staff(p_actor, 'support', 'admin');
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('request of ' || p_actor || ' ' || p_key, 0));
  select r.* into v_known from private.payment_requests r where r.requested_by = p_actor and r.key = p_key;
  if found then
    if v_known.input_hash <> p_input_hash then
      raise exception 'key used with other input' using errcode = 'unique_violation';
    end if;
    return private.payment_request_json(v_known.order_id);
  end if;
  select * into v_payer from private.payer(p_customer_id, p_email);
  v_order := private.place_order(p_livemode, v_payer.customer_id, p_lines, 'staff', now() + make_interval(days => p_days));
  insert into private.payment_requests (order_id, livemode, email, requested_by, key, input_hash)
  values (v_order.id, p_livemode, v_payer.email, p_actor, p_key, p_input_hash);
  perform private.owe_request_mail(v_order);
  perform private.audit('staff', p_actor, 'order.created', 'order', v_order.id::text, 'app',
    jsonb_build_object('total_minor', v_order.total_minor, 'currency', v_order.currency, 'reason', v_reason));
  return private.payment_request_json(v_order.id);
end
$$;

-- Requests, newest first, those older than p_before only. Reading them is noted.
create function service.payment_requests(p_actor uuid, p_livemode boolean, p_before uuid, p_limit integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
begin
  perform private.require_staff(p_actor, 'support', 'admin', 'auditor');
  perform private.audit('staff', p_actor, 'payment_requests.read', 'order', '*', 'app');
  return (
    select coalesce(jsonb_agg(private.payment_request_json(page.order_id) order by page.created_at desc, page.order_id desc), '[]')
    from (
      select r.order_id, r.created_at from private.payment_requests r
      where r.livemode = p_livemode and (p_before is null or (r.created_at, r.order_id) < (
        select b.created_at, b.order_id from private.payment_requests b where b.order_id = p_before))
      order by r.created_at desc, r.order_id desc limit p_limit
    ) page);
end
$$;

-- Staff take a request back. Answers as service.cancel_order does. Raises 42501 not staff with that right; P0002 no such request;
-- 22023 no reason; 55000 when it is paid, has expired, or money has come for it.
create function service.cancel_payment_request(p_actor uuid, p_livemode boolean, p_order_id uuid, p_reason text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_reason text := private.reason(p_reason);
  v_order public.orders;
begin
  perform private.require_staff(p_actor, 'support', 'admin');
  select o.* into v_order from public.orders o join private.payment_requests r on r.order_id = o.id
  where o.id = p_order_id and o.livemode = p_livemode for update of o;
  if not found then
    raise exception 'no such request' using errcode = 'no_data_found';
  end if;
  if v_order.status in ('paid', 'expired') or v_order.status = 'open' and exists (
    select from public.payments p where p.order_id = v_order.id and p.status = 'succeeded')
  then
    raise exception 'order is settled' using errcode = 'object_not_in_prerequisite_state';
  end if;
  if v_order.status = 'open' and v_order.closing is null then
    perform private.audit('staff', p_actor, 'payment_request.canceled', 'order', v_order.id::text, 'app',
      jsonb_build_object('reason', v_reason));
    perform private.begin_closing(v_order.id, 'canceled', null);
  end if;
  return jsonb_build_object(
    'status', (select o.status from public.orders o where o.id = v_order.id),
    'intentIds', (select coalesce(jsonb_agg(p.stripe_payment_intent_id), '[]') from public.payments p
      where p.order_id = v_order.id and p.origin = 'app' and p.status not in ('succeeded', 'canceled')
        and p.stripe_payment_intent_id is not null));
end
$$;

-- Whether an order waits for this person: nobody has taken it, it can still be paid, and the address is theirs.
create function private.is_requested_of(p_actor uuid, p_livemode boolean, p_order public.orders) returns boolean
language sql stable set search_path = '' as $$
  select p_order.livemode = p_livemode and p_order.customer_id is null and p_order.status = 'open' and p_order.closing is null
    and p_order.expires_at > now()
    and exists (select from private.payment_requests r where r.order_id = p_order.id and r.email = private.confirmed_email(p_actor))
$$;

-- An order that waits for this person, to be looked at; null when there is none. Changes nothing.
create function service.requested_order(p_actor uuid, p_livemode boolean, p_order_id uuid) returns jsonb
language sql stable security definer set search_path = '' as $$
  select jsonb_build_object('id', o.id, 'reference', o.reference, 'status', o.status, 'totalMinor', o.total_minor,
    'currency', o.currency, 'createdAt', o.created_at, 'lines', private.order_lines_json(o.id))
  from public.orders o where o.id = p_order_id and private.is_requested_of(p_actor, p_livemode, o)
$$;

-- Take an order that waits for one. From then on it is like any other of theirs, and the address is forgotten. Repeating it changes
-- nothing. Raises P0002 no order that waits for this person, or is theirs.
create function service.claim_order(p_actor uuid, p_livemode boolean, p_order_id uuid) returns void
language plpgsql security definer set search_path = '' as $$
declare
  v_order public.orders;
begin
  select o.* into v_order from public.orders o where o.id = p_order_id and o.livemode = p_livemode for update;
  if private.is_requested_of(p_actor, p_livemode, v_order) then
    update public.orders o set customer_id = private.customer_of(p_actor) where o.id = p_order_id;
    update private.payment_requests r set email = null, claimed_at = now() where r.order_id = p_order_id;
    perform private.audit('customer', p_actor, 'order.claimed', 'order', p_order_id::text, 'app');
  elsif not exists (select from public.customers c where c.id = v_order.customer_id and c.user_id = p_actor) then
    raise exception 'no such order' using errcode = 'no_data_found';
  end if;
end
$$;

create or replace function private.api_order_json(p_order_id uuid) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object('id', o.id, 'reference', o.reference, 'externalReference', a.external_reference, 'customerId', o.customer_id,
    'status', o.status, 'totalMinor', o.total_minor, 'currency', o.currency, 'createdAt', o.created_at, 'expiresAt', o.expires_at,
    'paidAt', o.paid_at, 'lines', private.order_lines_json(o.id))
  from public.orders o join private.api_orders a on a.order_id = o.id where o.id = p_order_id
$$;

-- Another system places an order: for one of our customers, named by our id or by the address they sign in with, or for an address
-- whose owner takes it once they have confirmed it. An order for an address ends after p_days; p_notify has us send the link. The
-- same key of the same system gets the same order.
-- Raises 42501 a key without the right; 23505 key used with other input; PW020 no such customer; and what private.place_order does.
drop function service.create_api_order(uuid, boolean, uuid, text, jsonb, text, text, text);
create function service.create_api_order(
  p_api_key_id uuid, p_livemode boolean, p_customer_id uuid, p_email text, p_lines jsonb, p_reference text, p_days integer,
  p_notify boolean, p_key text, p_input_hash text
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_key private.api_keys := private.require_api_key(p_api_key_id, p_livemode, 'orders:create');
  v_known private.api_orders;
  v_payer record;
  v_order public.orders;
begin
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('order of ' || v_key.name || ' ' || p_key, 0));
  select a.* into v_known from private.api_orders a where a.livemode = p_livemode and a.name = v_key.name and a.key = p_key;
  if found then
    if v_known.input_hash <> p_input_hash then
      raise exception 'key used with other input' using errcode = 'unique_violation';
    end if;
    return private.api_order_json(v_known.order_id);
  end if;

  select * into v_payer from private.payer(p_customer_id, p_email);
  v_order := private.place_order(p_livemode, v_payer.customer_id, p_lines, 'api', now() + make_interval(days => p_days));
  insert into private.api_orders (order_id, livemode, name, key, input_hash, api_key_id, external_reference)
  values (v_order.id, p_livemode, v_key.name, p_key, p_input_hash, v_key.id, p_reference);
  if v_payer.email is not null or p_notify then
    insert into private.payment_requests (order_id, livemode, email) values (v_order.id, p_livemode, v_payer.email);
  end if;
  if p_notify then
    perform private.owe_request_mail(v_order);
  end if;
  perform private.audit('api', v_key.id, 'order.created', 'order', v_order.id::text, 'api',
    jsonb_build_object('total_minor', v_order.total_minor, 'currency', v_order.currency));
  return private.api_order_json(v_order.id);
end
$$;

grant create on schema private, service to payments_owner;
do $$
declare
  f record;
begin
  for f in
    select p.oid::regprocedure as signature, n.nspname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'private' and p.proname in ('confirmed_email', 'forget_requested_email', 'end_requests_of_erased', 'payer', 'place_order',
        'order_lines_json', 'mail_address', 'owe_request_mail', 'payment_request_json', 'is_requested_of')
      or n.nspname = 'service' and p.proname in ('create_payment_request', 'payment_requests', 'cancel_payment_request',
        'requested_order', 'claim_order', 'create_api_order')
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
