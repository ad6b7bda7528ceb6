-- What one payment, one person, one card and one address may do. Rows, so that staff can change them at once; each change
-- leaves an audit row. They are checked where a payment is opened, under the customer's lock, so that no number of requests
-- at once gets past a sum or a count.

create table private.payment_limits (
  rule text not null constraint payment_limits_rule_known check (rule in (
    -- Minor units of one payment, per currency.
    'amount_min', 'amount_max',
    -- Minor units one customer pays in a window, per currency.
    'sum_day', 'sum_month',
    -- Payments opened in a window.
    'attempts_customer', 'attempts_address',
    -- Declines in a window. Those inside one payment count for as long as it lives; the window is how long its customer waits.
    'failures_payment', 'failures_customer', 'failures_card', 'failures_address',
    -- Where cards come from (ISO 3166, two letters), as Stripe says. An empty list is no rule.
    'countries_allowed', 'countries_denied')),
  -- `*` stands for every currency that has no row of its own, and for rules that know no currency.
  currency text not null default '*' constraint payment_limits_currency_shape check (currency ~ '^([a-z]{3}|\*)$'),
  -- Null: no limit.
  value bigint constraint payment_limits_value_not_negative check (value >= 0),
  window_seconds integer constraint payment_limits_window_range check (window_seconds between 1 and 366 * 86400),
  countries text[] constraint payment_limits_countries_shape
    check (array_to_string(countries, ',', '?') ~ '^([A-Z]{2}(,[A-Z]{2})*)?$'),
  changed_at timestamptz not null default now(),
  changed_by uuid,
  primary key (rule, currency),
  constraint payment_limits_currency_of_amounts check (currency = '*' or rule ~ '^(amount|sum)_'),
  constraint payment_limits_counts_from_one check (rule !~ '^(attempts|failures)_' or value >= 1),
  constraint payment_limits_window_where_needed check ((rule ~ '^(sum|attempts|failures)_') = (window_seconds is not null)),
  constraint payment_limits_countries_where_needed check ((rule ~ '^countries_') = (countries is not null)),
  constraint payment_limits_countries_have_no_value check (countries is null or value is null)
);

-- Minimums are Stripe's own (docs.stripe.com/currencies). The rest only stops what runs away: what is sold here, and to
-- whom, is the merchant's to say.
insert into private.payment_limits (rule, currency, value) values
  ('amount_min', '*', 1), ('amount_max', '*', 99999999),
  ('amount_min', 'usd', 50), ('amount_min', 'aud', 50), ('amount_min', 'brl', 50), ('amount_min', 'cad', 50),
  ('amount_min', 'chf', 50), ('amount_min', 'eur', 50), ('amount_min', 'nzd', 50), ('amount_min', 'sgd', 50),
  ('amount_min', 'gbp', 30), ('amount_min', 'dkk', 250), ('amount_min', 'nok', 300), ('amount_min', 'sek', 300),
  ('amount_min', 'hkd', 400), ('amount_min', 'jpy', 50), ('amount_min', 'mxn', 1000);
insert into private.payment_limits (rule, value, window_seconds) values
  ('sum_day', 500000000, 86400),
  ('sum_month', 2000000000, 30 * 86400),
  ('attempts_customer', 60, 3600),
  ('attempts_address', 300, 3600),
  ('failures_payment', 5, 3600),
  ('failures_customer', 5, 3600),
  ('failures_card', 20, 3600),
  ('failures_address', 30, 3600);
insert into private.payment_limits (rule, countries) values ('countries_allowed', '{}'), ('countries_denied', '{}');

-- The network a payment was started from, hashed; null where no proxy is trusted. For counting, and for nobody to read.
alter table public.payments add column address_hash text;
create index payments_by_address on public.payments (address_hash, created_at) where address_hash is not null;

-- What the server is to do at Stripe about a payment, and why: one decision each, the first one stands.
create table private.payment_decisions (
  payment_id uuid primary key references public.payments (id) on delete restrict,
  decision text not null constraint payment_decisions_known check (decision in ('capture', 'cancel')),
  reason text not null constraint payment_decisions_reason_known check (reason in (
    'too_many_failures', 'idle', 'country_allowed', 'country_refused', 'country_unknown')),
  decided_at timestamptz not null default now(),
  tried_at timestamptz,
  done_at timestamptz
);
create index payment_decisions_open on private.payment_decisions (tried_at) where done_at is null;

-- A failed charge as it was then: whose, with which card, from where. A failed authentication makes no charge: it is kept
-- under the id of its event.
alter table private.payment_attempts add column customer_id uuid references public.customers (id) on delete restrict;
alter table private.payment_attempts add column card_fingerprint_hash text;
alter table private.payment_attempts add column address_hash text;
create index payment_attempts_by_customer on private.payment_attempts (customer_id, created_at) where outcome = 'failed';
create index payment_attempts_by_card on private.payment_attempts (card_fingerprint_hash, created_at) where outcome = 'failed';
create index payment_attempts_by_address on private.payment_attempts (address_hash, created_at) where outcome = 'failed';

