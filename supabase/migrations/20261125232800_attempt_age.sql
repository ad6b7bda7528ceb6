-- How old an attempt's idempotency key is decides whether it can still be trusted at Stripe. The database wrote when the attempt
-- began, so it says how long ago that is: a server whose clock is off, or jumps by a day, then decides the same.

create or replace function private.payment_json(p public.payments) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'id', p.id, 'orderId', p.order_id, 'status', p.status, 'amountMinor', p.amount_minor, 'currency', p.currency,
    'intentId', p.stripe_payment_intent_id, 'request', p.stripe_request, 'attempt', p.attempt,
    'attemptAgeSeconds', extract(epoch from now() - p.attempted_at), 'createdAt', p.created_at, 'version', p.version)
$$;

create or replace function private.refund_request_json(q private.refund_requests) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object('id', q.id, 'paymentId', q.payment_id, 'amountMinor', q.amount_minor, 'status', q.status,
    'request', q.stripe_request, 'attempt', q.attempt, 'attemptAgeSeconds', extract(epoch from now() - q.attempted_at),
    'createdAt', q.created_at, 'currency', (select p.currency from public.payments p where p.id = q.payment_id))
$$;
