-- A row's version says which answers of Stripe are older than what it holds. An answer that changed nothing left it as it was, and
-- one that was asked for before it could still be written after it: a subscription that was resumed stayed ending. Each answer moves
-- the version now, except where nothing can change any more.

create or replace function service.apply_snapshot(
  p_livemode boolean, p_object jsonb, p_expected_version bigint, p_event_id text, p_source text
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_kind text := p_object ->> 'object';
  v_id text := p_object ->> 'id';
  v_outcome text;
  v_version bigint;
  v_final boolean;
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
    perform private.alert('without_payment_intent', v_kind, v_id);
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
    perform private.decide_capture(p_livemode, v_id);
  end if;
  select v.version, v.is_final into v_version, v_final from private.version_of(p_livemode, v_kind, v_id) v;
  if v_outcome = 'applied' and v_version = p_expected_version and not v_final then
    case v_kind
      when 'payment_intent' then
        update public.payments p set version = p.version + 1 where p.livemode = p_livemode and p.stripe_payment_intent_id = v_id;
      when 'refund' then
        update public.refunds r set version = r.version + 1 where r.livemode = p_livemode and r.stripe_refund_id = v_id;
      when 'dispute' then
        update public.disputes d set version = d.version + 1 where d.livemode = p_livemode and d.stripe_dispute_id = v_id;
      when 'subscription' then
        update public.subscriptions s set version = s.version + 1 where s.livemode = p_livemode and s.stripe_subscription_id = v_id;
      when 'invoice' then
        -- An answer about the subscription tells of its invoice, too. Locked by apply_invoice, the subscription first.
        update public.subscriptions s set version = s.version + 1 where s.livemode = p_livemode
          and s.stripe_subscription_id = p_object ->> 'subscription';
        update public.invoices i set version = i.version + 1 where i.livemode = p_livemode and i.stripe_invoice_id = v_id;
      else null;  -- A Checkout page only ever ends.
    end case;
    v_version := v_version + 1;
  end if;
  select v.version into v_after from private.entitlement_versions v where v.customer_id = v_customer and v.livemode = p_livemode;
  return jsonb_strip_nulls(jsonb_build_object('outcome', v_outcome, 'version', v_version, 'entitlements',
    case when v_after is distinct from v_before then jsonb_build_object('customerId', v_customer, 'version', v_after) end));
end
$$;