alter table private.payment_limits enable row level security;
alter table private.payment_decisions enable row level security;
revoke all on private.payment_limits, private.payment_decisions from public, anon, authenticated, service_role;
create policy payment_limits_functions on private.payment_limits to payments_owner using (true) with check (true);
create policy payment_decisions_functions on private.payment_decisions to payments_owner using (true) with check (true);
grant select, insert, update on private.payment_limits, private.payment_decisions to payments_owner;
-- Locking a row takes the right to update it; a column that nothing updates is enough.
grant update (created_at) on public.customers to payments_owner;

create function private.limit_of(p_rule text, p_currency text default '*') returns private.payment_limits
language sql stable set search_path = '' as $$
  select l from private.payment_limits l where l.rule = p_rule and l.currency in (p_currency, '*')
  order by l.currency = '*' limit 1
$$;

-- Seconds until fewer than the limit's number of these moments (newest first) lie in its window; null when that is so now.
create function private.seconds_to_wait(p_limit private.payment_limits, p_times timestamptz[]) returns integer
language sql stable set search_path = '' as $$
  select greatest(1, ceil(extract(epoch from p_times[p_limit.value] - now()) + p_limit.window_seconds))::integer
  where p_times[p_limit.value] > now() - make_interval(secs => p_limit.window_seconds)
$$;

-- The same for a sum in one currency. What is open counts until it is paid or cancelled, since it can be paid at any moment.
-- Zero when no time helps.
create function private.seconds_until_sum_fits(
  p_limit private.payment_limits, p_customer_id uuid, p_livemode boolean, p_amount_minor bigint, p_currency text
) returns integer
language sql stable set search_path = '' as $$
  with counted as (
    select p.id, case p.status when 'succeeded' then p.amount_received_minor else p.amount_minor end as minor,
      coalesce(p.paid_at, p.created_at) + make_interval(secs => p_limit.window_seconds) as free_at
    from public.payments p
    where p.customer_id = p_customer_id and p.livemode = p_livemode and p.currency = p_currency
      and (p.status = 'succeeded' and p.paid_at > now() - make_interval(secs => p_limit.window_seconds)
        or p.origin = 'app' and p.status not in ('succeeded', 'canceled'))
  ), running as (
    select c.free_at, sum(c.minor) over () - sum(c.minor) over (order by c.free_at, c.id) as still_counted from counted c
  )
  select coalesce((
    select greatest(60, ceil(extract(epoch from min(r.free_at) - now())))::integer from running r
    where r.still_counted + p_amount_minor <= p_limit.value), 0)
  where (select coalesce(sum(c.minor), 0) from counted c) + p_amount_minor > p_limit.value
$$;

-- The detail of the error is how many seconds to wait, where waiting helps.
create function private.refuse_to_open(p_code text, p_seconds integer default null) returns void
language plpgsql set search_path = '' as $$
begin
  raise exception 'over a payment limit' using errcode = p_code, detail = coalesce(nullif(p_seconds, 0)::text, '');
end
$$;

-- Seconds until this customer may try again after declines: their own, those of a card they tried, those from their
-- network, or those inside one payment. Null when there is nothing to wait for.
create function private.failure_wait(p_customer_id uuid, p_livemode boolean, p_address_hash text) returns integer
language plpgsql stable set search_path = '' as $$
declare
  v_payment private.payment_limits := private.limit_of('failures_payment');
  v_customer private.payment_limits := private.limit_of('failures_customer');
  v_card private.payment_limits := private.limit_of('failures_card');
  v_address private.payment_limits := private.limit_of('failures_address');
begin
  return greatest(
    private.seconds_to_wait(v_customer, array(
      select a.created_at from private.payment_attempts a
      where a.customer_id = p_customer_id and a.livemode = p_livemode and a.outcome = 'failed'
      order by a.created_at desc limit v_customer.value)),
    private.seconds_to_wait(v_address, array(
      select a.created_at from private.payment_attempts a
      where a.address_hash = p_address_hash and a.livemode = p_livemode and a.outcome = 'failed'
      order by a.created_at desc limit v_address.value)),
    (select max(private.seconds_to_wait(v_card, array(
        select a.created_at from private.payment_attempts a
        where a.card_fingerprint_hash = tried.card and a.livemode = p_livemode and a.outcome = 'failed'
        order by a.created_at desc limit v_card.value)))
      from (select distinct a.card_fingerprint_hash as card from private.payment_attempts a
        where a.customer_id = p_customer_id and a.livemode = p_livemode and a.outcome = 'failed'
          and a.created_at > now() - make_interval(secs => v_card.window_seconds)) as tried),
    (select ceil(extract(epoch from max(d.decided_at) - now()) + v_payment.window_seconds)::integer
      from private.payment_decisions d join public.payments p on p.id = d.payment_id
      where p.customer_id = p_customer_id and p.livemode = p_livemode and d.reason = 'too_many_failures'
        and d.decided_at > now() - make_interval(secs => v_payment.window_seconds)));
