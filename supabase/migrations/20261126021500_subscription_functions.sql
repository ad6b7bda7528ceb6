-- How what Stripe says of subscriptions, invoices and Checkout Sessions becomes true. All of it is a hint: the object is fetched, and
-- taken over if our row has not moved since. Lock order: subscription, invoice, payment, then the customer's entitlement version.

-- What a person may use has changed: answers given before are old.
create function private.bump_entitlements(p_customer uuid, p_livemode boolean) returns void
language sql set search_path = '' as $$
  insert into private.entitlement_versions as v (customer_id, livemode)
  select p_customer, p_livemode where p_customer is not null
  on conflict (customer_id, livemode) do update set version = v.version + 1
$$;

create function private.customer_at_stripe(p_livemode boolean, p_stripe_customer_id text) returns uuid
language sql stable set search_path = '' as $$
  select s.customer_id from private.stripe_customers s
  where s.livemode = p_livemode and s.stripe_customer_id = p_stripe_customer_id
$$;

-- Of one product group a person has one subscription. Where Stripe has more, both are kept, and those that began later are to be
-- cancelled and paid back. The caller has bumped the customer's version, and so holds its lock.
create function private.refuse_second_subscriptions(p_customer uuid, p_livemode boolean) returns void
language plpgsql set search_path = '' as $$
declare
  v_second record;
begin
  for v_second in
    select x.id, x.stripe_subscription_id, x.first_id from (
      select s.id, s.stripe_subscription_id, row_number() over one_group as place, first_value(s.id) over one_group as first_id
      from public.subscriptions s join public.plans p on p.id = s.plan_id
      where s.customer_id = p_customer and s.livemode = p_livemode
        and s.status in ('active', 'trialing', 'past_due', 'unpaid', 'paused')
      window one_group as (partition by p.product_group order by s.began_at, s.stripe_subscription_id)) x
    where x.place > 1 and not exists (select from private.subscription_cancellations c where c.subscription_id = x.id)
  loop
    insert into private.subscription_cancellations (subscription_id, reason) values (v_second.id, 'second_of_group')
    on conflict do nothing;
    perform private.audit('system', null, 'subscription.refused', 'subscription', v_second.id::text, 'app',
      jsonb_build_object('reason', 'second_of_group', 'kept_id', v_second.first_id));
    perform private.alert('second_subscription', 'subscription', v_second.stripe_subscription_id,
      jsonb_build_object('subscription_id', v_second.id, 'kept_id', v_second.first_id));
  end loop;
end
$$;

-- Take over a subscription as Stripe has it, with its newest invoice. Returns applied or stale.
create function private.apply_subscription(
  p_livemode boolean, p_said jsonb, p_expected_version bigint, p_failed_at timestamptz, p_source text
) returns text
language plpgsql set search_path = '' as $$
declare
  v_old public.subscriptions;
  v_new public.subscriptions;
  v_is_new boolean;
