-- Reconciliation compares subscriptions as well: what Stripe lists, and those of ours that can still change.

alter table private.reconcile_objects drop constraint reconcile_objects_kind_known;
alter table private.reconcile_objects add constraint reconcile_objects_kind_known
  check (kind in ('payment_intent', 'refund', 'dispute', 'subscription', 'balance_transaction'));

-- What this run has to ask Stripe for one by one, because no list has shown it: our rows from its time, those that can still
-- change (less and less often), and what earlier runs left open.
create or replace function service.reconcile_due(p_run uuid, p_limit integer) returns jsonb
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
    select 'subscription', s.stripe_subscription_id, s.status in ('canceled', 'incomplete_expired'), s.created_at, s.updated_at
    from public.subscriptions s, run where s.livemode = run.livemode
      and (s.updated_at >= run.since or s.status not in ('canceled', 'incomplete_expired'))
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

-- As it was, for all that money is made of.
alter function private.reconcile_drift(uuid, text) rename to reconcile_money_drift;

-- Where our rows and what this run saw at Stripe differ. `version` is our row's, 0 for none.
create function private.reconcile_drift(p_run uuid, p_object text)
returns table (subject text, kind text, version bigint, detail jsonb)
language plpgsql stable set search_path = '' as $$
begin
  if p_object <> 'subscription' then
    return query select m.subject, m.kind, m.version, m.detail from private.reconcile_money_drift(p_run, p_object) m;
    return;
  end if;
  return query
    select s.object_id, d.kind, coalesce(u.version, 0), d.detail
    from private.reconcile_objects s
    left join public.subscriptions u on u.livemode = s.livemode and u.stripe_subscription_id = s.object_id
    cross join lateral (values
      ('missing_here', u.id is null and not s.gone, jsonb_build_object('status', s.status)),
      ('missing_there', u.id is not null and s.gone, jsonb_build_object('subscription_id', u.id, 'status', u.status)),
      ('status', not s.gone and u.status <> s.status,
        jsonb_build_object('subscription_id', u.id, 'here', u.status, 'there', s.status))
    ) as d (kind, holds, detail)
    where s.run_id = p_run and s.kind = 'subscription' and d.holds;
end
$$;

-- The end of a run: a finding is resolved when its difference is gone. What earlier runs left open and this one has looked at
-- is closed with it: if it is still there, this run has a finding of its own. What a repairing run could not repair is
-- somebody's to look at.
create or replace function service.finish_reconcile(p_run uuid, p_fencing bigint) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_run private.reconcile_runs := private.own_run(p_run, p_fencing);
  v_totals jsonb := private.reconcile_totals(p_run);
  v_outcome text;
begin
  with still as materialized (
    select d.subject, d.kind
    from unnest(array['payment_intent', 'refund', 'dispute', 'subscription', 'balance_transaction']) as o (kind)
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

grant create on schema private, service to payments_owner;
do $$
declare
  f record;
begin
  for f in
    select p.oid::regprocedure as signature, n.nspname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'private' and p.proname in ('reconcile_drift', 'reconcile_money_drift')
      or n.nspname = 'service' and p.proname in ('reconcile_due', 'finish_reconcile')
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
