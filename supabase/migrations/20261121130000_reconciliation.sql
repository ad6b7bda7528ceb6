-- Jobs of which one may run at a time, and reconciliation with Stripe.
--   A lease is a row: who holds it, until when, and a fencing number that only grows. Redis may be asked first; this row decides.
--   A reconciliation notes what Stripe lists, compares that with our rows in SQL, and keeps what it found. It can be killed
--   anywhere: the next one goes on where the last page was noted.

create table private.job_leases (
  name text primary key constraint job_leases_name_shape check (name ~ '^[a-z_]{1,40}$'),
  -- Null once it is given back. The row stays, or the fencing number would start anew.
  holder uuid,
  fencing bigint not null default 1,
  expires_at timestamptz not null
);

create table private.reconcile_runs (
  id uuid primary key default gen_random_uuid(),
  livemode boolean not null,
  mode text not null constraint reconcile_runs_mode_known check (mode in ('dry_run', 'repair')),
  fencing bigint not null,
  -- What was asked for; null for the runs of the schedule, each of which begins where the last one did.
  asked_since timestamptz,
  since timestamptz not null,
  -- Which part of the work is next, and after which object of Stripe's list.
  cursor jsonb not null default '{}',
  counts jsonb not null default '{}',
  outcome text constraint reconcile_runs_outcome_known check (outcome in ('clean', 'repaired', 'drift', 'abandoned')),
  started_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  finished_at timestamptz
);
create index reconcile_runs_latest on private.reconcile_runs (livemode, started_at desc);

-- What Stripe said of an object when it was last listed or fetched: ids, states and amounts only.
create table private.reconcile_objects (
  livemode boolean not null,
  object_id text not null,
  kind text not null constraint reconcile_objects_kind_known
    check (kind in ('payment_intent', 'refund', 'dispute', 'balance_transaction')),
  run_id uuid not null references private.reconcile_runs (id) on delete restrict,
  -- Stripe does not know it.
  gone boolean not null,
  status text,
  -- Of a balance transaction: its net.
  amount_minor bigint,
  received_minor bigint,
  refunded_minor bigint,
  currency char(3),
  intent_id text,
  -- The payment of ours that a PaymentIntent's metadata names.
  named_payment_id uuid,
  -- What a balance transaction is about: the object to fetch for it.
  source_kind text,
  source_id text,
  seen_at timestamptz not null default now(),
  primary key (livemode, object_id)
);
create index reconcile_objects_by_run on private.reconcile_objects (run_id, kind, object_id);
create index reconcile_objects_by_intent on private.reconcile_objects (intent_id);

create table private.reconcile_findings (
  id bigint generated always as identity primary key,
  run_id uuid not null references private.reconcile_runs (id) on delete restrict,
  kind text not null constraint reconcile_findings_kind_known
    check (kind in ('missing_here', 'missing_there', 'status', 'amount', 'refund_sum', 'orphan', 'ledger')),
  object text not null,
  subject text not null,
  detail jsonb not null default '{}',
  resolved boolean not null,
  found_at timestamptz not null default now(),
  constraint reconcile_findings_once_a_run unique (run_id, kind, subject)
);
create index reconcile_findings_open on private.reconcile_findings (subject) where not resolved;

-- What changed lately, whatever it is: the rows a run has to look at.
create index payments_changed on public.payments (updated_at);
create index refunds_changed on public.refunds (updated_at);
create index disputes_changed on public.disputes (updated_at);
create index ledger_transactions_settled on private.ledger_transactions (created_at) where movement = 'settlement';

alter table private.job_leases enable row level security;
alter table private.reconcile_runs enable row level security;
alter table private.reconcile_objects enable row level security;
alter table private.reconcile_findings enable row level security;

revoke all on private.job_leases, private.reconcile_runs, private.reconcile_objects, private.reconcile_findings
  from public, anon, authenticated, service_role;

create policy job_leases_functions on private.job_leases to payments_owner using (true) with check (true);
create policy reconcile_runs_functions on private.reconcile_runs to payments_owner using (true) with check (true);
create policy reconcile_objects_functions on private.reconcile_objects to payments_owner using (true) with check (true);
create policy reconcile_findings_functions on private.reconcile_findings to payments_owner using (true) with check (true);