begin
  insert into public.subscriptions (livemode, stripe_subscription_id, status, began_at)
  values (p_livemode, p_said ->> 'id', 'unknown', to_timestamp((p_said ->> 'created')::double precision))
  on conflict (livemode, stripe_subscription_id) do nothing;
  v_is_new := found;
  select s.* into v_old from public.subscriptions s
  where s.livemode = p_livemode and s.stripe_subscription_id = p_said ->> 'id' for update;
  if not v_is_new and v_old.version <> p_expected_version then
    return 'stale';
  end if;

  if v_old.status in ('canceled', 'incomplete_expired') and p_said ->> 'status' <> v_old.status then
    perform private.alert('impossible_status', 'subscription', v_old.id::text,
      jsonb_build_object('had', v_old.status, 'said', p_said ->> 'status'));
  else
    v_new := v_old;
    v_new.customer_id := coalesce(v_old.customer_id, private.customer_at_stripe(p_livemode, p_said ->> 'customer'));
    v_new.stripe_price_id := p_said ->> 'price';
    v_new.plan_id := (select r.plan_id from private.stripe_prices r
      where r.livemode = p_livemode and r.stripe_price_id = p_said ->> 'price');
    v_new.status := p_said ->> 'status';
    v_new.current_period_end := to_timestamp((p_said ->> 'current_period_end')::double precision);
    v_new.cancel_at := to_timestamp((p_said ->> 'cancel_at')::double precision);
    v_new.ended_at := to_timestamp((p_said ->> 'ended_at')::double precision);
    if v_new is distinct from v_old then
      update public.subscriptions s set customer_id = v_new.customer_id, stripe_price_id = v_new.stripe_price_id, plan_id = v_new.plan_id,
        status = v_new.status, current_period_end = v_new.current_period_end, cancel_at = v_new.cancel_at, ended_at = v_new.ended_at,
        version = v_old.version + 1, updated_at = now()
      where s.id = v_old.id;
      perform private.bump_entitlements(v_new.customer_id, p_livemode);
    end if;
    if v_new.status <> v_old.status then
      perform private.audit('stripe', null, 'subscription.' || v_new.status, 'subscription', v_old.id::text, p_source,
        jsonb_build_object('from', nullif(v_old.status, 'unknown'), 'stripe_subscription_id', p_said ->> 'id'));
    end if;
    if v_new.cancel_at is distinct from v_old.cancel_at and v_new.ended_at is null then
      perform private.audit('stripe', null, case when v_new.cancel_at is null then 'subscription.resumed' else 'subscription.ending' end,
        'subscription', v_old.id::text, p_source, jsonb_build_object('cancel_at', v_new.cancel_at));
    end if;
    if v_new.plan_id is distinct from v_old.plan_id and not v_is_new then
      perform private.audit('stripe', null, 'subscription.plan_changed', 'subscription', v_old.id::text, p_source,
        jsonb_build_object('from', v_old.plan_id, 'to', v_new.plan_id));
    end if;
    if v_is_new and v_new.customer_id is null then
      perform private.alert('customer_unknown', 'subscription', p_said ->> 'id');
    elsif v_is_new and v_new.plan_id is null then
      perform private.alert('price_unknown', 'subscription', p_said ->> 'id', jsonb_build_object('price', p_said ->> 'price'));
    end if;
  end if;

  if jsonb_typeof(p_said -> 'latest_invoice') = 'object' then
    perform private.apply_invoice(p_livemode, p_said -> 'latest_invoice', null, p_failed_at, p_source);
  end if;
  if v_new.customer_id is not null and v_new is distinct from v_old then
    perform private.refuse_second_subscriptions(v_new.customer_id, p_livemode);
  end if;
  return 'applied';
end
$$;

-- Take over an invoice as Stripe has it. Each change also moves the version of its subscription, whose snapshots bring an invoice
-- along: with those p_expected_version is null. Returns applied, stale or needs_subscription.
create function private.apply_invoice(
  p_livemode boolean, p_said jsonb, p_expected_version bigint, p_failed_at timestamptz, p_source text
) returns text
language plpgsql set search_path = '' as $$
declare
  v_subscription public.subscriptions;
  v_old public.invoices;
  v_new public.invoices;
  v_is_new boolean;