end
$$;

-- Raises, before anything is made or Stripe is asked: PW001 too small, PW002 too large, PW003 and PW004 over the sum of a day
-- or a month, PW005 too many payments opened, PW006 too many declines. The caller holds the lock of the order.
create function private.check_limits(
  p_customer_id uuid, p_livemode boolean, p_amount_minor bigint, p_currency text, p_address_hash text
) returns void
language plpgsql set search_path = '' as $$
declare
  v_limit private.payment_limits;
  v_wait integer;
begin
  if p_amount_minor < (private.limit_of('amount_min', p_currency)).value then
    perform private.refuse_to_open('PW001');
  elsif p_amount_minor > (private.limit_of('amount_max', p_currency)).value then
    perform private.refuse_to_open('PW002');
  end if;

  -- From here on, one at a time for each customer, and for each network.
  perform from public.customers c where c.id = p_customer_id for no key update;
  if p_address_hash is not null then
    perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('payments from ' || p_address_hash, 0));
  end if;

  v_wait := private.failure_wait(p_customer_id, p_livemode, p_address_hash);
  if v_wait is not null then
    perform private.refuse_to_open('PW006', v_wait);
  end if;

  v_limit := private.limit_of('attempts_customer');
  v_wait := private.seconds_to_wait(v_limit, array(
    select p.created_at from public.payments p
    where p.customer_id = p_customer_id and p.livemode = p_livemode and p.origin = 'app'
    order by p.created_at desc limit v_limit.value));
  v_limit := private.limit_of('attempts_address');
  v_wait := greatest(v_wait, private.seconds_to_wait(v_limit, array(
    select p.created_at from public.payments p
    where p.address_hash = p_address_hash and p.livemode = p_livemode
    order by p.created_at desc limit v_limit.value)));
  if v_wait is not null then
    perform private.refuse_to_open('PW005', v_wait);
  end if;

  v_wait := private.seconds_until_sum_fits(
    private.limit_of('sum_month', p_currency), p_customer_id, p_livemode, p_amount_minor, p_currency);
  if v_wait is not null then
    perform private.refuse_to_open('PW004', v_wait);
  end if;
  v_wait := private.seconds_until_sum_fits(
    private.limit_of('sum_day', p_currency), p_customer_id, p_livemode, p_amount_minor, p_currency);
  if v_wait is not null then
    perform private.refuse_to_open('PW003', v_wait);
  end if;
end
$$;

create function private.is_country_rule_active() returns boolean
language sql stable set search_path = '' as $$
  select exists (select from private.payment_limits l where cardinality(l.countries) > 0)
$$;

-- `allowed`, `refused` or `unknown`. What is not known to come from an allowed country is not taken.
create function private.country_verdict(p_country text) returns text
language sql stable set search_path = '' as $$
  select case
    when not private.is_country_rule_active() then 'allowed'
    when coalesce(p_country, '') !~* '^[a-z]{2}$' then 'unknown'
    when upper(p_country) = any ((private.limit_of('countries_denied')).countries) then 'refused'
    when cardinality((private.limit_of('countries_allowed')).countries) = 0 then 'allowed'
    when upper(p_country) = any ((private.limit_of('countries_allowed')).countries) then 'allowed'
    else 'refused'
  end
$$;

-- The limits as they are now, for staff. Reading them is noted.
create function service.payment_limits(p_actor uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
begin
  if not exists (select from private.staff s where s.user_id = p_actor) then
    raise exception 'not allowed' using errcode = 'insufficient_privilege';
  end if;
  perform private.audit('staff', p_actor, 'limits.read', 'payment_limit', '*', 'app');
  return (select jsonb_agg(to_jsonb(l) order by l.rule, l.currency) from private.payment_limits l);
end
$$;

-- Set one limit; it holds for the next payment that is opened. A null value takes the limit away; a currency without a row
-- gets one. Raises 42501 unless the actor is an admin, 22023 for a limit that makes no sense.
create function service.change_payment_limit(
  p_actor uuid, p_rule text, p_currency text, p_value bigint, p_window_seconds integer, p_countries jsonb
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_old private.payment_limits;
  v_new private.payment_limits;
begin
  if not exists (select from private.staff s where s.user_id = p_actor and s.role = 'admin') then
    raise exception 'not allowed' using errcode = 'insufficient_privilege';
  end if;
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
    jsonb_build_object(
      'from', case when v_old.rule is not null then jsonb_build_object(
        'value', v_old.value, 'window_seconds', v_old.window_seconds, 'countries', v_old.countries) end,
      'to', jsonb_build_object('value', v_new.value, 'window_seconds', v_new.window_seconds, 'countries', v_new.countries)));
  return to_jsonb(v_new);
end
$$;
