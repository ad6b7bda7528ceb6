-- Money that goes back: refunds we ask for (reserved before Stripe is asked, so that their sum never exceeds what is left),
-- refunds as Stripe has them, disputes, and early warnings of fraud.

alter table public.payments add column amount_refunded_minor bigint not null default 0;
grant select (amount_refunded_minor) on public.payments to authenticated;

-- What we mean to give back. `reserved` counts against what is left until Stripe has answered.
create table private.refund_requests (
  id uuid primary key default gen_random_uuid(),
  payment_id uuid not null references public.payments (id) on delete restrict,
  amount_minor bigint not null constraint refund_requests_amount_positive check (amount_minor > 0),
  reason text not null constraint refund_requests_reason_known
    check (reason in ('duplicate', 'fraudulent', 'requested_by_customer')),
  note text not null default '' constraint refund_requests_note_length check (char_length(note) <= 500),
  -- Null when the system asked: a second payment of one order goes back by itself.
  requested_by uuid,
  status text not null default 'reserved'
    constraint refund_requests_status_known check (status in ('reserved', 'made', 'refused')),
  stripe_request jsonb not null,
  attempt integer not null default 1,
  attempted_at timestamptz not null default now(),
  checked_at timestamptz not null default now(),
  refused_code text,
  created_at timestamptz not null default now()
);
create index refund_requests_by_payment on private.refund_requests (payment_id);
create index refund_requests_open on private.refund_requests (checked_at) where status = 'reserved';

-- A key of a member of staff leads to one refund request for ever.
create table private.refund_keys (
  requested_by uuid not null,
  key text not null constraint refund_keys_length check (char_length(key) between 1 and 255),
  input_hash text not null,
  request_id uuid not null references private.refund_requests (id) on delete restrict,
  primary key (requested_by, key)
);
create index refund_keys_by_request on private.refund_keys (request_id);

create table public.refunds (
  id uuid primary key default gen_random_uuid(),
  payment_id uuid not null references public.payments (id) on delete restrict,
  request_id uuid unique references private.refund_requests (id) on delete restrict,
  livemode boolean not null,
  stripe_refund_id text not null,
  status text not null,
  amount_minor bigint not null,
  currency char(3) not null,
  version bigint not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  checked_at timestamptz not null default now(),
  constraint refunds_one_row_each unique (livemode, stripe_refund_id)
);
create index refunds_by_payment on public.refunds (payment_id);
create index refunds_unfinished on public.refunds (checked_at) where status in ('pending', 'requires_action');

create table public.disputes (
  id uuid primary key default gen_random_uuid(),
  payment_id uuid not null references public.payments (id) on delete restrict,
  livemode boolean not null,
  stripe_dispute_id text not null,
  status text not null,
  -- For staff: why the bank disputes it, and by when to answer.
  reason text,
  due_by timestamptz,
  amount_minor bigint not null,
  currency char(3) not null,
  version bigint not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  checked_at timestamptz not null default now(),
  constraint disputes_one_row_each unique (livemode, stripe_dispute_id)
);
create index disputes_by_payment on public.disputes (payment_id);
create index disputes_unfinished on public.disputes (checked_at) where status not in ('won', 'lost', 'warning_closed');

create table private.early_fraud_warnings (
  livemode boolean not null,
  stripe_warning_id text not null,
  payment_id uuid references public.payments (id) on delete restrict,
  fraud_type text,
  actionable boolean not null,
  created_at timestamptz not null default now(),
  primary key (livemode, stripe_warning_id)
);
create index early_fraud_warnings_by_payment on private.early_fraud_warnings (payment_id);

alter table private.refund_requests enable row level security;
alter table private.refund_keys enable row level security;
alter table public.refunds enable row level security;
alter table public.disputes enable row level security;
alter table private.early_fraud_warnings enable row level security;

revoke all on public.refunds, public.disputes from public, anon, authenticated, service_role;
revoke all on private.refund_requests, private.refund_keys, private.early_fraud_warnings
  from public, anon, authenticated, service_role;

-- A person sees the refunds of their own payments.
create policy refunds_read_own on public.refunds for select to authenticated
  using (exists (select from public.payments p where p.id = payment_id));

-- A person sees the disputes of their own payments.
create policy disputes_read_own on public.disputes for select to authenticated
  using (exists (select from public.payments p where p.id = payment_id));

create policy refund_requests_functions on private.refund_requests to payments_owner using (true) with check (true);
create policy refund_keys_functions on private.refund_keys to payments_owner using (true) with check (true);
create policy refunds_functions on public.refunds to payments_owner using (true) with check (true);
create policy disputes_functions on public.disputes to payments_owner using (true) with check (true);
create policy early_fraud_warnings_functions on private.early_fraud_warnings to payments_owner using (true) with check (true);

grant select (id, payment_id, status, amount_minor, currency, created_at, updated_at) on public.refunds to authenticated;
grant select (id, payment_id, status, amount_minor, currency, created_at, updated_at) on public.disputes to authenticated;

grant select, insert, update on private.refund_requests, public.refunds, public.disputes, private.early_fraud_warnings to payments_owner;
grant select, insert on private.refund_keys to payments_owner;

-- Where money can be, and why it moves. stripe_clearing: owed to us by Stripe, in the currency the customer paid in.
-- stripe_balance: on our balance at Stripe, in the currency it settles in. exchange: what lies between the two currencies.
alter table private.ledger_transactions drop constraint ledger_transactions_movement_known;
alter table private.ledger_transactions add constraint ledger_transactions_movement_known check (movement in (
  'charge', 'refund', 'refund_reversal', 'dispute_withdrawal', 'dispute_reinstatement', 'settlement'));
alter table private.ledger_entries drop constraint ledger_entries_account_known;
alter table private.ledger_entries add constraint ledger_entries_account_known check (account in (
  'stripe_clearing', 'stripe_balance', 'exchange', 'sales', 'refunds', 'disputes', 'fees', 'dispute_fees'));
