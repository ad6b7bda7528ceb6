-- Staff look at a limit, think, and set it. A version makes sure that what they set is what they looked at: of two who change
-- the same limit at once, the second is told.

alter table private.payment_limits add column version integer not null default 1;

create function private.payment_limit_json(p_limit private.payment_limits) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object('rule', p_limit.rule, 'currency', p_limit.currency, 'value', p_limit.value,
    'windowSeconds', p_limit.window_seconds, 'countries', to_jsonb(p_limit.countries), 'version', p_limit.version,
    'changedAt', p_limit.changed_at, 'changedBy', p_limit.changed_by)
$$;

-- The limits as they are now, for staff. Reading them is noted.
create or replace function service.payment_limits(p_actor uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
begin
  perform private.require_staff(p_actor, 'support', 'admin', 'auditor');
  perform private.audit('staff', p_actor, 'limits.read', 'payment_limit', '*', 'app');
  return (select coalesce(jsonb_agg(private.payment_limit_json(l) order by l.rule, l.currency), '[]')
    from private.payment_limits l);
end
$$;

-- Set one limit; it holds for the next payment that is opened. A null value takes the limit away; a currency without a row
-- gets one, and its version before that is 0. What holds already is not set again. Raises 42501 unless the actor is an admin,
-- 22023 for a limit that makes no sense or without a reason, PW012 when it has another version than p_version.
drop function service.change_payment_limit(uuid, text, text, bigint, integer, jsonb, text);
create function service.change_payment_limit(
  p_actor uuid, p_rule text, p_currency text, p_value bigint, p_window_seconds integer, p_countries jsonb,
  p_version integer, p_reason text
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_reason text := private.reason(p_reason);
  v_countries text[];
  v_old private.payment_limits;
  v_new private.payment_limits;
begin
  perform private.require_staff(p_actor, 'admin');
  -- A row that is not there yet cannot be locked.
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('limit ' || p_rule || ' ' || p_currency, 0));
  select l.* into v_old from private.payment_limits l where l.rule = p_rule and l.currency = p_currency for update;
  if coalesce(v_old.version, 0) is distinct from p_version then
    raise exception 'changed meanwhile' using errcode = 'PW012';
  end if;
  begin
    if p_countries is not null then
      v_countries := array(select distinct upper(c) as code from jsonb_array_elements_text(p_countries) c order by code);
    end if;
    if v_old.rule is not null and (v_old.value, v_old.window_seconds, v_old.countries)
      is not distinct from (p_value, p_window_seconds, v_countries) then
      return private.payment_limit_json(v_old);
    end if;
    insert into private.payment_limits as l (rule, currency, value, window_seconds, countries, changed_by)
    values (p_rule, p_currency, p_value, p_window_seconds, v_countries, p_actor)
    on conflict (rule, currency) do update set value = excluded.value, window_seconds = excluded.window_seconds,
      countries = excluded.countries, changed_by = excluded.changed_by, changed_at = now(), version = l.version + 1
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
  return private.payment_limit_json(v_new);
end
$$;

grant create on schema private, service to payments_owner;
do $$
declare
  f record;
begin
  for f in
    select p.oid::regprocedure as signature, n.nspname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'private' and p.proname in ('payment_limit_json')
      or n.nspname = 'service' and p.proname in ('payment_limits', 'change_payment_limit')
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
