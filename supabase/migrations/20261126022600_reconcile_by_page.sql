-- Reconciliation compares one page of objects at a time. Before, each page compared every object of the run and cut a page
-- out of that, so an account twice as large took four times as long, and a large one longer than a statement may take.

drop function service.reconcile_drift(uuid, text, text, integer, jsonb);

-- Each of these balance transactions beside what the ledger posted for it.
create function private.reconcile_postings(p_run uuid, p_ids text[])
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
  where s.run_id = p_run and s.kind = 'balance_transaction' and s.object_id = any(p_ids)
$$;

-- Where our rows and what this run saw of these objects at Stripe differ. `version` is our row's, 0 for none.
create function private.reconcile_drift(p_run uuid, p_object text, p_ids text[])
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
    where s.run_id = p_run and s.kind = 'payment_intent' and s.object_id = any(p_ids) and d.holds;
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
    where s.run_id = p_run and s.kind = 'refund' and s.object_id = any(p_ids) and d.holds;
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
    where s.run_id = p_run and s.kind = 'dispute' and s.object_id = any(p_ids) and d.holds;
  when 'subscription' then return query
    select s.object_id, d.kind, coalesce(u.version, 0), d.detail
    from private.reconcile_objects s
    left join public.subscriptions u on u.livemode = s.livemode and u.stripe_subscription_id = s.object_id
    cross join lateral (values
      ('missing_here', u.id is null and not s.gone, jsonb_build_object('status', s.status)),
      ('missing_there', u.id is not null and s.gone, jsonb_build_object('subscription_id', u.id, 'status', u.status)),
      ('status', not s.gone and u.status <> s.status,
        jsonb_build_object('subscription_id', u.id, 'here', u.status, 'there', s.status))
    ) as d (kind, holds, detail)
    where s.run_id = p_run and s.kind = 'subscription' and s.object_id = any(p_ids) and d.holds;
  when 'balance_transaction' then return query
    select s.object_id, d.kind, 0::bigint, d.detail || jsonb_build_object('source_kind', s.source_kind, 'source_id', s.source_id)
    from private.reconcile_postings(p_run, p_ids) s
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

create function private.difference(p_object text, p_subject text, p_kind text, p_version bigint, p_detail jsonb) returns jsonb
language sql immutable set search_path = '' as $$
  select jsonb_build_object('object', p_object, 'subject', p_subject, 'kind', p_kind, 'version', p_version,
    'detail', jsonb_strip_nulls(p_detail))
$$;

-- A page of differences for objects of one kind: of the next p_scan objects after p_after those of the first p_limit that
-- differ, and the last object looked at. `last` is null when there are no more.
create function service.reconcile_drift(p_run uuid, p_object text, p_after text, p_scan integer, p_limit integer) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  v_ids text[] := array(
    select s.object_id from private.reconcile_objects s
    where s.run_id = p_run and s.kind = p_object and s.object_id > p_after order by s.object_id limit p_scan);
  v_page jsonb;
  v_is_cut boolean;
  v_last text;
begin
  select coalesce(jsonb_agg(private.difference(p_object, d.subject, d.kind, d.version, d.detail) order by d.subject, d.kind)
      filter (where d.place <= p_limit), '[]'),
    coalesce(max(d.place) > p_limit, false), max(d.subject) filter (where d.place <= p_limit)
  into v_page, v_is_cut, v_last
  from (select x.*, dense_rank() over (order by x.subject) as place from private.reconcile_drift(p_run, p_object, v_ids) x) d;
  return jsonb_build_object('differences', v_page, 'last', case when v_is_cut then v_last else v_ids[cardinality(v_ids)] end);
end
$$;

-- The differences of these objects, if there are any left.
create function service.reconcile_drift_of(p_run uuid, p_object text, p_subjects jsonb) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(private.difference(p_object, d.subject, d.kind, d.version, d.detail) order by d.subject, d.kind), '[]')
  from private.reconcile_drift(p_run, p_object, array(select jsonb_array_elements_text(p_subjects))) d
$$;

-- Per currency: what Stripe's balance transactions come to, what the ledger says of them, and what the difference is made of.
--   stripe_minor - ledger_minor = unposted_minor + differing_minor - not_at_stripe_minor
--   other_minor   balance transactions that are about no payment, refund or dispute (payouts, fees)
--   exchange_minor the exchange account of these postings: what lies between the currency paid in and the one settled in
create or replace function private.reconcile_totals(p_run uuid) returns jsonb
language sql stable set search_path = '' as $$
  with postings as materialized (select x.*, x.source_kind is not null and x.source_kind <> 'charge' as ours from private.reconcile_postings(p_run, array(
    select s.object_id from private.reconcile_objects s where s.run_id = p_run and s.kind = 'balance_transaction')) x),
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

-- The findings of a run whose difference is not there any more.
create function private.reconcile_gone(p_run uuid) returns bigint[]
language sql stable set search_path = '' as $$
  with still as materialized (
    select d.subject, d.kind
    from (select f.object, array_agg(f.subject) as subjects from private.reconcile_findings f
      where f.run_id = p_run and not f.resolved group by f.object) o
    cross join lateral private.reconcile_drift(p_run, o.object, o.subjects) d
  )
  select coalesce(array_agg(f.id), '{}') from private.reconcile_findings f
  where f.run_id = p_run and not f.resolved and not exists (select from still s where s.subject = f.subject and s.kind = f.kind)
$$;

create or replace function service.finish_reconcile(p_run uuid, p_fencing bigint) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  -- Both take their time, and the lease is renewed meanwhile: its row is locked only after them.
  v_totals jsonb := private.reconcile_totals(p_run);
  v_gone bigint[] := private.reconcile_gone(p_run);
  v_run private.reconcile_runs := private.own_run(p_run, p_fencing);
  v_outcome text;
begin
  update private.reconcile_findings f set resolved = true where f.id = any(v_gone);
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

drop function private.reconcile_drift(uuid, text);
drop function private.reconcile_money_drift(uuid, text);
drop function private.reconcile_postings(uuid);

-- As in the migration of the function grants, for the functions of this one.
grant create on schema private, service to payments_owner;
do $$
declare
  f record;
begin
  for f in
    select p.oid::regprocedure as signature, n.nspname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'service' and p.proname in ('reconcile_drift', 'reconcile_drift_of')
      or n.nspname = 'private' and p.proname in ('reconcile_drift', 'reconcile_postings', 'reconcile_gone', 'difference')
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
