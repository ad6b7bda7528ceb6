-- One row per PaymentIntent. `constrain our intentions, record Stripe's facts`: the unique index on open payments binds
-- only those the app opened; what Stripe says has happened always finds a place.

create table public.payments (
  id uuid primary key default gen_random_uuid(),
  customer_id uuid references public.customers (id) on delete restrict,
  order_id uuid references public.orders (id) on delete restrict,
  livemode boolean not null,
  origin text not null constraint payments_origin_known check (origin in ('app', 'stripe')),
  status text not null constraint payments_status_known check (status in (
    'creating', 'unknown', 'requires_payment_method', 'requires_confirmation', 'requires_action',
    'processing', 'requires_capture', 'succeeded', 'canceled')),
  amount_minor bigint not null constraint payments_amount_not_negative check (amount_minor >= 0),
  amount_received_minor bigint not null default 0,
  currency char(3) not null,
  description text not null default '',
  stripe_payment_intent_id text,
  -- The request as it was first sent: a repeat must be the same to the letter, or Stripe refuses the idempotency key.
  stripe_request jsonb,
  attempt integer not null default 1,
  attempted_at timestamptz not null default now(),
  card_brand text,
  card_last4 text,
  card_exp_month smallint,
  card_exp_year smallint,
  card_country text,
  card_fingerprint_hash text,
  -- What the customer may know of the last failure; the full code is for staff.
  failure_hint text,
  last_failure_code text,
  last_decline_code text,
  review_reason text,
  version bigint not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  checked_at timestamptz not null default now(),
  paid_at timestamptz,
  canceled_at timestamptz,
  constraint payments_one_row_per_intent unique (livemode, stripe_payment_intent_id),
  constraint payments_app_has_order check (origin = 'stripe' or (order_id is not null and customer_id is not null))
);
create index payments_by_customer on public.payments (customer_id, created_at desc, id desc);
create index payments_by_order on public.payments (order_id);
create unique index payments_one_open_per_order on public.payments (order_id)
  where origin = 'app' and status not in ('succeeded', 'canceled');
create index payments_unfinished on public.payments (checked_at) where status not in ('succeeded', 'canceled');

alter table public.orders add constraint orders_paid_by_payment_fkey
  foreign key (paid_by_payment_id) references public.payments (id) on delete restrict;

-- A customer's Idempotency-Key leads to one payment for ever; several keys may lead to the same one.
create table private.idempotency_keys (
  customer_id uuid not null references public.customers (id) on delete restrict,
  key text not null constraint idempotency_keys_length check (char_length(key) between 1 and 255),
  input_hash text not null,
  payment_id uuid not null references public.payments (id) on delete restrict,
  created_at timestamptz not null default now(),
  primary key (customer_id, key)
);
create index idempotency_keys_by_payment on private.idempotency_keys (payment_id);

-- Every charge Stripe tried on a payment, the failed ones too.
create table private.payment_attempts (
  livemode boolean not null,
  stripe_charge_id text not null,
  payment_id uuid not null references public.payments (id) on delete restrict,
  outcome text not null constraint payment_attempts_outcome_known check (outcome in ('succeeded', 'failed')),
  failure_code text,
  decline_code text,
  created_at timestamptz not null default now(),
  primary key (livemode, stripe_charge_id)
);
create index payment_attempts_by_payment on private.payment_attempts (payment_id);

alter table public.payments enable row level security;
alter table private.payment_attempts enable row level security;
alter table private.idempotency_keys enable row level security;

revoke all on public.payments from public, anon, authenticated, service_role;
revoke all on private.idempotency_keys, private.payment_attempts from public, anon, authenticated, service_role;

-- A person sees their own payments.
create policy payments_read_own on public.payments for select to authenticated
  using (customer_id = (select c.id from public.customers c where c.user_id = (select auth.uid())));

create policy payments_functions on public.payments to payments_owner using (true) with check (true);
create policy payment_attempts_functions on private.payment_attempts to payments_owner using (true) with check (true);
create policy idempotency_keys_functions on private.idempotency_keys to payments_owner using (true) with check (true);

grant select (id, customer_id, livemode, order_id, status, amount_minor, amount_received_minor, currency, description, card_brand,
  card_last4, failure_hint, created_at, updated_at, paid_at, canceled_at) on public.payments to authenticated;

grant select, insert, update on public.payments to payments_owner;
grant select, insert on private.idempotency_keys, private.payment_attempts to payments_owner;
