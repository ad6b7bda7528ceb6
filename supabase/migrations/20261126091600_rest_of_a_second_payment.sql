-- A second payment of an order goes back by itself: what is left of it. Staff may have given some back in Stripe's dashboard before
-- we heard that it succeeded; asked for the whole, Stripe refused, and the rest stayed.

create or replace function private.settle_order(p_payment public.payments, p_source text) returns void
language plpgsql set search_path = '' as $$
declare
  v_order public.orders;
  v_reason text;
  v_left bigint;
begin
  select o.* into v_order from public.orders o where o.id = p_payment.order_id;
  if not found or v_order.paid_by_payment_id = p_payment.id then
    return;
  end if;
  v_reason := case
    when v_order.status = 'paid' then 'order_already_paid'
    when p_payment.currency <> v_order.currency or p_payment.amount_received_minor <> v_order.total_minor then 'amount_differs'
  end;
  if v_reason is not null then
    update public.payments set review_reason = v_reason, version = version + 1, updated_at = now() where id = p_payment.id;
    perform private.alert('payment_' || v_reason, 'payment', p_payment.id::text);
    if v_reason = 'order_already_paid' then
      v_left := private.refundable_minor(p_payment.id);
      if v_left > 0 then
        -- The sweeper asks Stripe for it.
        perform private.reserve_refund(p_payment, v_left, 'duplicate', '', null);
      end if;
    end if;
    return;
  end if;
  update public.orders set status = 'paid', paid_at = now(), paid_by_payment_id = p_payment.id where id = v_order.id;
  perform private.audit('stripe', null, 'order.paid', 'order', v_order.id::text, p_source,
    jsonb_build_object('payment_id', p_payment.id));
end
$$;
