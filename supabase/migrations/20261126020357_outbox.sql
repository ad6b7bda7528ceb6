-- Mails that are owed. Each is written in the transaction of the fact it tells of, so there is one exactly when the fact is there;
-- a job sends them afterwards. A row holds ids and figures, never an address: that is looked up when the mail goes out, and who has
-- been erased gets none.

create table private.outbox (
  -- The mail's Message-ID as well: one that goes out a second time can be told from two.
  id uuid primary key default gen_random_uuid(),
  livemode boolean not null,
  kind text not null constraint outbox_kind_known check (kind in (
    'receipt', 'refund', 'failed_payment', 'action_needed', 'grace_started', 'card_expiring', 'payment_request')),
  -- What it is about, in the words of whoever owes it: one mail per fact.
  key text not null constraint outbox_key_length check (char_length(key) between 1 and 255),
  customer_id uuid references public.customers (id) on delete restrict,
  -- What lib/mails/facts.ts lists for this kind.
  facts jsonb not null,
  status text not null default 'waiting'
    constraint outbox_status_known check (status in ('waiting', 'sending', 'sent', 'dropped', 'failed')),
  attempts integer not null default 0,
  -- When to send it; while it is being sent, when whoever does has surely given up.
  due_at timestamptz not null default now(),
  last_error text,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  constraint outbox_one_mail_per_fact unique (livemode, kind, key)
);
create index outbox_due on private.outbox (due_at) where status in ('waiting', 'sending');
create index outbox_by_customer on private.outbox (customer_id);

alter table private.outbox enable row level security;
revoke all on private.outbox from public, anon, authenticated, service_role;
create policy outbox_functions on private.outbox to payments_owner using (true) with check (true);
grant select, insert, update on private.outbox to payments_owner;

-- Owe a customer a mail. Called in the transaction of the fact; a second call for the same fact does nothing. A customer who is
-- not known gets none.
create function private.queue_mail(
  p_livemode boolean, p_kind text, p_key text, p_customer_id uuid, p_facts jsonb, p_due_at timestamptz default now()
) returns void
language sql set search_path = '' as $$
  insert into private.outbox (livemode, kind, key, customer_id, facts, due_at)
  select p_livemode, p_kind, p_key, p_customer_id, p_facts, p_due_at where p_customer_id is not null
  on conflict (livemode, kind, key) do nothing
$$;

-- Money has come. A trigger: whatever makes a payment succeed owes the receipt.
create function private.owe_receipt() returns trigger
language plpgsql set search_path = '' as $$
begin
  perform private.queue_mail(new.livemode, 'receipt', new.id::text, new.customer_id, jsonb_build_object(
    'paymentId', new.id, 'amountMinor', new.amount_received_minor, 'currency', new.currency,
    'reference', (select o.reference from public.orders o where o.id = new.order_id)));
  return null;
end
$$;
create trigger payments_owe_receipt after update of status on public.payments for each row
  when (new.status = 'succeeded' and old.status <> 'succeeded') execute function private.owe_receipt();

-- A bank has refused. Only for what the app opened: who owes a subscription is told by what follows from it. The person is
-- most likely still trying, so it waits two minutes, and is dropped if the payment has come to something by then.
create function private.owe_failure_notice() returns trigger
language plpgsql set search_path = '' as $$
begin
  perform private.queue_mail(p.livemode, 'failed_payment', p.id::text, p.customer_id, jsonb_build_object(
    'paymentId', p.id, 'orderId', p.order_id, 'reference', (select o.reference from public.orders o where o.id = p.order_id)),
    now() + interval '2 minutes')
  from public.payments p where p.id = new.payment_id and p.origin = 'app';
  return null;
end
$$;
create trigger payment_attempts_owe_notice after insert on private.payment_attempts for each row
  when (new.outcome = 'failed') execute function private.owe_failure_notice();

-- Money has gone back.
create function private.owe_refund_notice() returns trigger
language plpgsql set search_path = '' as $$
begin
  perform private.queue_mail(new.livemode, 'refund', new.id::text, p.customer_id, jsonb_build_object(
    'paymentId', p.id, 'amountMinor', new.amount_minor, 'currency', new.currency,
    'reference', (select o.reference from public.orders o where o.id = p.order_id)))
  from public.payments p where p.id = new.payment_id;
  return null;
end
$$;
create trigger refunds_owe_notice after insert on public.refunds for each row
  when (new.status = 'succeeded') execute function private.owe_refund_notice();