grant select, insert, update on private.job_leases, private.reconcile_runs, private.reconcile_objects, private.reconcile_findings
  to payments_owner;

-- The lease of a job, if nobody holds it: {token, fencing}, or null. Time is the database's, and that of this moment:
-- a caller that had to wait for the row must not go by when it started to wait.
create function service.take_lease(p_name text, p_seconds integer) returns jsonb
language sql security definer set search_path = '' as $$
  insert into private.job_leases as l (name, holder, expires_at)
  values (p_name, gen_random_uuid(), clock_timestamp() + make_interval(secs => least(greatest(p_seconds, 1), 3600)))
  on conflict (name) do update set holder = excluded.holder, fencing = l.fencing + 1, expires_at = excluded.expires_at
    where l.holder is null or l.expires_at <= clock_timestamp()
  returning jsonb_build_object('token', l.holder, 'fencing', l.fencing)
$$;

-- False when it has run out, even if nobody else has taken it yet: its holder has to stop.
create function service.renew_lease(p_name text, p_token uuid, p_seconds integer) returns boolean
language sql security definer set search_path = '' as $$
  with renewed as (
    update private.job_leases set expires_at = clock_timestamp() + make_interval(secs => least(greatest(p_seconds, 1), 3600))
    where name = p_name and holder = p_token and expires_at > clock_timestamp() returning 1
  )
  select exists (select from renewed)
$$;

-- Gives back one's own lease. False when it is not, or no longer, one's own.
create function service.release_lease(p_name text, p_token uuid) returns boolean
language sql security definer set search_path = '' as $$
  with released as (
    update private.job_leases set holder = null
    where name = p_name and holder = p_token and expires_at > clock_timestamp() returning 1
  )
  select exists (select from released)
$$;

-- For the writes of a job: they happen under its lease or not at all. The row stays locked until they are committed, so that
-- nobody can take the lease in between. Raises 55000 when the lease has run out or a newer one exists.
create function private.require_lease(p_name text, p_fencing bigint) returns void
language plpgsql set search_path = '' as $$
begin
  perform from private.job_leases l
  where l.name = p_name and l.fencing = p_fencing and l.holder is not null and l.expires_at > clock_timestamp() for share;
  if not found then
    raise exception 'the lease of % is lost', p_name using errcode = 'object_not_in_prerequisite_state';
  end if;
end
$$;

create function private.reconcile_lease(p_livemode boolean) returns text
language sql immutable set search_path = '' as $$
  select case when p_livemode then 'reconcile_live' else 'reconcile_test' end
$$;

-- The run to write to, under its lease.
create function private.own_run(p_run uuid, p_fencing bigint) returns private.reconcile_runs
language plpgsql set search_path = '' as $$
declare
  v_run private.reconcile_runs;
begin
  select r.* into strict v_run from private.reconcile_runs r where r.id = p_run;
  perform private.require_lease(private.reconcile_lease(v_run.livemode), p_fencing);
  return v_run;
end
$$;

-- Go on with an unfinished run of the same kind, or begin one. Without p_since it looks back to where the last run of the
-- schedule began, and a quarter of an hour more; Stripe keeps events for 30 days.
create function service.start_reconcile(p_livemode boolean, p_fencing bigint, p_mode text, p_since timestamptz default null) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_run private.reconcile_runs;
  v_resumed boolean;
begin
  perform private.require_lease(private.reconcile_lease(p_livemode), p_fencing);
  update private.reconcile_runs r set fencing = p_fencing, updated_at = now()
  where r.id = (
    select u.id from private.reconcile_runs u
    where u.livemode = p_livemode and u.finished_at is null and u.mode = p_mode and u.asked_since is not distinct from p_since
      and u.updated_at > now() - interval '1 day'
    order by u.started_at desc limit 1)
  returning r.* into v_run;
  v_resumed := found;
  if not v_resumed then
    insert into private.reconcile_runs (livemode, mode, fencing, asked_since, since)
    values (p_livemode, p_mode, p_fencing, p_since, coalesce(p_since,
      (select max(r.started_at) - interval '15 minutes' from private.reconcile_runs r
       where r.livemode = p_livemode and r.mode = 'repair' and r.asked_since is null and r.outcome <> 'abandoned'),
      now() - interval '30 days'))
    returning * into v_run;
  end if;
  -- A run of the other kind goes on another time; one that nobody has touched for a day does not.
  update private.reconcile_runs r set outcome = 'abandoned', finished_at = now()
  where r.livemode = p_livemode and r.finished_at is null and r.id <> v_run.id and r.updated_at <= now() - interval '1 day';
  return jsonb_build_object('id', v_run.id, 'since', v_run.since, 'startedAt', v_run.started_at, 'cursor', v_run.cursor,
    'counts', v_run.counts, 'resumed', v_resumed);
