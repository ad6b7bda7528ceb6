-- What Stripe told us, where the money went, and who did what. Ledger and audit rows are inserts only, for everybody
-- the app could ever be.

create table private.webhook_events (
  livemode boolean not null,
  event_id text not null,
  type text not null,
  api_version text,
  account text,
  object_id text,
  stripe_created_at timestamptz not null,
  -- Only the fields the app uses, picked before they got here: no names, addresses, mails or secrets.
  payload jsonb,
  payload_hash text not null,
  verified_with text constraint webhook_events_secret_known check (verified_with in ('current', 'previous')),
  source text not null constraint webhook_events_source_known check (source in ('webhook', 'sweep', 'replay')),
  status text not null default 'pending'
    constraint webhook_events_status_known check (status in ('pending', 'processed', 'ignored', 'rejected', 'parked')),
  attempts integer not null default 0,
  last_error text,
  next_attempt_at timestamptz not null default now(),
  received_at timestamptz not null default now(),
  processed_at timestamptz,
  primary key (livemode, event_id)
);
create index webhook_events_due on private.webhook_events (next_attempt_at) where status = 'pending';
create index webhook_events_by_object on private.webhook_events (object_id);

-- One movement of money per (Stripe object, movement): two events for one change still post it once.
create table private.ledger_transactions (
  id uuid primary key default gen_random_uuid(),
  livemode boolean not null,
  stripe_object_id text not null,
  movement text not null constraint ledger_transactions_movement_known check (movement in ('charge')),
  payment_id uuid not null references public.payments (id) on delete restrict,
  created_at timestamptz not null default now(),
  constraint ledger_transactions_post_once unique (livemode, stripe_object_id, movement)
);
create index ledger_transactions_by_payment on private.ledger_transactions (payment_id);

create table private.ledger_entries (
  id bigint generated always as identity primary key,
  transaction_id uuid not null references private.ledger_transactions (id) on delete restrict,
  account text not null constraint ledger_entries_account_known check (account in ('stripe_clearing', 'sales')),
  amount_minor bigint not null,
  currency char(3) not null
);
create index ledger_entries_by_transaction on private.ledger_entries (transaction_id);

create table private.audit_log (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  actor_type text not null constraint audit_log_actor_known check (actor_type in ('customer', 'staff', 'stripe', 'system')),
  actor_id uuid,
  action text not null,
  subject_type text not null,
  subject_id text not null,
  source text not null,
  -- Ids, states and codes only: nothing that names a person.
  detail jsonb not null default '{}'
);
create index audit_log_by_subject on private.audit_log (subject_type, subject_id, id);

-- What a person should look at: a fact that does not fit, an event that cannot be applied.
create table private.alerts (
  id bigint generated always as identity primary key,
  kind text not null,
  subject_type text not null,
  subject_id text not null,
  detail jsonb not null default '{}',
  created_at timestamptz not null default now(),
  constraint alerts_once_per_cause unique (kind, subject_type, subject_id)
);

create function private.refuse_change() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise exception 'rows of % are never changed or removed', tg_table_name using errcode = 'insufficient_privilege';
end
$$;

create trigger audit_log_append_only before update or delete or truncate on private.audit_log
  for each statement execute function private.refuse_change();
create trigger ledger_entries_append_only before update or delete or truncate on private.ledger_entries
  for each statement execute function private.refuse_change();
create trigger ledger_transactions_append_only before update or delete or truncate on private.ledger_transactions
  for each statement execute function private.refuse_change();

-- Double entry: at commit, each transaction adds up to zero in every currency it touches.
-- Definer: a deferred trigger runs as whoever commits, and payments_service may not read the ledger.
create function private.check_ledger_balance() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if exists (
    select from private.ledger_entries e
    where e.transaction_id = new.transaction_id
    group by e.currency having sum(e.amount_minor) <> 0
  ) then
    raise exception 'ledger transaction % does not balance', new.transaction_id using errcode = 'check_violation';
  end if;
  return null;
end
$$;
create constraint trigger ledger_entries_balance after insert on private.ledger_entries
  deferrable initially deferred for each row execute function private.check_ledger_balance();

alter table private.webhook_events enable row level security;
alter table private.ledger_transactions enable row level security;
alter table private.ledger_entries enable row level security;
alter table private.audit_log enable row level security;
alter table private.alerts enable row level security;

revoke all on private.webhook_events, private.ledger_transactions, private.ledger_entries, private.audit_log, private.alerts
  from public, anon, authenticated, service_role;
revoke execute on function private.refuse_change(), private.check_ledger_balance()
  from public, anon, authenticated, service_role;

create policy webhook_events_functions on private.webhook_events to payments_owner using (true) with check (true);
create policy ledger_transactions_functions on private.ledger_transactions to payments_owner using (true) with check (true);
create policy ledger_entries_functions on private.ledger_entries to payments_owner using (true) with check (true);
create policy audit_log_functions on private.audit_log to payments_owner using (true) with check (true);
create policy alerts_functions on private.alerts to payments_owner using (true) with check (true);

grant select, insert, update on private.webhook_events to payments_owner;
grant select, insert on private.ledger_transactions, private.ledger_entries, private.audit_log, private.alerts
  to payments_owner;

grant create on schema private to payments_owner;
alter function private.check_ledger_balance() owner to payments_owner;
revoke create on schema private from payments_owner;
