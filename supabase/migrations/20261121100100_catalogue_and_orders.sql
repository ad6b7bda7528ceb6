-- What is sold, who buys, and what is owed. Money is whole minor units (bigint) with a lower-case ISO currency,
-- the way Stripe counts it.

create table public.products (
  id uuid primary key default gen_random_uuid(),
  name text not null constraint products_name_length check (char_length(name) between 1 and 120),
  description text not null default '',
  amount_minor bigint not null constraint products_amount_range check (amount_minor between 1 and 99999999),
  currency char(3) not null constraint products_currency_lower_case check (currency ~ '^[a-z]{3}$'),
  -- Stripe takes thousandths in steps of ten only.
  constraint products_thousandths_end_in_zero
    check (currency not in ('bhd', 'jod', 'kwd', 'omr', 'tnd') or amount_minor % 10 = 0),
  active boolean not null default true,
  position integer not null default 0,
  created_at timestamptz not null default now()
);

-- Our pseudonym for a person: it outlives the sign-in, so that financial rows can stay when the person goes.
create table public.customers (
  id uuid primary key default gen_random_uuid(),
  user_id uuid unique references auth.users (id) on delete set null,
  created_at timestamptz not null default now()
);

-- One Stripe customer per person and mode. The row is claimed before Stripe is asked, so two tabs make one.
create table private.stripe_customers (
  customer_id uuid not null references public.customers (id) on delete restrict,
  livemode boolean not null,
  stripe_customer_id text,
  attempt integer not null default 1,
  created_at timestamptz not null default now(),
  primary key (customer_id, livemode),
  constraint stripe_customers_one_owner unique (livemode, stripe_customer_id)
);

create table public.orders (
  id uuid primary key default gen_random_uuid(),
  customer_id uuid not null references public.customers (id) on delete restrict,
  reference text not null constraint orders_reference_unique unique,
  livemode boolean not null,
  status text not null default 'open'
    constraint orders_status_known check (status in ('open', 'paid', 'canceled', 'expired')),
  total_minor bigint not null constraint orders_total_range check (total_minor between 1 and 99999999),
  currency char(3) not null constraint orders_currency_lower_case check (currency ~ '^[a-z]{3}$'),
  created_by text not null default 'customer'
    constraint orders_created_by_known check (created_by in ('customer', 'staff', 'api')),
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  paid_at timestamptz,
  paid_by_payment_id uuid constraint orders_one_paying_payment unique,
  constraint orders_paid_is_complete
    check ((status = 'paid') = (paid_at is not null) and (status = 'paid') = (paid_by_payment_id is not null))
);
create index orders_by_customer on public.orders (customer_id, created_at desc, id desc);

create table public.order_lines (
  order_id uuid not null references public.orders (id) on delete restrict,
  position integer not null,
  product_id uuid references public.products (id) on delete set null,
  name text not null,
  quantity integer not null constraint order_lines_quantity_range check (quantity between 1 and 99),
  unit_amount_minor bigint not null,
  amount_minor bigint not null,
  primary key (order_id, position),
  constraint order_lines_amount_adds_up check (amount_minor = unit_amount_minor * quantity and amount_minor > 0)
);
create index order_lines_by_product on public.order_lines (product_id);

create table private.staff (
  user_id uuid primary key references auth.users (id) on delete cascade,
  role text not null constraint staff_role_known check (role in ('support', 'admin', 'auditor')),
  created_at timestamptz not null default now()
);

alter table public.products enable row level security;
alter table public.customers enable row level security;
alter table public.orders enable row level security;
alter table public.order_lines enable row level security;
alter table private.stripe_customers enable row level security;
alter table private.staff enable row level security;

revoke all on public.products, public.customers, public.orders, public.order_lines
  from public, anon, authenticated, service_role;
revoke all on private.stripe_customers, private.staff from public, anon, authenticated, service_role;

-- A person sees the row that stands for them.
create policy customers_read_own on public.customers for select to authenticated
  using (user_id = (select auth.uid()));

-- A person sees the orders they owe or have paid.
create policy orders_read_own on public.orders for select to authenticated
  using (customer_id = (select c.id from public.customers c where c.user_id = (select auth.uid())));

-- A person sees the lines of their own orders.
create policy order_lines_read_own on public.order_lines for select to authenticated
  using (exists (select from public.orders o where o.id = order_id));

-- The functions in `service` may do what the grants below allow, on any row.
create policy products_functions on public.products for select to payments_owner using (true);
create policy customers_functions on public.customers to payments_owner using (true) with check (true);
create policy orders_functions on public.orders to payments_owner using (true) with check (true);
create policy order_lines_functions on public.order_lines to payments_owner using (true) with check (true);
create policy stripe_customers_functions on private.stripe_customers to payments_owner using (true) with check (true);
create policy staff_functions on private.staff for select to payments_owner using (true);

grant select (id, user_id, created_at) on public.customers to authenticated;
grant select (id, customer_id, livemode, reference, status, total_minor, currency, created_at, expires_at, paid_at, paid_by_payment_id)
  on public.orders to authenticated;
grant select (order_id, position, product_id, name, quantity, unit_amount_minor, amount_minor)
  on public.order_lines to authenticated;

grant select on public.products to payments_owner;
grant select, insert on public.customers to payments_owner;
grant select, insert, update on public.orders to payments_owner;
-- No update: what was owed when the order was placed is what is owed.
grant select, insert on public.order_lines to payments_owner;
grant select, insert, update on private.stripe_customers to payments_owner;
grant select on private.staff to payments_owner;
