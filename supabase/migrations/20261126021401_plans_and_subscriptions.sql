-- What is sold by the month, who has it, and what is owed for it. Subscriptions and invoices are Stripe's facts: whatever Stripe
-- says finds a place here. Names and prices of plans are data.

create table public.plans (
  id uuid primary key default gen_random_uuid(),
  -- Of one group a person has one plan at a time.
  product_group text not null constraint plans_group_shape check (product_group ~ '^[a-z][a-z0-9_]{0,39}$'),
  tier text not null constraint plans_tier_known check (tier in ('basic', 'premium', 'exclusive', 'elite')),
  name text not null constraint plans_name_length check (char_length(name) between 1 and 120),
  description text not null default '',
  amount_minor bigint not null constraint plans_amount_range check (amount_minor between 1 and 99999999),
  currency char(3) not null constraint plans_currency_lower_case check (currency ~ '^[a-z]{3}$'),
  interval text not null default 'month' constraint plans_interval_known check (interval in ('month', 'year')),
  active boolean not null default true,
  position integer not null default 0,
  created_at timestamptz not null default now()
);

-- The prices at Stripe that stand for a plan. A new price of a plan gets a new row; who subscribed at the old one keeps the plan.
create table private.stripe_prices (
  livemode boolean not null,
  stripe_price_id text not null,
  stripe_product_id text not null,
  plan_id uuid not null references public.plans (id) on delete restrict,
  amount_minor bigint not null,
  currency char(3) not null,
  interval text not null,
  created_at timestamptz not null default now(),
  primary key (livemode, stripe_price_id)
);
create unique index stripe_prices_one_current on private.stripe_prices (plan_id, livemode, amount_minor, currency, interval);

create table public.subscriptions (
  id uuid primary key default gen_random_uuid(),
  -- Null for a customer of Stripe's whom we do not know.
  customer_id uuid references public.customers (id) on delete restrict,
  plan_id uuid references public.plans (id) on delete restrict,
  livemode boolean not null,
  stripe_subscription_id text not null,
  stripe_price_id text,
  status text not null,
  began_at timestamptz not null,
  current_period_end timestamptz,
  -- When it ends by itself, if the person has cancelled.
  cancel_at timestamptz,
  ended_at timestamptz,
  version bigint not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint subscriptions_one_row_each unique (livemode, stripe_subscription_id)
);
create index subscriptions_by_customer on public.subscriptions (customer_id, began_at);
create index subscriptions_by_plan on public.subscriptions (plan_id);
create index subscriptions_changed on public.subscriptions (updated_at);
create index subscriptions_unfinished on public.subscriptions (livemode) where status not in ('canceled', 'incomplete_expired');

create table public.invoices (
  id uuid primary key default gen_random_uuid(),
  customer_id uuid references public.customers (id) on delete restrict,
  -- Null for an invoice that is for no subscription.
  subscription_id uuid references public.subscriptions (id) on delete restrict,
  livemode boolean not null,
  stripe_invoice_id text not null,
  stripe_payment_intent_id text,
  status text not null,
  billing_reason text,
  amount_due_minor bigint not null,
  amount_paid_minor bigint not null,
  currency char(3) not null,
  -- The bank wants to hear from the person before it pays.
  needs_action boolean not null default false,
  first_failed_at timestamptz,
  -- 24 hours from the first failed payment, set once. What the person has stays theirs until then.
  grace_ends_at timestamptz,
  grace text constraint invoices_grace_known check (grace in ('running', 'cleared', 'ended')),
  version bigint not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint invoices_one_row_each unique (livemode, stripe_invoice_id),
  constraint invoices_grace_has_end check ((grace is null) = (grace_ends_at is null))
);
create index invoices_by_subscription on public.invoices (subscription_id, created_at);
create index invoices_by_customer on public.invoices (customer_id);
create index invoices_by_intent on public.invoices (livemode, stripe_payment_intent_id);
create index invoices_in_grace on public.invoices (grace_ends_at) where grace = 'running';

