-- Sessions end here too, not only in the app: half an hour after they were last renewed, twelve hours after they began.
-- Supabase offers this on paid plans only. The app refuses such a session by its signed token (lib/edge/session-lifetime.ts);
-- this makes its refresh token worthless for whoever holds it without the app. Deleting from `auth` is the migrating role's
-- right, so the function stays its own.

create function service.end_old_sessions() returns integer
language plpgsql security definer set search_path = '' as $$
declare
  v_ended integer;
begin
  delete from auth.sessions s
  where s.created_at < now() - interval '12 hours'
    or greatest(s.created_at, s.refreshed_at at time zone 'utc',
      (select max(t.created_at) from auth.refresh_tokens t where t.session_id = s.id)) < now() - interval '30 minutes';
  get diagnostics v_ended = row_count;
  return v_ended;
end
$$;
revoke all on function service.end_old_sessions() from public, anon, authenticated, service_role;
grant execute on function service.end_old_sessions() to payments_service;

-- What Auth calls before it signs a token (auth.hook.custom_access_token in config.toml). People can write into their own
-- user_metadata: in the token it would be sent with every request, grow the cookie, and look like something to rely on.
create function private.access_token_claims(event jsonb) returns jsonb
language sql immutable set search_path = '' as $$
  select jsonb_build_object('claims', (event -> 'claims') - 'user_metadata' - 'app_metadata')
$$;
revoke all on function private.access_token_claims(jsonb) from public, anon, authenticated, service_role;
grant usage on schema private to supabase_auth_admin;
grant execute on function private.access_token_claims(jsonb) to supabase_auth_admin;