begin
  if p_said ->> 'subscription' is not null then
    select s.* into v_subscription from public.subscriptions s
    where s.livemode = p_livemode and s.stripe_subscription_id = p_said ->> 'subscription' for update;
    if not found then
      return 'needs_subscription';
    end if;
  end if;
  insert into public.invoices (livemode, stripe_invoice_id, status, amount_due_minor, amount_paid_minor, currency)
  values (p_livemode, p_said ->> 'id', 'unknown', 0, 0, p_said ->> 'currency')
  on conflict (livemode, stripe_invoice_id) do nothing;
  v_is_new := found;
  select i.* into v_old from public.invoices i
  where i.livemode = p_livemode and i.stripe_invoice_id = p_said ->> 'id' for update;
  if not v_is_new and v_old.version <> p_expected_version then
    return 'stale';
  end if;
  if v_old.status in ('paid', 'void') and p_said ->> 'status' <> v_old.status then
    perform private.alert('impossible_status', 'invoice', v_old.id::text, jsonb_build_object('had', v_old.status, 'said', p_said ->> 'status'));
    return 'applied';
  end if;

  v_new := v_old;
  v_new.subscription_id := v_subscription.id;
  v_new.customer_id := coalesce(v_old.customer_id, v_subscription.customer_id, private.customer_at_stripe(p_livemode, p_said ->> 'customer'));
  v_new.status := p_said ->> 'status';
  v_new.billing_reason := p_said ->> 'billing_reason';
  v_new.stripe_payment_intent_id := coalesce(p_said ->> 'payment_intent', v_old.stripe_payment_intent_id);
  v_new.amount_due_minor := (p_said ->> 'amount_due')::bigint;
  v_new.amount_paid_minor := (p_said ->> 'amount_paid')::bigint;
  v_new.currency := p_said ->> 'currency';
  v_new.needs_action := v_new.status = 'open' and (p_said ->> 'needs_action')::boolean;
  v_new := private.with_grace(v_new, (p_said ->> 'has_failed')::boolean, p_failed_at);
  if v_new is not distinct from v_old then
    return 'applied';
  end if;

  perform private.lock_words_of(p_livemode, v_new.stripe_payment_intent_id);
  update public.invoices i set subscription_id = v_new.subscription_id, customer_id = v_new.customer_id, status = v_new.status,
    billing_reason = v_new.billing_reason, stripe_payment_intent_id = v_new.stripe_payment_intent_id,
    amount_due_minor = v_new.amount_due_minor, amount_paid_minor = v_new.amount_paid_minor, currency = v_new.currency,
    needs_action = v_new.needs_action, first_failed_at = v_new.first_failed_at, grace = v_new.grace, grace_ends_at = v_new.grace_ends_at,
    version = v_old.version + 1, updated_at = now()
  where i.id = v_old.id;
  update public.subscriptions set version = version + 1, updated_at = now() where id = v_new.subscription_id;
  update public.payments p set description = private.words_of_invoice(v_new)
  where p.livemode = p_livemode and p.stripe_payment_intent_id = v_new.stripe_payment_intent_id and p.description = '';
  perform private.bump_entitlements(v_new.customer_id, p_livemode);
  if v_new.status <> v_old.status then
    perform private.audit('stripe', null, 'invoice.' || v_new.status, 'invoice', v_old.id::text, p_source,
      jsonb_build_object('from', nullif(v_old.status, 'unknown'), 'stripe_invoice_id', p_said ->> 'id'));
  end if;
  if v_new.grace is distinct from v_old.grace then
    perform private.audit('stripe', null, case v_new.grace when 'running' then 'grace.started' else 'grace.cleared' end,
      'invoice', v_old.id::text, p_source, jsonb_build_object('subscription_id', v_new.subscription_id, 'ends_at', v_new.grace_ends_at));
  end if;
  if v_new.grace = 'running' and v_old.grace is null then
    perform private.queue_mail(p_livemode, 'grace_started', v_old.id::text, v_new.customer_id, jsonb_build_object(
      'name', private.words_of_invoice(v_new), 'endsAt', v_new.grace_ends_at, 'path', '/checkout/invoices/' || v_old.id));
  end if;
  if v_new.needs_action and not v_old.needs_action and v_new.billing_reason is distinct from 'subscription_create' then
    perform private.queue_mail(p_livemode, 'action_needed', v_old.id::text, v_new.customer_id, jsonb_build_object(
      'name', private.words_of_invoice(v_new), 'path', '/checkout/invoices/' || v_old.id));
  end if;
  return 'applied';
end
$$;