end
$$;

-- Which of these events never reached us.
create function service.unknown_events(p_livemode boolean, p_event_ids jsonb) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(i.id), '[]') from jsonb_array_elements_text(p_event_ids) as i (id)
  where not exists (select from private.webhook_events e where e.livemode = p_livemode and e.event_id = i.id)
$$;

-- Note a page of what Stripe listed and where the run is, in one transaction.
create function service.note_reconcile(p_run uuid, p_fencing bigint, p_objects jsonb, p_cursor jsonb, p_counts jsonb) returns void
language plpgsql security definer set search_path = '' as $$
declare
  v_run private.reconcile_runs := private.own_run(p_run, p_fencing);
begin
  insert into private.reconcile_objects (livemode, object_id, kind, run_id, gone, status, amount_minor, received_minor, refunded_minor,
    currency, intent_id, named_payment_id, source_kind, source_id)
  select distinct on (o.id) v_run.livemode, o.id, o.kind, p_run, coalesce(o.gone, false), o.status, o.amount, o.received, o.refunded,
    o.currency, o.payment_intent, private.uuid_or_null(o.named_payment), o.source_kind, o.source
  from jsonb_to_recordset(p_objects) as o (id text, kind text, gone boolean, status text, amount bigint, received bigint,
    refunded bigint, currency text, payment_intent text, named_payment text, source_kind text, source text)
  order by o.id
  on conflict (livemode, object_id) do update set kind = excluded.kind, run_id = excluded.run_id, gone = excluded.gone,
    status = excluded.status, amount_minor = excluded.amount_minor, received_minor = excluded.received_minor,
    refunded_minor = excluded.refunded_minor, currency = excluded.currency, intent_id = excluded.intent_id,
    named_payment_id = excluded.named_payment_id, source_kind = excluded.source_kind, source_id = excluded.source_id, seen_at = now();
  update private.reconcile_runs set cursor = p_cursor, counts = p_counts, updated_at = now() where id = p_run;
end
$$;

-- What this run has to ask Stripe for one by one, because no list has shown it: our rows from its time, those that can still
-- change (less and less often), and what earlier runs left open.
create function service.reconcile_due(p_run uuid, p_limit integer) returns jsonb
language sql stable security definer set search_path = '' as $$
  with run as (select r.* from private.reconcile_runs r where r.id = p_run),
  candidates as (
    select 'payment_intent' as kind, p.stripe_payment_intent_id as id, p.status in ('succeeded', 'canceled') as final, p.created_at, p.updated_at
    from public.payments p, run where p.livemode = run.livemode and p.stripe_payment_intent_id is not null
      and (p.updated_at >= run.since or p.status not in ('succeeded', 'canceled'))
    union all
    select 'refund', r.stripe_refund_id, r.status not in ('pending', 'requires_action'), r.created_at, r.updated_at
    from public.refunds r, run where r.livemode = run.livemode
      and (r.updated_at >= run.since or r.status in ('pending', 'requires_action'))
    union all
    select 'dispute', d.stripe_dispute_id, d.status in ('won', 'lost', 'warning_closed'), d.created_at, d.updated_at
    from public.disputes d, run where d.livemode = run.livemode
      and (d.updated_at >= run.since or d.status not in ('won', 'lost', 'warning_closed'))
    union all
    select 'balance_transaction', t.stripe_object_id, true, t.created_at, t.created_at
    from private.ledger_transactions t, run where t.livemode = run.livemode and t.movement = 'settlement' and t.created_at >= run.since
    union all
    -- What an earlier run could not repair: due whatever its age. A dry run has no consequences.
    select f.object, f.subject, true, run.since, run.since
    from private.reconcile_findings f join private.reconcile_runs e on e.id = f.run_id, run
    where e.livemode = run.livemode and e.mode = 'repair' and not f.resolved
  ), due as (
    select distinct on (c.id) c.kind, c.id from candidates c cross join run
    left join private.reconcile_objects o on o.livemode = run.livemode and o.object_id = c.id
    where c.created_at < run.started_at and o.run_id is distinct from run.id
      and (c.updated_at >= run.since or not c.final and (o.seen_at is null
        or o.seen_at < now() - greatest(interval '10 minutes', (now() - c.updated_at) / 4)))
    order by c.id
  )
  select coalesce(jsonb_agg(jsonb_build_object('kind', d.kind, 'id', d.id)), '[]') from (select * from due limit p_limit) d
