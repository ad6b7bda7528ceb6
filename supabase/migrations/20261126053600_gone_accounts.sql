-- Whether an account is there still. A token of somebody who is gone is good until it runs out, and pages show what stands in it:
-- an address. So they ask.

-- Definer, owned by the migrating role: payments_owner is not to read auth.users, and this tells it yes or no.
create function private.has_account(p_user_id uuid) returns boolean
language plpgsql stable security definer set search_path = '' as $$
begin
  return exists (select from auth.users u where u.id = p_user_id and u.deleted_at is null);
end
$$;

create function service.has_account(p_actor uuid) returns boolean
language plpgsql stable security definer set search_path = '' as $$
begin
  return private.has_account(p_actor);
end
$$;

grant create on schema service to payments_owner;
alter function service.has_account(uuid) owner to payments_owner;
revoke create on schema service from payments_owner;
revoke all on function private.has_account(uuid), service.has_account(uuid) from public, anon, authenticated, service_role;
grant execute on function private.has_account(uuid) to payments_owner;
grant execute on function service.has_account(uuid) to payments_service;