-- The grace of an invoice: from the first payment that failed, however late we hear of it, and never moved by another one. Nobody
-- has anything to keep while the first invoice is not paid, and none begins anew while an older one is owed.
create function private.with_grace(p_invoice public.invoices, p_has_failed boolean, p_failed_at timestamptz) returns public.invoices
language plpgsql stable set search_path = '' as $$
begin
  if p_invoice.status = 'open' and p_has_failed and p_invoice.subscription_id is not null
    and p_invoice.billing_reason is distinct from 'subscription_create'
    and (p_invoice.first_failed_at is null or p_failed_at < p_invoice.first_failed_at) then
    p_invoice.first_failed_at := p_failed_at;
    if p_invoice.grace is null and exists (
      select from public.invoices i where i.subscription_id = p_invoice.subscription_id and i.id <> p_invoice.id
        and i.status in ('open', 'uncollectible') and i.grace is not null
    ) then
      return p_invoice;
    end if;
    if p_invoice.grace is null or p_invoice.grace = 'running' then
      p_invoice.grace := 'running';
      p_invoice.grace_ends_at := p_failed_at + interval '24 hours';
    end if;
  elsif p_invoice.status in ('paid', 'void') and p_invoice.grace = 'running' then
    p_invoice.grace := 'cleared';
  end if;
  return p_invoice;
end
$$;

-- What a payment of an invoice is called in the history: its plan.
create function private.words_of_invoice(p_invoice public.invoices) returns text
language sql stable set search_path = '' as $$
  select coalesce((select p.name from public.subscriptions s join public.plans p on p.id = s.plan_id
    where s.id = p_invoice.subscription_id), '')
$$;

-- An invoice and its payment may come in at the same moment: one of them has to see the other.
create function private.lock_words_of(p_livemode boolean, p_intent_id text) returns void
language sql set search_path = '' as $$
  select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('words of ' || p_livemode || ' ' || p_intent_id, 0))
$$;

-- The invoice may be known before its payment is.
create function private.describe_payment() returns trigger
language plpgsql set search_path = '' as $$
begin
  perform private.lock_words_of(new.livemode, new.stripe_payment_intent_id);
  new.description := coalesce((select private.words_of_invoice(i) from public.invoices i
    where i.livemode = new.livemode and i.stripe_payment_intent_id = new.stripe_payment_intent_id limit 1), '');
  return new;
end
$$;
create trigger payments_described_by_invoice before insert on public.payments
  for each row when (new.origin = 'stripe' and new.description = '') execute function private.describe_payment();

-- A Checkout page of ours: waiting, done with or run out. One that somebody else made is none of ours.
create function private.apply_checkout(p_livemode boolean, p_said jsonb, p_expected_version bigint) returns text
language plpgsql set search_path = '' as $$
declare
  v_old private.subscription_checkouts;
begin
  select c.* into v_old from private.subscription_checkouts c
  where c.livemode = p_livemode and (c.stripe_session_id = p_said ->> 'id'
    or c.stripe_session_id is null and c.id = private.uuid_or_null(p_said ->> 'checkout_id'))
  for update;
  if not found or v_old.status in ('complete', 'expired') or v_old.status = p_said ->> 'status' then
    return 'applied';
  elsif v_old.version <> p_expected_version then
    return 'stale';
  end if;
  update private.subscription_checkouts set status = p_said ->> 'status', stripe_session_id = p_said ->> 'id',
    version = version + 1, updated_at = now()
  where id = v_old.id;
  perform private.audit('stripe', null, 'checkout.' || (p_said ->> 'status'), 'checkout', v_old.id::text, 'app',
    jsonb_build_object('plan_id', v_old.plan_id));
  return 'applied';
end
$$;

create or replace function private.version_of(p_livemode boolean, p_kind text, p_id text, out version bigint, out is_final boolean)
language plpgsql stable set search_path = '' as $$
begin
  case p_kind
    when 'payment_intent' then
      select p.version, p.status in ('succeeded', 'canceled') into version, is_final from public.payments p
      where p.livemode = p_livemode and p.stripe_payment_intent_id = p_id;
    when 'refund' then
      select r.version, false into version, is_final from public.refunds r
      where r.livemode = p_livemode and r.stripe_refund_id = p_id;
    when 'dispute' then
      select d.version, false into version, is_final from public.disputes d
      where d.livemode = p_livemode and d.stripe_dispute_id = p_id;
    when 'subscription' then
      select s.version, s.status in ('canceled', 'incomplete_expired') into version, is_final from public.subscriptions s
      where s.livemode = p_livemode and s.stripe_subscription_id = p_id;
    when 'invoice' then
      select i.version, i.status in ('paid', 'void') into version, is_final from public.invoices i
      where i.livemode = p_livemode and i.stripe_invoice_id = p_id;
    when 'checkout.session' then
      select c.version, c.status in ('complete', 'expired') into version, is_final from private.subscription_checkouts c
      where c.livemode = p_livemode and c.stripe_session_id = p_id;
  end case;
  version := coalesce(version, 0);
  is_final := coalesce(is_final, false);