-- How often what a person may use has changed. A cached answer of an older version is not an answer.
create table private.entitlement_versions (
  customer_id uuid not null references public.customers (id) on delete restrict,
  livemode boolean not null,
  version bigint not null default 1,
  primary key (customer_id, livemode)
);

-- A person on the way to a subscription: one Checkout page at a time for each product group.
create table private.subscription_checkouts (
  id uuid primary key default gen_random_uuid(),
  customer_id uuid not null references public.customers (id) on delete restrict,
  plan_id uuid not null references public.plans (id) on delete restrict,
  product_group text not null,
  livemode boolean not null,
  status text not null default 'creating'
    constraint subscription_checkouts_status_known check (status in ('creating', 'open', 'complete', 'expired')),
  stripe_session_id text,
  -- The request as it was first sent: a repeat must be the same to the letter.
  stripe_request jsonb not null,
  attempt integer not null default 1,
  expires_at timestamptz not null,
  version bigint not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  checked_at timestamptz not null default now(),
  constraint subscription_checkouts_one_row_each unique (livemode, stripe_session_id)
);
create unique index subscription_checkouts_one_open on private.subscription_checkouts (customer_id, livemode, product_group)
  where status in ('creating', 'open');
create index subscription_checkouts_by_plan on private.subscription_checkouts (plan_id);

-- Subscriptions to be cancelled at Stripe and paid back: a second one of a product group.
create table private.subscription_cancellations (
  subscription_id uuid primary key references public.subscriptions (id) on delete restrict,
  reason text not null constraint subscription_cancellations_reason_known check (reason in ('second_of_group')),
  decided_at timestamptz not null default now(),
  tried_at timestamptz,
  attempt integer not null default 0,
  done_at timestamptz
);
create index subscription_cancellations_open on private.subscription_cancellations (tried_at) where done_at is null;

alter table public.plans enable row level security;
alter table public.subscriptions enable row level security;
alter table public.invoices enable row level security;
alter table private.stripe_prices enable row level security;
alter table private.entitlement_versions enable row level security;
alter table private.subscription_checkouts enable row level security;
alter table private.subscription_cancellations enable row level security;

revoke all on public.plans, public.subscriptions, public.invoices from public, anon, authenticated, service_role;
revoke all on private.stripe_prices, private.entitlement_versions, private.subscription_checkouts, private.subscription_cancellations
  from public, anon, authenticated, service_role;

-- A person sees their own subscriptions.
create policy subscriptions_read_own on public.subscriptions for select to authenticated
  using (customer_id = (select c.id from public.customers c where c.user_id = (select auth.uid())));

-- A person sees their own invoices.
create policy invoices_read_own on public.invoices for select to authenticated
  using (customer_id = (select c.id from public.customers c where c.user_id = (select auth.uid())));

create policy plans_functions on public.plans for select to payments_owner using (true);
create policy subscriptions_functions on public.subscriptions to payments_owner using (true) with check (true);
create policy invoices_functions on public.invoices to payments_owner using (true) with check (true);
create policy stripe_prices_functions on private.stripe_prices to payments_owner using (true) with check (true);
create policy entitlement_versions_functions on private.entitlement_versions to payments_owner using (true) with check (true);
create policy subscription_checkouts_functions on private.subscription_checkouts to payments_owner using (true) with check (true);
create policy subscription_cancellations_functions on private.subscription_cancellations to payments_owner using (true) with check (true);

grant select (id, customer_id, plan_id, livemode, status, began_at, current_period_end, cancel_at, ended_at, created_at, updated_at)
  on public.subscriptions to authenticated;
grant select (id, customer_id, subscription_id, livemode, status, amount_due_minor, amount_paid_minor, currency, needs_action, grace,
  grace_ends_at, created_at, updated_at) on public.invoices to authenticated;

grant select on public.plans to payments_owner;
grant select, insert, update on public.subscriptions, public.invoices to payments_owner;
grant select, insert on private.stripe_prices to payments_owner;
grant select, insert, update on private.entitlement_versions, private.subscription_checkouts, private.subscription_cancellations
  to payments_owner;
