-- Who may do what, before there is anything to do it to.
--   payments_owner    owns the functions in `service` and nothing else; nobody can sign in as it
--   payments_service  what the app's server signs in as; it may call those functions and nothing else
--   private           events, ledger, audit, staff: no API role can even see it
-- Neither role bypasses row-level security. The password of payments_service is set outside migrations.

do $$
begin
  if not exists (select from pg_roles where rolname = 'payments_owner') then
    create role payments_owner nologin noinherit;
  end if;
  if not exists (select from pg_roles where rolname = 'payments_service') then
    create role payments_service login noinherit connection limit 60;
  end if;
end
$$;

-- Handing a function to payments_owner needs membership; it is the migrating role that does it.
grant payments_owner to postgres;

-- A timeout on a function has no effect: Postgres reads it when the statement starts.
alter role payments_service set statement_timeout = '4s';
alter role payments_service set lock_timeout = '3s';
alter role payments_service set idle_in_transaction_session_timeout = '5s';

create schema private;
create schema service;
revoke all on schema private, service from public;
grant usage on schema private, service, public to payments_owner;
grant usage on schema service to payments_service;

-- Postgres lets everybody execute a new function. Not here.
alter default privileges revoke execute on functions from public;
