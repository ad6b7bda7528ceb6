-- Who works here, and what each role may do. Every function that acts for staff asks private.require_staff itself, by the
-- person's id, in its own transaction: a role that is taken away is gone for the next request, on every server.
--   auditor  reads: the inbox, the limits, the switches, the API keys, who is staff
--   support  reads, gives money back, replays one event
--   admin    all of it, and ranges of events, limits, switches, API keys, roles

-- Null once it was taken away: the row stays, since nothing here is ever deleted.
alter table private.staff alter column role drop not null;
alter table private.staff add column changed_at timestamptz not null default now();
alter table private.staff add column changed_by uuid;

drop policy staff_functions on private.staff;
create policy staff_functions on private.staff to payments_owner using (true) with check (true);
grant insert, update on private.staff to payments_owner;

-- Raises 42501 unless the person has one of these roles now.
create function private.require_staff(p_actor uuid, variadic p_roles text[]) returns void
language plpgsql stable set search_path = '' as $$
begin
  if not exists (select from private.staff s where s.user_id = p_actor and s.role = any (p_roles)) then
    raise exception 'not allowed' using errcode = 'insufficient_privilege';
  end if;
end
$$;

-- Why somebody did what is audited, in their own words. Raises 22023 when there are none.
create function private.reason(p_reason text) returns text
language plpgsql immutable set search_path = '' as $$
begin
  if coalesce(char_length(btrim(p_reason)), 0) not between 5 and 500 then
    raise exception 'a reason is needed' using errcode = 'invalid_parameter_value';
  end if;
  return btrim(p_reason);
end
$$;

-- Who has which role. Reading it is noted.
create function service.list_staff(p_actor uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
begin
  perform private.require_staff(p_actor, 'auditor', 'admin');
  perform private.audit('staff', p_actor, 'staff.read', 'staff', '*', 'app');
  return (select coalesce(jsonb_agg(jsonb_build_object('userId', s.user_id, 'role', s.role, 'since', s.changed_at)
      order by s.role, s.user_id), '[]')
    from private.staff s where s.role is not null);
end
$$;

-- Give a person a role, another one, or none (null). Raises 42501 unless the actor is an admin; P0002 no such person; 22023 no
-- such role, or no reason; 55000 when no admin would be left.
create function service.set_staff_role(p_actor uuid, p_user_id uuid, p_role text, p_reason text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_reason text := private.reason(p_reason);
  v_admins uuid[];
  v_old text;
begin
  -- One change at a time: two admins cannot each take the other's role.
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('staff roles', 0));
  perform private.require_staff(p_actor, 'admin');
  if p_role not in ('support', 'admin', 'auditor') then
    raise exception 'no such role' using errcode = 'invalid_parameter_value';
  end if;
  select array_agg(s.user_id) into v_admins from private.staff s where s.role = 'admin';
  if p_role is distinct from 'admin' and v_admins = array[p_user_id] then
    raise exception 'the last admin' using errcode = 'object_not_in_prerequisite_state';
  end if;

  select s.role into v_old from private.staff s where s.user_id = p_user_id;
  if v_old is distinct from p_role then
    begin
      insert into private.staff as s (user_id, role, changed_by) values (p_user_id, p_role, p_actor)
      on conflict (user_id) do update set role = excluded.role, changed_by = excluded.changed_by, changed_at = now();
    exception when foreign_key_violation then
      raise exception 'no such person' using errcode = 'no_data_found';
    end;
    perform private.audit('staff', p_actor, 'staff.role_changed', 'staff', p_user_id::text, 'app',
      jsonb_build_object('from', v_old, 'to', p_role, 'reason', v_reason));
  end if;
  return jsonb_build_object('userId', p_user_id, 'role', p_role);
end
$$;

-- The limits as they are now, for staff. Reading them is noted.
create or replace function service.payment_limits(p_actor uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
begin
  perform private.require_staff(p_actor, 'support', 'admin', 'auditor');
  perform private.audit('staff', p_actor, 'limits.read', 'payment_limit', '*', 'app');
  return (select jsonb_agg(to_jsonb(l) order by l.rule, l.currency) from private.payment_limits l);
end
$$;

-- Set one limit; it holds for the next payment that is opened. A null value takes the limit away; a currency without a row
-- gets one. Raises 42501 unless the actor is an admin, 22023 for a limit that makes no sense or without a reason.
drop function service.change_payment_limit(uuid, text, text, bigint, integer, jsonb);
create function service.change_payment_limit(
  p_actor uuid, p_rule text, p_currency text, p_value bigint, p_window_seconds integer, p_countries jsonb,
  p_reason text
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_reason text := private.reason(p_reason);
  v_old private.payment_limits;
  v_new private.payment_limits;
begin
  perform private.require_staff(p_actor, 'admin');
  select l.* into v_old from private.payment_limits l where l.rule = p_rule and l.currency = p_currency for update;
  begin
    insert into private.payment_limits as l (rule, currency, value, window_seconds, countries, changed_by)
    values (p_rule, p_currency, p_value, p_window_seconds,
      case when p_countries is not null then array(
        select distinct upper(c) as code from jsonb_array_elements_text(p_countries) c order by code) end, p_actor)
    on conflict (rule, currency) do update set value = excluded.value, window_seconds = excluded.window_seconds,
      countries = excluded.countries, changed_by = excluded.changed_by, changed_at = now()
    returning * into v_new;
  exception
    when check_violation or not_null_violation or invalid_parameter_value then
      raise exception 'no such limit' using errcode = 'invalid_parameter_value';
  end;
  perform private.audit('staff', p_actor, 'limit.changed', 'payment_limit', p_rule || ' ' || p_currency, 'app',
    jsonb_build_object('reason', v_reason,
      'from', case when v_old.rule is not null then jsonb_build_object(
        'value', v_old.value, 'window_seconds', v_old.window_seconds, 'countries', v_old.countries) end,
      'to', jsonb_build_object('value', v_new.value, 'window_seconds', v_new.window_seconds, 'countries', v_new.countries)));
  return to_jsonb(v_new);
end
$$;

grant create on schema private, service to payments_owner;
do $$
declare
  f record;
begin
  for f in
    select p.oid::regprocedure as signature, n.nspname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'private' and p.proname in ('require_staff', 'reason')
      or n.nspname = 'service' and p.proname in ('list_staff', 'set_staff_role', 'payment_limits', 'change_payment_limit')
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