$$;

-- Where our rows and what this run saw at Stripe differ. `version` is our row's, 0 for none.
create function private.reconcile_drift(p_run uuid, p_object text)
returns table (subject text, kind text, version bigint, detail jsonb)
language plpgsql stable set search_path = '' as $$
begin
  case p_object
  when 'payment_intent' then return query
    select s.object_id, d.kind, coalesce(p.version, 0), d.detail
    from private.reconcile_objects s
    left join public.payments p on p.livemode = s.livemode and p.stripe_payment_intent_id = s.object_id
    cross join lateral (
      select coalesce(sum(-e.amount_minor), 0) as minor from private.ledger_transactions t
      join private.ledger_entries e on e.transaction_id = t.id and e.account = 'sales'
      where t.payment_id = p.id and t.movement = 'charge') as posted
    cross join lateral (values
      ('missing_here', p.id is null and not s.gone,
        jsonb_build_object('status', s.status, 'amount', s.amount_minor, 'currency', s.currency)),
      ('missing_there', p.id is not null and s.gone, jsonb_build_object('payment_id', p.id, 'status', p.status)),
      ('status', not s.gone and p.status <> s.status,
        jsonb_build_object('payment_id', p.id, 'here', p.status, 'there', s.status)),
      ('amount', not s.gone and (p.origin = 'app' and p.amount_minor <> s.amount_minor or p.currency <> s.currency
          or p.status = s.status and p.amount_received_minor <> s.received_minor),
        jsonb_build_object('payment_id', p.id, 'here', p.amount_received_minor, 'there', s.received_minor,
          'amount_here', p.amount_minor, 'amount_there', s.amount_minor, 'currency_here', p.currency, 'currency_there', s.currency)),
      -- Where a refund itself is missing or differs, that is the finding, and the sum follows from it.
      ('refund_sum', p.amount_refunded_minor <> s.refunded_minor and not exists (
          select from private.reconcile_objects o left join public.refunds r on r.livemode = o.livemode and r.stripe_refund_id = o.object_id
          where o.intent_id = s.object_id and o.kind = 'refund' and o.run_id = p_run
            and (o.status, o.amount_minor) is distinct from (r.status, r.amount_minor)),
        jsonb_build_object('payment_id', p.id, 'here', p.amount_refunded_minor, 'there', s.refunded_minor)),
      ('orphan', p.status = 'succeeded' and s.named_payment_id <> p.id and s.received_minor > s.refunded_minor,
        jsonb_build_object('payment_id', p.id, 'names_payment_id', s.named_payment_id, 'left', s.received_minor - s.refunded_minor)),
      ('ledger', p.status = 'succeeded' and s.status = 'succeeded' and posted.minor <> s.received_minor,
        jsonb_build_object('payment_id', p.id, 'posted', posted.minor, 'there', s.received_minor))
    ) as d (kind, holds, detail)
    where s.run_id = p_run and s.kind = 'payment_intent' and d.holds;
  when 'refund' then return query
    select s.object_id, d.kind, coalesce(r.version, 0), d.detail
    from private.reconcile_objects s
    left join public.refunds r on r.livemode = s.livemode and r.stripe_refund_id = s.object_id
    cross join lateral (values
      ('missing_here', r.id is null and not s.gone and s.intent_id is not null,
        jsonb_build_object('intent_id', s.intent_id, 'status', s.status, 'amount', s.amount_minor, 'currency', s.currency)),
      ('orphan', r.id is null and not s.gone and s.intent_id is null,
        jsonb_build_object('status', s.status, 'amount', s.amount_minor, 'currency', s.currency)),
      ('missing_there', r.id is not null and s.gone, jsonb_build_object('payment_id', r.payment_id, 'status', r.status)),
      ('status', not s.gone and r.status <> s.status,
        jsonb_build_object('payment_id', r.payment_id, 'here', r.status, 'there', s.status)),
      ('amount', not s.gone and r.amount_minor <> s.amount_minor,
        jsonb_build_object('payment_id', r.payment_id, 'here', r.amount_minor, 'there', s.amount_minor)),
      ('ledger', r.status = s.status and array['refund'] || case when r.status in ('failed', 'canceled') then array['refund_reversal'] else '{}' end
          <> (select coalesce(array_agg(t.movement order by t.movement), '{}') from private.ledger_transactions t
              where t.livemode = s.livemode and t.stripe_object_id = s.object_id),
        jsonb_build_object('payment_id', r.payment_id, 'status', r.status))
    ) as d (kind, holds, detail)
    where s.run_id = p_run and s.kind = 'refund' and d.holds;
  when 'dispute' then return query
    select s.object_id, d.kind, coalesce(x.version, 0), d.detail
    from private.reconcile_objects s
    left join public.disputes x on x.livemode = s.livemode and x.stripe_dispute_id = s.object_id
    cross join lateral (values
      ('missing_here', x.id is null and not s.gone and s.intent_id is not null,
        jsonb_build_object('intent_id', s.intent_id, 'status', s.status, 'amount', s.amount_minor, 'currency', s.currency)),
      ('orphan', x.id is null and not s.gone and s.intent_id is null,
        jsonb_build_object('status', s.status, 'amount', s.amount_minor, 'currency', s.currency)),
      ('missing_there', x.id is not null and s.gone, jsonb_build_object('payment_id', x.payment_id, 'status', x.status)),
      ('status', not s.gone and x.status <> s.status,
        jsonb_build_object('payment_id', x.payment_id, 'here', x.status, 'there', s.status)),
      ('amount', not s.gone and x.amount_minor <> s.amount_minor,
        jsonb_build_object('payment_id', x.payment_id, 'here', x.amount_minor, 'there', s.amount_minor))
    ) as d (kind, holds, detail)
    where s.run_id = p_run and s.kind = 'dispute' and d.holds;
  when 'balance_transaction' then return query
    select s.object_id, d.kind, 0::bigint, d.detail || jsonb_build_object('source_kind', s.source_kind, 'source_id', s.source_id)
    from private.reconcile_postings(p_run) s
    cross join lateral (values
      -- A payment, refund or dispute that is not here at all is the finding, and this follows from it.
      ('ledger', not s.posted and s.source_is_here,
        jsonb_build_object('there', s.net_minor, 'currency', s.currency)),
      ('ledger', s.posted and not s.gone and (s.posted_minor <> s.net_minor or s.posted_currency <> s.currency),
        jsonb_build_object('here', s.posted_minor, 'there', s.net_minor, 'currency', s.currency)),
      ('ledger', s.posted and s.gone,
        jsonb_build_object('here', s.posted_minor, 'currency', s.posted_currency)),
      ('orphan', not s.posted and s.source_kind = 'charge', jsonb_build_object('there', s.net_minor, 'currency', s.currency))
    ) as d (kind, holds, detail)
    where d.holds;
  end case;
