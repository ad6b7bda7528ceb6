-- As they were, in the words a linter of functions follows: an answer of the declared type, a loop that has an end.

create or replace function service.refunds_to_sweep(p_livemode boolean, p_limit integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_claimed jsonb;
begin
  if not private.is_on('refunds') then
    return jsonb_build_array();
  end if;
  with due as (
    select q.id from private.refund_requests q join public.payments p on p.id = q.payment_id
    where q.status = 'reserved' and p.livemode = p_livemode and q.checked_at < now() - interval '10 seconds'
    order by q.checked_at limit p_limit for update of q skip locked
  ), claimed as (
    update private.refund_requests q set checked_at = now() from due where q.id = due.id returning q.*
  )
  select coalesce(jsonb_agg(private.refund_request_json(c::private.refund_requests)), jsonb_build_array())
  into v_claimed from claimed c;
  return v_claimed;
end
$$;

create or replace function service.claim_mail(p_livemode boolean, p_fencing bigint) returns jsonb
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
    exit when not found;
    v_to := private.mail_address(v_mail);
    v_reason := case when v_to is null then 'no_address' when private.is_mail_moot(v_mail) then 'moot' end;
    if v_reason is null then
      update private.outbox o set status = 'sending', attempts = o.attempts + 1, due_at = now() + interval '1 minute'
      where o.id = v_mail.id returning * into v_mail;
      return jsonb_build_object('id', v_mail.id, 'kind', v_mail.kind, 'facts', v_mail.facts, 'to', v_to, 'attempt', v_mail.attempts);
    end if;
    update private.outbox o set status = 'dropped', last_error = v_reason, finished_at = now() where o.id = v_mail.id;
  end loop;
  return null;
end
$$;
