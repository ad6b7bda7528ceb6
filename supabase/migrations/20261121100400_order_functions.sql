-- Catalogue and orders: what the server may do for a signed-in person. The acting person's id is an argument,
-- and each function checks that what is asked belongs to them.

-- One row per change of state, in the transaction that makes the change.
create function private.audit(
  p_actor_type text, p_actor uuid, p_action text, p_subject_type text, p_subject_id text, p_source text, p_detail jsonb default '{}'
) returns void
language sql set search_path = '' as $$
  insert into private.audit_log (actor_type, actor_id, action, subject_type, subject_id, source, detail)
  values (p_actor_type, p_actor, p_action, p_subject_type, p_subject_id, p_source, p_detail)
$$;

-- A short name for an order that people can read to each other: no I, L, O or U.
create function private.new_order_reference() returns text
language sql volatile set search_path = '' as $$
  select 'PW-' || string_agg(substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 1 + get_byte(b, i) % 32, 1), '' order by i)
  from (select uuid_send(gen_random_uuid()) as b) r, unnest(array[0, 1, 2, 3, 4, 5, 10, 11, 12, 13]) as i
$$;

-- The customer row of a person, made on first use.
create function private.customer_of(p_actor uuid) returns uuid
language plpgsql set search_path = '' as $$
declare
  v_id uuid;
begin
  select c.id into v_id from public.customers c where c.user_id = p_actor;
  if v_id is null then
    insert into public.customers (user_id) values (p_actor) on conflict (user_id) do nothing returning id into v_id;
    if v_id is null then
      select c.id into v_id from public.customers c where c.user_id = p_actor;
    end if;
  end if;
  return v_id;
end
$$;

create function service.list_products() returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'id', p.id, 'name', p.name, 'description', p.description, 'amountMinor', p.amount_minor, 'currency', p.currency
  ) order by p.position, p.id), '[]')
  from public.products p where p.active
$$;

-- Prices come from the catalogue, never from the caller. Raises P0002 for a product that is not for sale, 22023 for a
-- quantity or total out of range.
create function service.create_order(p_actor uuid, p_livemode boolean, p_product_id uuid, p_quantity integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_product public.products;
  v_order public.orders;
  v_customer uuid;
begin
  select p.* into v_product from public.products p where p.id = p_product_id and p.active;
  if not found then
    raise exception 'no such product' using errcode = 'no_data_found';
  end if;
  if p_quantity is null or p_quantity not between 1 and 99 or v_product.amount_minor * p_quantity > 99999999 then
    raise exception 'quantity out of range' using errcode = 'invalid_parameter_value';
  end if;
  v_customer := private.customer_of(p_actor);
  insert into public.orders (customer_id, reference, livemode, total_minor, currency)
  values (v_customer, private.new_order_reference(), p_livemode, v_product.amount_minor * p_quantity, v_product.currency)
  returning * into v_order;
  insert into public.order_lines (order_id, position, product_id, name, quantity, unit_amount_minor, amount_minor)
  values (v_order.id, 1, v_product.id, v_product.name, p_quantity, v_product.amount_minor, v_product.amount_minor * p_quantity);
  perform private.audit('customer', p_actor, 'order.created', 'order', v_order.id::text, 'app',
    jsonb_build_object('total_minor', v_order.total_minor, 'currency', v_order.currency));
  return jsonb_build_object('id', v_order.id);
end
$$;

-- Which role a person has on our side, or null.
create function service.staff_role(p_actor uuid) returns text
language sql stable security definer set search_path = '' as $$
  select s.role from private.staff s where s.user_id = p_actor
$$;

-- Answers when the database can be reached and the schema is there.
create function service.health() returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (select from public.products) or true
$$;