end
$$;

-- Each balance transaction this run saw beside what the ledger posted for it.
create function private.reconcile_postings(p_run uuid)
returns table (object_id text, gone boolean, net_minor bigint, currency char(3), source_kind text, source_id text, source_is_here boolean,
  posted boolean, transaction_id uuid, posted_minor bigint, posted_currency char(3))
language sql stable set search_path = '' as $$
  select s.object_id, s.gone, coalesce(s.amount_minor, 0), s.currency, s.source_kind, s.source_id,
    case s.source_kind
      when 'payment_intent' then exists (select from public.payments p
        where p.livemode = s.livemode and p.stripe_payment_intent_id = s.source_id and p.status = 'succeeded')
      when 'refund' then exists (select from public.refunds r where r.livemode = s.livemode and r.stripe_refund_id = s.source_id)
      when 'dispute' then exists (select from public.disputes d where d.livemode = s.livemode and d.stripe_dispute_id = s.source_id)
      else false
    end,
    t.id is not null, t.id, coalesce(e.minor, 0), coalesce(e.currency, s.currency)
  from private.reconcile_objects s
  left join private.ledger_transactions t
    on t.livemode = s.livemode and t.stripe_object_id = s.object_id and t.movement = 'settlement'
  left join lateral (
    select sum(l.amount_minor)::bigint as minor, max(l.currency::text)::char(3) as currency from private.ledger_entries l
    where l.transaction_id = t.id and l.account = 'stripe_balance') e on true
  where s.run_id = p_run and s.kind = 'balance_transaction'