create trigger refunds_owe_late_notice after update of status on public.refunds for each row
  when (new.status = 'succeeded' and old.status <> 'succeeded') execute function private.owe_refund_notice();

-- Where a customer's mail goes now; null when the person is gone. Definer, owned by the migrating role: payments_owner is not to
-- read auth.users, and this tells it one address.
create function private.address_of(p_customer_id uuid) returns text
language sql stable security definer set search_path = '' as $$
  select u.email from public.customers c join auth.users u on u.id = c.user_id
  where c.id = p_customer_id and u.deleted_at is null
$$;

-- Whether a mail says what is no longer so.
create function private.is_mail_moot(p_mail private.outbox) returns boolean
language sql stable set search_path = '' as $$
  select p_mail.kind = 'failed_payment' and exists (
    select from public.payments p
    where p.id = private.uuid_or_null(p_mail.facts ->> 'paymentId') and p.status in ('processing', 'requires_capture', 'succeeded', 'canceled'))
$$;

create function private.outbox_lease(p_livemode boolean) returns text
language sql immutable set search_path = '' as $$
  select case when p_livemode then 'outbox_live' else 'outbox_test' end
$$;

-- Claim the next mail that is due: {id, kind, facts, to, attempt}, or null. It is nobody else's for a minute, which is longer than
-- any attempt to send it takes; after a crash it is claimed again then. Raises 55000 when the lease is lost.
create function service.claim_mail(p_livemode boolean, p_fencing bigint) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_mail private.outbox;
  v_to text;
  v_reason text;
begin
  perform private.require_lease(private.outbox_lease(p_livemode), p_fencing);
  loop
    -- One at a time: rows that are merely looked at must not be locked for others.
    select o.* into v_mail from private.outbox o
    where o.livemode = p_livemode and o.status in ('waiting', 'sending') and o.due_at <= now()
    order by o.due_at limit 1
    for update skip locked;
    if not found then
      return null;
    end if;
    v_to := private.address_of(v_mail.customer_id);
    v_reason := case when v_to is null then 'no_address' when private.is_mail_moot(v_mail) then 'moot' end;
    if v_reason is null then
      update private.outbox o set status = 'sending', attempts = o.attempts + 1, due_at = now() + interval '1 minute'
      where o.id = v_mail.id returning * into v_mail;
      return jsonb_build_object('id', v_mail.id, 'kind', v_mail.kind, 'facts', v_mail.facts, 'to', v_to, 'attempt', v_mail.attempts);
    end if;
    update private.outbox o set status = 'dropped', last_error = v_reason, finished_at = now() where o.id = v_mail.id;
  end loop;
end
$$;

-- It has left. No lease is asked for: that is a fact, whoever says it.
create function service.mail_sent(p_mail_id uuid) returns void
language sql security definer set search_path = '' as $$
  update private.outbox set status = 'sent', last_error = null, finished_at = now() where id = p_mail_id and status <> 'sent'
$$;

-- It has not. Tried again with growing pauses, up to an hour; given up, with an alert, after twenty attempts (over half a day) or
-- at once when the other side will never take it. Answers the status.
create function service.mail_not_sent(p_mail_id uuid, p_attempt integer, p_code text, p_for_good boolean) returns text
language plpgsql security definer set search_path = '' as $$
declare
  v_mail private.outbox;
begin
  update private.outbox o set last_error = p_code,
    status = case when p_for_good or o.attempts >= 20 then 'failed' else 'waiting' end,
    finished_at = case when p_for_good or o.attempts >= 20 then now() end,
    due_at = now() + make_interval(secs => least(3600, 10 * 2 ^ least(o.attempts, 12)) * (0.75 + random() / 2))
  where o.id = p_mail_id and o.status = 'sending' and o.attempts = p_attempt
  returning * into v_mail;
  if v_mail.status = 'failed' then
    perform private.alert('mail_given_up', 'mail', p_mail_id::text, jsonb_build_object('kind', v_mail.kind, 'code', p_code));
  end if;
  return v_mail.status;
end
$$;

grant create on schema private, service to payments_owner;
do $$
declare
  f record;
begin
  for f in
    select p.oid::regprocedure as signature, n.nspname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'private' and p.proname in ('queue_mail', 'owe_receipt', 'owe_failure_notice', 'owe_refund_notice',
        'address_of', 'is_mail_moot', 'outbox_lease')
      or n.nspname = 'service' and p.proname in ('claim_mail', 'mail_sent', 'mail_not_sent')
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
