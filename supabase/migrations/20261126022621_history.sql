-- The history by status: whichever state a customer asks for, the pages come out of an index in their order. Each payment
-- stands in one of the four, and in the one of all states (payments_by_customer).

create index payments_paid_by_customer on public.payments (customer_id, created_at desc, id desc)
  where status = 'succeeded' and amount_refunded_minor = 0;
create index payments_refunded_by_customer on public.payments (customer_id, created_at desc, id desc)
  where status = 'succeeded' and amount_refunded_minor > 0;
create index payments_canceled_by_customer on public.payments (customer_id, created_at desc, id desc)
  where status = 'canceled';
create index payments_unfinished_by_customer on public.payments (customer_id, created_at desc, id desc)
  where status not in ('succeeded', 'canceled');