$$;

-- A page of differences for objects of one kind: the next p_limit objects after p_after, or these objects alone.
create function service.reconcile_drift(p_run uuid, p_object text, p_after text, p_limit integer, p_subjects jsonb default null) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object('object', p_object, 'subject', d.subject, 'kind', d.kind, 'version', d.version,
    'detail', jsonb_strip_nulls(d.detail)) order by d.subject, d.kind), '[]')
  from (
    select x.*, dense_rank() over (order by x.subject) as place from private.reconcile_drift(p_run, p_object) x
    where x.subject > p_after and (p_subjects is null or p_subjects ? x.subject)
  ) d where d.place <= p_limit
$$;

-- What a payment's refunds add up to, counted again. The caller has brought the refunds up to date.
create function service.recount_refunds(p_livemode boolean, p_intent_id text) returns void
language plpgsql security definer set search_path = '' as $$
declare
  v_payment public.payments := private.lock_known_payment(p_livemode, p_intent_id);
  v_sum bigint;
begin
  select coalesce(sum(r.amount_minor), 0) into v_sum from public.refunds r
  where r.payment_id = v_payment.id and r.status not in ('failed', 'canceled');
  if v_payment.amount_refunded_minor <> v_sum then
    update public.payments set amount_refunded_minor = v_sum, version = version + 1, updated_at = now() where id = v_payment.id;
    perform private.audit('system', null, 'refund_sum.corrected', 'refund_sum', v_payment.id::text, 'reconcile',
      jsonb_build_object('from', v_payment.amount_refunded_minor, 'to', v_sum));
  end if;
end
$$;

-- Keep what was found, before anything is done about it: whether it is resolved is seen at the end of the run.
create function service.note_findings(p_run uuid, p_fencing bigint, p_findings jsonb) returns void
language plpgsql security definer set search_path = '' as $$
declare
  v_run private.reconcile_runs := private.own_run(p_run, p_fencing);
begin
  insert into private.reconcile_findings as f (run_id, kind, object, subject, detail, resolved)
  select v_run.id, n.kind, n.object, n.subject, n.detail, false
  from jsonb_to_recordset(p_findings) as n (kind text, object text, subject text, detail jsonb)
  on conflict (run_id, kind, subject) do nothing;
end
$$;