end
$$;

-- What an event is about that has to be fetched: an object's kind, or null for what is not ours to know.
create function private.hinted_kind(p_type text) returns text
language sql immutable set search_path = '' as $$
  select case
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
  end
$$;

-- One call, one transaction: keep the event, apply it, post the ledger, write the audit row.
--   p_event          the event, already cut down to the fields we use (object under `object`)
--   p_livemode       the mode this server is in; p_api_version the version it is pinned to
-- Answers {outcome: processed | duplicate | ignored | rejected | needs_fetch | failed | parked, fetch?: {object, id}, expectedVersion?}.
-- A failure of ours rolls back the effects and keeps the event with the error. Lock and serialisation failures are raised:
-- the caller may simply try again.
create or replace function service.apply_event(
  p_event jsonb, p_payload_hash text, p_verified_with text, p_source text, p_livemode boolean, p_account text, p_api_version text
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_row private.webhook_events;
  v_id text := p_event ->> 'id';
  v_mode boolean := (p_event ->> 'livemode')::boolean;
  v_type text := p_event ->> 'type';
  v_object jsonb := p_event -> 'object';
  v_pinned boolean := p_event ->> 'api_version' is not distinct from p_api_version;
  v_kind text := v_object ->> 'object';
  v_fetch_kind text;
  v_fetch_id text;
  v_version bigint;
  v_final boolean := false;
  v_outcome text;
begin
  insert into private.webhook_events (livemode, event_id, type, api_version, account, object_id, stripe_created_at, payload,
    payload_hash, verified_with, source, next_attempt_at)
  values (v_mode, v_id, v_type, p_event ->> 'api_version', p_event ->> 'account', v_object ->> 'id',
    to_timestamp((p_event ->> 'created')::double precision), p_event, p_payload_hash, p_verified_with, p_source,
    now() + interval '30 seconds')
  on conflict do nothing;
  select e.* into v_row from private.webhook_events e where e.livemode = v_mode and e.event_id = v_id for update;
  if v_row.status <> 'pending' then
    return jsonb_build_object('outcome', 'duplicate', 'status', v_row.status);
  end if;

  if v_mode <> p_livemode or p_event ->> 'account' is distinct from p_account and p_event ->> 'account' is not null then
    update private.webhook_events set status = 'rejected', processed_at = now() where livemode = v_mode and event_id = v_id;
    perform private.alert('event_rejected', 'event', v_id);
    return jsonb_build_object('outcome', 'rejected');
  end if;

  v_fetch_kind := private.hinted_kind(v_type);
  v_fetch_id := case when v_kind = 'charge' then v_object ->> 'payment_intent' else v_object ->> 'id' end;
  if v_fetch_kind is null or v_fetch_id is null then
    update private.webhook_events set status = 'ignored', processed_at = now() where livemode = v_mode and event_id = v_id;
    return jsonb_build_object('outcome', 'ignored');
  end if;

  begin
    if v_pinned and v_type in ('payment_intent.succeeded', 'payment_intent.canceled') then
      v_outcome := private.apply_intent(v_mode, v_object, null, p_source);
    elsif v_pinned and v_type in ('charge.succeeded', 'charge.failed') then
      v_outcome := private.apply_charge(v_mode, v_object, p_source);
    elsif v_fetch_kind = 'early_fraud_warning' then
      perform private.keep_fraud_warning(v_mode, v_object);
      v_outcome := 'applied';
    else
      v_outcome := 'needs_fetch';
    end if;
    if v_outcome = 'needs_fetch' then
      select v.version, v.is_final into v_version, v_final from private.version_of(v_mode, v_fetch_kind, v_fetch_id) v;
      -- What is final does not change any more, but for the fee of a charge, which arrives late.
      if v_final and v_pinned and v_type not in ('charge.updated', 'charge.succeeded', 'charge.failed') then
        v_outcome := 'applied';
      end if;
    end if;
    if v_outcome = 'applied' then
      update private.webhook_events set status = 'processed', processed_at = now(), attempts = attempts + 1, last_error = null
      where livemode = v_mode and event_id = v_id;
      return jsonb_build_object('outcome', 'processed');
    end if;
  exception
    when serialization_failure or deadlock_detected or lock_not_available then
      raise;
    when others then
      return jsonb_build_object('outcome', private.note_event_failure(v_mode, v_id, sqlstate));
  end;

  return jsonb_build_object('outcome', 'needs_fetch', 'expectedVersion', v_version,
    'fetch', jsonb_build_object('object', v_fetch_kind, 'id', v_fetch_id));
end
$$;

-- The object as Stripe has it now, asked for by a hint (then p_event_id is done with it), the result page or the sweeper.
-- Answers {outcome, version}: applied; stale (ask Stripe again and come back with that version); needs_payment (its
-- PaymentIntent is not known here: apply that first) and needs_subscription, likewise; foreign (it has none, so it is none of
-- ours: kept as an alert). `entitlements` {customerId, version} is there when what a person may use has changed by it.
create or replace function service.apply_snapshot(
  p_livemode boolean, p_object jsonb, p_expected_version bigint, p_event_id text, p_source text
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_kind text := p_object ->> 'object';
  v_outcome text;
  v_version bigint;
  v_failed_at timestamptz := now();
  v_customer uuid;
  v_before bigint;
  v_after bigint;
begin
  -- The event before order, payment and customer, as in apply_event.
  perform from private.webhook_events e where e.livemode = p_livemode and e.event_id = p_event_id for update;
  v_outcome := case
    when v_kind in ('refund', 'dispute') and p_object ->> 'payment_intent' is null then 'foreign' end;
  if v_outcome = 'foreign' then
    perform private.alert('without_payment_intent', v_kind, p_object ->> 'id');
    update private.webhook_events set status = 'ignored', processed_at = now()
    where livemode = p_livemode and event_id = p_event_id and status = 'pending';
    return jsonb_build_object('outcome', v_outcome, 'version', 0);
  end if;
  if v_kind in ('subscription', 'invoice') then
    -- When a payment failed, Stripe says in the event only. Never later than now, whatever its clock.
    select least(now(), e.stripe_created_at) into v_failed_at from private.webhook_events e
    where e.livemode = p_livemode and e.event_id = p_event_id and e.type in ('invoice.payment_failed', 'invoice.payment_action_required');
    v_failed_at := coalesce(v_failed_at, now());
    v_customer := private.customer_at_stripe(p_livemode, p_object ->> 'customer');
    select v.version into v_before from private.entitlement_versions v where v.customer_id = v_customer and v.livemode = p_livemode;
  end if;
  v_outcome := case v_kind
    when 'payment_intent' then private.apply_intent(p_livemode, p_object, p_expected_version, p_source)
    when 'refund' then private.apply_refund(p_livemode, p_object, p_expected_version, p_source)
    when 'dispute' then private.apply_dispute(p_livemode, p_object, p_expected_version, p_source)
    when 'subscription' then private.apply_subscription(p_livemode, p_object, p_expected_version, v_failed_at, p_source)
    when 'invoice' then private.apply_invoice(p_livemode, p_object, p_expected_version, v_failed_at, p_source)
    when 'checkout.session' then private.apply_checkout(p_livemode, p_object, p_expected_version) end;
  if v_outcome = 'applied' and p_event_id is not null then
    -- The event may be a charge that came before its payment was known: now it is.
    perform private.apply_charge(p_livemode, e.payload -> 'object', p_source)
    from private.webhook_events e
    where e.livemode = p_livemode and e.event_id = p_event_id and e.status = 'pending' and e.type in ('charge.succeeded', 'charge.failed');
    perform private.note_failed_authentication(p_livemode, e.event_id, e.payload -> 'object', p_source)
    from private.webhook_events e
    where e.livemode = p_livemode and e.event_id = p_event_id and e.status = 'pending' and e.type = 'payment_intent.payment_failed';
    update private.webhook_events set status = 'processed', processed_at = now(), attempts = attempts + 1, last_error = null
    where livemode = p_livemode and event_id = p_event_id and status = 'pending';
  end if;
  if v_outcome = 'applied' and v_kind = 'payment_intent' then
    perform private.decide_capture(p_livemode, p_object ->> 'id');
  end if;
  select v.version into v_version from private.version_of(p_livemode, v_kind, p_object ->> 'id') v;
  select v.version into v_after from private.entitlement_versions v where v.customer_id = v_customer and v.livemode = p_livemode;
  return jsonb_strip_nulls(jsonb_build_object('outcome', v_outcome, 'version', v_version, 'entitlements',
    case when v_after is distinct from v_before then jsonb_build_object('customerId', v_customer, 'version', v_after) end));
end
$$;

-- Second subscriptions to cancel at Stripe and pay back, each claimed by one. They stay until all of it is done.
create function service.cancellations_to_carry_out(p_livemode boolean, p_limit integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_claimed jsonb;
begin
  with due as (
    select c.subscription_id from private.subscription_cancellations c join public.subscriptions s on s.id = c.subscription_id
    where c.done_at is null and s.livemode = p_livemode and (c.tried_at is null or c.tried_at < now() - interval '10 seconds')
    order by c.tried_at nulls first limit p_limit for update of c skip locked
  ), claimed as (
    update private.subscription_cancellations c set tried_at = now(), attempt = c.attempt + 1
    from due, public.subscriptions s where c.subscription_id = due.subscription_id and s.id = c.subscription_id
    returning jsonb_build_object('id', s.id, 'stripeId', s.stripe_subscription_id, 'version', s.version, 'attempt', c.attempt,
      'ended', s.status in ('canceled', 'incomplete_expired')) as line
  )
  select coalesce(jsonb_agg(c.line), '[]') into v_claimed from claimed c;
  return v_claimed;
end
$$;

-- A second subscription is over: what was paid for it goes back, once its payments are known. True when nothing is left to do.
create function service.refund_cancelled_subscription(p_subscription_id uuid) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  v_payment public.payments;
  v_left bigint;
  v_missing boolean;
begin
  if not exists (select from private.subscription_cancellations c where c.subscription_id = p_subscription_id and c.done_at is null)
    or not exists (select from public.subscriptions s where s.id = p_subscription_id and s.status in ('canceled', 'incomplete_expired')) then
    return false;
  end if;
  for v_payment in
    select p.* from public.payments p join public.invoices i on i.livemode = p.livemode and i.stripe_payment_intent_id = p.stripe_payment_intent_id
    where i.subscription_id = p_subscription_id and p.status = 'succeeded' order by p.id for update of p
  loop
    v_left := private.refundable_minor(v_payment.id);
    if v_left > 0 then
      perform private.reserve_refund(v_payment, v_left, 'duplicate', '', null);
    end if;
  end loop;
  select exists (
    select from public.invoices i where i.subscription_id = p_subscription_id and i.status = 'paid' and i.amount_paid_minor > 0
      and not exists (select from public.payments p where p.livemode = i.livemode
        and p.stripe_payment_intent_id = i.stripe_payment_intent_id and p.status = 'succeeded')
  ) into v_missing;
  if not v_missing then
    update private.subscription_cancellations set done_at = now() where subscription_id = p_subscription_id;
  end if;
  return not v_missing;
end
$$;

revoke all on function private.describe_payment() from public, anon, authenticated, service_role;
grant create on schema private, service to payments_owner;
do $$
declare
  f record;
begin
  for f in
    select p.oid::regprocedure as signature, n.nspname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'private' and p.proname in ('bump_entitlements', 'customer_at_stripe', 'refuse_second_subscriptions',
        'apply_subscription', 'apply_invoice', 'with_grace', 'words_of_invoice', 'lock_words_of', 'apply_checkout', 'version_of', 'hinted_kind')
      or n.nspname = 'service' and p.proname in ('apply_event', 'apply_snapshot', 'cancellations_to_carry_out',
        'refund_cancelled_subscription')
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
