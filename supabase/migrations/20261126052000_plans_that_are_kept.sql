-- As they were, in another language: PostgreSQL 17 plans the body of an SQL function anew at every call, and that of a PL/pgSQL
-- function once a session. These are called for every payment and every event, some of them ten times.

create or replace function private.seconds_until_sum_fits(
  p_limit private.payment_limits, p_customer_id uuid, p_livemode boolean, p_amount_minor bigint, p_currency text
) returns integer
language plpgsql stable set search_path = '' as $$
begin
  return (
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
    where (select coalesce(sum(c.minor), 0) from counted c) + p_amount_minor > p_limit.value);
end
$$;

create or replace function private.limit_of(p_rule text, p_currency text default '*') returns private.payment_limits
language plpgsql stable set search_path = '' as $$
begin
  return (
    select l from private.payment_limits l where l.rule = p_rule and l.currency in (p_currency, '*')
    order by l.currency = '*' limit 1);
end
$$;

create or replace function private.seconds_to_wait(p_limit private.payment_limits, p_times timestamptz[]) returns integer
language plpgsql stable set search_path = '' as $$
begin
  return case when p_times[p_limit.value] > now() - make_interval(secs => p_limit.window_seconds) then
    greatest(1, least(p_limit.window_seconds,
      ceil(extract(epoch from p_times[p_limit.value] - now()) + p_limit.window_seconds)))::integer
  end;
end
$$;

create or replace function private.is_erased(p_customer_id uuid) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return exists (select from private.erasures e where e.customer_id = p_customer_id);
end
$$;

create or replace function private.is_on(p_name text) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return not exists (select from private.switches s where s.name = p_name and not s.is_on);
end
$$;

create or replace function private.payment_json(p public.payments) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return jsonb_build_object(
    'id', p.id, 'orderId', p.order_id, 'status', p.status, 'amountMinor', p.amount_minor, 'currency', p.currency,
    'intentId', p.stripe_payment_intent_id, 'request', p.stripe_request, 'attempt', p.attempt,
    'attemptAgeSeconds', extract(epoch from now() - p.attempted_at), 'createdAt', p.created_at, 'version', p.version);
end
$$;

create or replace function private.audit(
  p_actor_type text, p_actor uuid, p_action text, p_subject_type text, p_subject_id text, p_source text, p_detail jsonb default '{}'
) returns void
language plpgsql set search_path = '' as $$
begin
  insert into private.audit_log (actor_type, actor_id, action, subject_type, subject_id, source, detail)
  values (p_actor_type, p_actor, p_action, p_subject_type, p_subject_id, p_source, p_detail);
end
$$;

create or replace function private.hinted_kind(p_type text) returns text
language plpgsql immutable set search_path = '' as $$
begin
  return case
    when p_type in ('payment_intent.created', 'payment_intent.processing', 'payment_intent.requires_action',
      'payment_intent.payment_failed', 'payment_intent.partially_funded', 'payment_intent.amount_capturable_updated',
      'payment_intent.succeeded', 'payment_intent.canceled', 'charge.pending', 'charge.succeeded', 'charge.failed',
      'charge.captured', 'charge.expired', 'charge.updated') then 'payment_intent'
    -- `charge.refunded` is not among them: the refund's own events say which refund it was.
    when p_type in ('refund.created', 'refund.updated', 'refund.failed', 'charge.refund.updated') then 'refund'
    when p_type in ('charge.dispute.created', 'charge.dispute.updated', 'charge.dispute.closed',
      'charge.dispute.funds_withdrawn', 'charge.dispute.funds_reinstated') then 'dispute'
    when p_type in ('radar.early_fraud_warning.created', 'radar.early_fraud_warning.updated') then 'early_fraud_warning'
    when p_type in ('customer.subscription.created', 'customer.subscription.updated', 'customer.subscription.deleted',
      'customer.subscription.paused', 'customer.subscription.resumed') then 'subscription'
    when p_type in ('invoice.created', 'invoice.finalized', 'invoice.updated', 'invoice.paid', 'invoice.payment_succeeded',
      'invoice.payment_failed', 'invoice.payment_action_required', 'invoice.voided', 'invoice.marked_uncollectible') then 'invoice'
    when p_type in ('checkout.session.completed', 'checkout.session.expired', 'checkout.session.async_payment_succeeded',
      'checkout.session.async_payment_failed') then 'checkout.session'
  end;
end
$$;

create or replace function private.next_status(p_now text, p_said text) returns text
language plpgsql immutable set search_path = '' as $$
begin
  return case
    when p_said not in ('requires_payment_method', 'requires_confirmation', 'requires_action', 'processing',
      'requires_capture', 'succeeded', 'canceled') then p_now
    when p_now = 'succeeded' then p_now
    when p_now = 'canceled' and p_said <> 'succeeded' then p_now
    else p_said
  end;
end
$$;

create or replace function private.uuid_or_null(p_text text) returns uuid
language plpgsql immutable set search_path = '' as $$
begin
  return case when p_text ~* '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' then p_text::uuid end;
end
$$;

create or replace function private.refundable_minor(p_payment_id uuid) returns bigint
language plpgsql stable set search_path = '' as $$
begin
  return (
    select greatest(0, p.amount_received_minor
      - (select coalesce(sum(r.amount_minor), 0) from public.refunds r
         where r.payment_id = p.id and r.status not in ('failed', 'canceled'))
      - (select coalesce(sum(q.amount_minor), 0) from private.refund_requests q
         where q.payment_id = p.id and q.status = 'reserved')
      - (select coalesce(sum(d.amount_minor), 0) from public.disputes d
         where d.payment_id = p.id and d.status in ('needs_response', 'under_review', 'lost')))::bigint
    from public.payments p where p.id = p_payment_id and p.status = 'succeeded');
end
$$;
