-- Whatever Stripe says that cannot be becomes an alert: not only a cancel of what has succeeded, but any other way out of a final
-- status, and a status we have never heard of.

-- What private.next_status does not follow, and money that arrives after a cancel. lib/payments/status.ts says the same.
create function private.is_impossible_change(p_now text, p_said text) returns boolean
language sql immutable set search_path = '' as $$
  select private.next_status(p_now, p_said) is distinct from p_said or p_now = 'canceled' and p_said = 'succeeded'
$$;
revoke all on function private.is_impossible_change(text, text) from public, anon, authenticated, service_role;
grant execute on function private.is_impossible_change(text, text) to payments_owner;

-- Take over what Stripe says of a PaymentIntent. Returns `applied`, or `stale` when p_expected_version is given and the row
-- has moved since (nothing is changed then). p_intent.latest_charge may be an id or the charge itself.
create or replace function private.apply_intent(p_livemode boolean, p_intent jsonb, p_expected_version bigint, p_source text) returns text
language plpgsql set search_path = '' as $$
declare
  v_old public.payments;
  v_new public.payments;
  v_said text := p_intent ->> 'status';
  v_charge jsonb := case when jsonb_typeof(p_intent -> 'latest_charge') = 'object' then p_intent -> 'latest_charge' end;
  v_charge_id text := coalesce(v_charge ->> 'id', p_intent ->> 'latest_charge');
  v_locked record;
begin
  select * into v_locked from private.lock_payment_of_intent(p_livemode, p_intent);
  v_old := v_locked.payment;
  if not v_locked.is_new and v_old.version <> p_expected_version then
    return 'stale';
  end if;

  v_new := v_old;
  v_new.status := private.next_status(v_old.status, v_said);
  if private.is_impossible_change(v_old.status, v_said) then
    perform private.alert('impossible_status', 'payment', v_old.id::text, jsonb_build_object('had', v_old.status, 'said', v_said));
  end if;
  if v_new.status = v_said then
    v_new.amount_received_minor := coalesce((p_intent ->> 'amount_received')::bigint, 0);
    v_new.failure_hint := case when v_said = 'requires_payment_method' then private.failure_hint(p_intent -> 'last_payment_error') end;
    v_new.last_failure_code := coalesce(p_intent -> 'last_payment_error' ->> 'code', v_old.last_failure_code);
    v_new.last_decline_code := coalesce(p_intent -> 'last_payment_error' ->> 'decline_code', v_old.last_decline_code);
    v_new.paid_at := case when v_said = 'succeeded' then coalesce(v_old.paid_at, now()) end;
    v_new.canceled_at := case when v_said = 'canceled' then coalesce(v_old.canceled_at, now()) end;
  end if;
  if v_said = 'succeeded' then
    -- The amount and currency that were really paid are Stripe's to say.
    v_new.currency := p_intent ->> 'currency';
  end if;
  v_new := private.with_card(v_new, v_charge);

  if v_new is distinct from v_old or v_locked.is_new then
    update public.payments p set
      status = v_new.status, amount_received_minor = v_new.amount_received_minor, currency = v_new.currency,
      failure_hint = v_new.failure_hint, last_failure_code = v_new.last_failure_code, last_decline_code = v_new.last_decline_code,
      paid_at = v_new.paid_at, canceled_at = v_new.canceled_at,
      card_brand = v_new.card_brand, card_last4 = v_new.card_last4, card_exp_month = v_new.card_exp_month,
      card_exp_year = v_new.card_exp_year, card_country = v_new.card_country, card_fingerprint_hash = v_new.card_fingerprint_hash,
      version = v_old.version + 1, updated_at = now()
    where p.id = v_old.id returning * into v_new;
  end if;
  if v_new.status <> v_old.status then
    perform private.audit('stripe', null, 'payment.' || v_new.status, 'payment', v_new.id::text, p_source,
      jsonb_build_object('from', v_old.status, 'intent_id', p_intent ->> 'id'));
  end if;
  if v_new.status = 'succeeded' then
    perform private.post_charge(v_new, v_charge_id, v_new.amount_received_minor, v_new.currency);
    perform private.post_settlement(v_new, v_charge -> 'balance_transaction', v_new.amount_received_minor, v_new.currency, 'fees');
    if v_old.status <> 'succeeded' then
      perform private.settle_order(v_new, p_source);
    end if;
  end if;
  return 'applied';
end
$$;