-- Per currency: what Stripe's balance transactions come to, what the ledger says of them, and what the difference is made of.
--   stripe_minor - ledger_minor = unposted_minor + differing_minor - not_at_stripe_minor
--   other_minor   balance transactions that are about no payment, refund or dispute (payouts, fees)
--   exchange_minor the exchange account of these postings: what lies between the currency paid in and the one settled in
create function private.reconcile_totals(p_run uuid) returns jsonb
language sql stable set search_path = '' as $$
  with postings as materialized (select x.*, x.source_kind is not null and x.source_kind <> 'charge' as ours from private.reconcile_postings(p_run) x),
  parts as (
    select p.currency, sum(p.net_minor) filter (where p.ours or p.posted) as stripe, 0::numeric as ledger,
      sum(p.net_minor) filter (where p.ours and not p.posted) as unposted, sum(p.net_minor) filter (where p.posted) as differing,
      0::numeric as absent, sum(p.net_minor) filter (where not p.ours and not p.posted) as other, 0::numeric as exchange
    from postings p where not p.gone group by 1
    union all
    select p.posted_currency, 0, sum(p.posted_minor), 0, -sum(p.posted_minor) filter (where not p.gone),
      sum(p.posted_minor) filter (where p.gone), 0, 0
    from postings p where p.posted group by 1
    union all
    select e.currency, 0, 0, 0, 0, 0, 0, sum(e.amount_minor)
    from postings p join private.ledger_entries e on e.transaction_id = p.transaction_id and e.account = 'exchange' group by 1
  ), totals as (
    select t.currency, coalesce(sum(t.stripe), 0) as stripe, coalesce(sum(t.ledger), 0) as ledger, coalesce(sum(t.unposted), 0) as unposted,
      coalesce(sum(t.differing), 0) as differing, coalesce(sum(t.absent), 0) as absent, coalesce(sum(t.other), 0) as other,
      coalesce(sum(t.exchange), 0) as exchange
    from parts t where t.currency is not null group by 1
  )
  select coalesce(jsonb_agg(jsonb_build_object('currency', t.currency, 'stripeMinor', t.stripe, 'ledgerMinor', t.ledger,
    'differenceMinor', t.stripe - t.ledger, 'unpostedMinor', t.unposted, 'differingMinor', t.differing, 'notAtStripeMinor', t.absent,
    'otherMinor', t.other, 'exchangeMinor', t.exchange) order by t.currency), '[]') from totals t
$$;

-- The end of a run: a finding is resolved when its difference is gone. What earlier runs left open and this one has looked at
-- is closed with it: if it is still there, this run has a finding of its own. What a repairing run could not repair is
-- somebody's to look at.
create function service.finish_reconcile(p_run uuid, p_fencing bigint) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_run private.reconcile_runs := private.own_run(p_run, p_fencing);
  v_totals jsonb := private.reconcile_totals(p_run);
  v_outcome text;
begin
  with still as materialized (
    select d.subject, d.kind
    from unnest(array['payment_intent', 'refund', 'dispute', 'balance_transaction']) as o (kind)
    cross join lateral private.reconcile_drift(p_run, o.kind) d
  )
  update private.reconcile_findings f set resolved = true
  where f.run_id = p_run and not f.resolved and not exists (select from still s where s.subject = f.subject and s.kind = f.kind);
  update private.reconcile_findings f set resolved = true
  where not f.resolved and f.run_id <> p_run
    and exists (select from private.reconcile_objects o where o.livemode = v_run.livemode and o.object_id = f.subject and o.run_id = p_run);
  if v_run.mode = 'repair' then
    perform private.alert('reconcile_' || f.kind, f.object, f.subject, f.detail)
    from private.reconcile_findings f where f.run_id = p_run and not f.resolved;
  end if;

  v_outcome := case
    when exists (select from private.reconcile_findings f where f.run_id = p_run and not f.resolved)
      or exists (select from jsonb_array_elements(v_totals) t where (t ->> 'differenceMinor')::bigint <> 0) then 'drift'
    when exists (select from private.reconcile_findings f where f.run_id = p_run) then 'repaired'
    else 'clean'
  end;
  update private.reconcile_runs set outcome = v_outcome, finished_at = now(), updated_at = now() where id = p_run;
  return jsonb_build_object('outcome', v_outcome, 'totals', v_totals, 'findings', (
    select coalesce(jsonb_agg(jsonb_build_object('kind', f.kind, 'object', f.object, 'subject', f.subject, 'detail', f.detail,
      'resolved', f.resolved) order by f.id), '[]') from private.reconcile_findings f where f.run_id = p_run));
end
$$;

-- As in the migration of the function grants, for the functions of this one.
grant create on schema private, service to payments_owner;
do $$
declare
  f record;
begin
  for f in
    select p.oid::regprocedure as signature, n.nspname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'service' and p.proname in ('take_lease', 'renew_lease', 'release_lease', 'start_reconcile', 'unknown_events',
        'note_reconcile', 'reconcile_due', 'reconcile_drift', 'recount_refunds', 'note_findings', 'finish_reconcile')
      or n.nspname = 'private' and p.proname in ('require_lease', 'reconcile_lease', 'own_run', 'reconcile_drift', 'reconcile_postings',
        'reconcile_totals')
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
