-- Keys for other systems: they place orders for our customers and read what became of them. A key is 32 random bytes; what is
-- kept is its SHA-256, so neither the database nor its logs or backups can be used to act as that system. It is found by that
-- hash through an index: how long this takes tells nothing about the key itself.

create table private.api_keys (
  id uuid primary key default gen_random_uuid(),
  -- The system that holds it. A second key of the same name reads the same orders, so that keys are replaced without a gap.
  name text not null constraint api_keys_name_shape check (name ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
  livemode boolean not null,
  -- How it begins, for people to tell keys apart.
  prefix text not null,
  key_hash bytea not null constraint api_keys_one_row_each unique constraint api_keys_hash_length check (octet_length(key_hash) = 32),
  scopes text[] not null constraint api_keys_scopes_known
    check (cardinality(scopes) > 0 and scopes <@ array['orders:create', 'orders:read', 'entitlements:read']),
  created_by uuid not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz
);

-- Which system an order came from. Its Idempotency-Key leads to one order for ever.
create table private.api_orders (
  order_id uuid primary key references public.orders (id) on delete restrict,
  livemode boolean not null,
  name text not null,
  key text not null constraint api_orders_key_length check (char_length(key) between 1 and 255),
  input_hash text not null,
  api_key_id uuid not null references private.api_keys (id) on delete restrict,
  -- What the other system calls it.
  external_reference text constraint api_orders_reference_length check (char_length(external_reference) between 1 and 100),
  constraint api_orders_one_per_key unique (livemode, name, key)
);
create index api_orders_by_api_key on private.api_orders (api_key_id);

alter table private.audit_log drop constraint audit_log_actor_known;
alter table private.audit_log add constraint audit_log_actor_known
  check (actor_type in ('customer', 'staff', 'stripe', 'system', 'api'));

alter table private.api_keys enable row level security;
alter table private.api_orders enable row level security;
revoke all on private.api_keys, private.api_orders from public, anon, authenticated, service_role;
create policy api_keys_functions on private.api_keys to payments_owner using (true) with check (true);
create policy api_orders_functions on private.api_orders to payments_owner using (true) with check (true);
grant select, insert, update on private.api_keys to payments_owner;
grant select, insert on private.api_orders to payments_owner;

create function private.api_key_json(k private.api_keys) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object('id', k.id, 'name', k.name, 'prefix', k.prefix, 'livemode', k.livemode, 'scopes', k.scopes,
    'createdBy', k.created_by, 'createdAt', k.created_at, 'expiresAt', k.expires_at,
    'revokedAt', k.revoked_at, 'lastUsedAt', k.last_used_at)
$$;

-- Raises 42501 unless the actor is an admin; 22023 for a name, scope or time that makes no sense, or no reason.
create function service.create_api_key(
  p_actor uuid, p_livemode boolean, p_name text, p_prefix text, p_key_hash text, p_scopes jsonb,
  p_expires_at timestamptz, p_reason text
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_reason text := private.reason(p_reason);
  v_key private.api_keys;
begin
  perform private.require_staff(p_actor, 'admin');
  if p_expires_at <= now() then
    raise exception 'it would have run out already' using errcode = 'invalid_parameter_value';
  end if;
  begin
    insert into private.api_keys (name, livemode, prefix, key_hash, scopes, created_by, expires_at)
    values (p_name, p_livemode, p_prefix, decode(p_key_hash, 'hex'), array(select jsonb_array_elements_text(p_scopes)),
      p_actor, p_expires_at)
    returning * into v_key;
  exception when check_violation or not_null_violation then
    raise exception 'no such key' using errcode = 'invalid_parameter_value';
  end;
  perform private.audit('staff', p_actor, 'api_key.created', 'api_key', v_key.id::text, 'app',
    jsonb_build_object('name', p_name, 'scopes', p_scopes, 'reason', v_reason));
  return private.api_key_json(v_key);
end
$$;

-- All keys, newest first, without their hashes. Reading them is noted.
create function service.list_api_keys(p_actor uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
begin
  perform private.require_staff(p_actor, 'admin', 'auditor');
  perform private.audit('staff', p_actor, 'api_keys.read', 'api_key', '*', 'app');
  return (select coalesce(jsonb_agg(private.api_key_json(k) order by k.created_at desc, k.id), '[]') from private.api_keys k);
end
$$;

-- For ever. Raises 42501 unless the actor is an admin; P0002 no such key; 22023 no reason.
create function service.revoke_api_key(p_actor uuid, p_api_key_id uuid, p_reason text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_reason text := private.reason(p_reason);
  v_key private.api_keys;
begin
  perform private.require_staff(p_actor, 'admin');
  select k.* into v_key from private.api_keys k where k.id = p_api_key_id for update;
  if not found then
    raise exception 'no such key' using errcode = 'no_data_found';
  end if;
  if v_key.revoked_at is null then
    update private.api_keys k set revoked_at = now() where k.id = p_api_key_id returning * into v_key;
    perform private.audit('staff', p_actor, 'api_key.revoked', 'api_key', p_api_key_id::text, 'app',
      jsonb_build_object('reason', v_reason));
  end if;
  return private.api_key_json(v_key);
end
$$;

-- Whose key this is, by its hash. Its last use is noted, once a minute at most.
-- Raises 28000 for a key that is unknown, of the other mode, revoked or run out, all alike; 42501 without the scope.
create function service.use_api_key(p_livemode boolean, p_key_hash text, p_scope text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_key private.api_keys;
begin
  select k.* into v_key from private.api_keys k where k.key_hash = decode(p_key_hash, 'hex');
  if v_key.id is null or v_key.livemode <> p_livemode or v_key.revoked_at is not null or v_key.expires_at <= now() then
    raise exception 'no such key' using errcode = 'invalid_authorization_specification';
  elsif not p_scope = any (v_key.scopes) then
    raise exception 'not allowed' using errcode = 'insufficient_privilege';
  end if;
  update private.api_keys k set last_used_at = now()
  where k.id = v_key.id and (k.last_used_at is null or k.last_used_at < now() - interval '1 minute');
  return jsonb_build_object('id', v_key.id, 'name', v_key.name);
end
$$;

-- Raises 42501 unless the key is good and may do this now.
create function private.require_api_key(p_api_key_id uuid, p_livemode boolean, p_scope text) returns private.api_keys
language plpgsql stable set search_path = '' as $$
declare
  v_key private.api_keys;
begin
  select k.* into v_key from private.api_keys k
  where k.id = p_api_key_id and k.livemode = p_livemode and k.revoked_at is null
    and (k.expires_at is null or k.expires_at > now()) and p_scope = any (k.scopes);
  if not found then
    raise exception 'not allowed' using errcode = 'insufficient_privilege';
  end if;
  return v_key;
end
$$;

-- Who signs in with this address, if they have confirmed it. Definer, owned by the migrating role: payments_owner is not to read
-- auth.users, and this tells it one id.
create function private.user_of_email(p_email text) returns uuid
language sql stable security definer set search_path = '' as $$
  select u.id from auth.users u
  where u.email = lower(btrim(p_email)) and u.email_confirmed_at is not null and u.deleted_at is null
$$;

create function private.api_order_json(p_order_id uuid) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object('id', o.id, 'reference', o.reference, 'externalReference', a.external_reference, 'customerId', o.customer_id,
    'status', o.status, 'totalMinor', o.total_minor, 'currency', o.currency, 'createdAt', o.created_at, 'paidAt', o.paid_at,
    'lines', (select jsonb_agg(jsonb_build_object('productId', l.product_id, 'name', l.name, 'quantity', l.quantity,
        'unitAmountMinor', l.unit_amount_minor, 'amountMinor', l.amount_minor) order by l.position)
      from public.order_lines l where l.order_id = o.id))
  from public.orders o join private.api_orders a on a.order_id = o.id where o.id = p_order_id
$$;

-- Another system places an order for one of our customers, named by our id or by the address they sign in with; prices come from
-- the catalogue. The same key of the same system gets the same order.
-- Raises 42501 a key without the right; 23505 key used with other input; PW020 no such customer; PW021 no such product;
-- PW022 products of several currencies; 22003 more than one order may come to; 22023 lines that make no sense.
create function service.create_api_order(
  p_api_key_id uuid, p_livemode boolean, p_customer_id uuid, p_email text, p_lines jsonb, p_reference text, p_key text, p_input_hash text
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_key private.api_keys := private.require_api_key(p_api_key_id, p_livemode, 'orders:create');
  v_known private.api_orders;
  v_user uuid;
  v_customer uuid;
  v_order public.orders;
  v_lines record;
begin
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('order of ' || v_key.name || ' ' || p_key, 0));
  select a.* into v_known from private.api_orders a where a.livemode = p_livemode and a.name = v_key.name and a.key = p_key;
  if found then
    if v_known.input_hash <> p_input_hash then
      raise exception 'key used with other input' using errcode = 'unique_violation';
    end if;
    return private.api_order_json(v_known.order_id);
  end if;

  if p_customer_id is not null then
    -- Somebody who is gone can pay nothing any more.
    select c.id into v_customer from public.customers c where c.id = p_customer_id and c.user_id is not null;
  else
    v_user := private.user_of_email(p_email);
    if v_user is not null then
      v_customer := private.customer_of(v_user);
    end if;
  end if;
  if v_customer is null then
    raise exception 'no such customer' using errcode = 'PW020';
  end if;

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

  insert into public.orders (customer_id, reference, livemode, total_minor, currency, created_by)
  values (v_customer, private.new_order_reference(), p_livemode, v_lines.total, v_lines.currency, 'api')
  returning * into v_order;
  insert into public.order_lines (order_id, position, product_id, name, quantity, unit_amount_minor, amount_minor)
  select v_order.id, l.position, p.id, p.name, (l.line ->> 'quantity')::integer, p.amount_minor,
    p.amount_minor * (l.line ->> 'quantity')::integer
  from jsonb_array_elements(p_lines) with ordinality as l (line, position)
  join public.products p on p.id = (l.line ->> 'productId')::uuid;
  insert into private.api_orders (order_id, livemode, name, key, input_hash, api_key_id, external_reference)
  values (v_order.id, p_livemode, v_key.name, p_key, p_input_hash, v_key.id, p_reference);
  perform private.audit('api', v_key.id, 'order.created', 'order', v_order.id::text, 'api',
    jsonb_build_object('total_minor', v_order.total_minor, 'currency', v_order.currency));
  return private.api_order_json(v_order.id);
end
$$;

-- An order the key's own system made. Reading it is noted. Raises 42501 a key without the right; P0002 no such order of theirs.
create function service.get_api_order(p_api_key_id uuid, p_livemode boolean, p_order_id uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_key private.api_keys := private.require_api_key(p_api_key_id, p_livemode, 'orders:read');
begin
  if not exists (
    select from private.api_orders a where a.order_id = p_order_id and a.livemode = p_livemode and a.name = v_key.name
  ) then
    raise exception 'no such order' using errcode = 'no_data_found';
  end if;
  perform private.audit('api', v_key.id, 'order.read', 'order', p_order_id::text, 'api');
  return private.api_order_json(p_order_id);
end
$$;

grant create on schema private, service to payments_owner;
do $$
declare
  f record;
begin
  for f in
    select p.oid::regprocedure as signature, n.nspname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'private' and p.proname in ('api_key_json', 'require_api_key', 'user_of_email', 'api_order_json')
      or n.nspname = 'service' and p.proname in ('create_api_key', 'list_api_keys', 'revoke_api_key', 'use_api_key',
        'create_api_order', 'get_api_order')
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
