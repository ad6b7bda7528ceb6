-- While an older invoice is owed, none of a newer one begins (with_grace). Once the older one is settled, the newer one's does: its own
-- day, from its own first failure. Also where we heard of that failure before we heard that the older one was paid.

create function private.begin_next_grace() returns trigger
language plpgsql set search_path = '' as $$
declare
  v_next public.invoices;
begin
  select i.* into v_next from public.invoices i
  where i.subscription_id = new.subscription_id and i.status = 'open' and i.first_failed_at is not null and i.grace is null
    and not exists (
      select from public.invoices o where o.subscription_id = i.subscription_id and o.status in ('open', 'uncollectible')
        and o.grace is not null and o.first_failed_at <= i.first_failed_at)
  order by i.first_failed_at, i.id limit 1 for update of i;
  if not found then
    return null;
  end if;
  update public.invoices i set grace = 'running', grace_ends_at = i.first_failed_at + interval '24 hours',
    version = i.version + 1, updated_at = now()
  where i.id = v_next.id returning i.* into v_next;
  perform private.audit('system', null, 'grace.started', 'invoice', v_next.id::text, 'app',
    jsonb_build_object('subscription_id', v_next.subscription_id, 'ends_at', v_next.grace_ends_at));
  perform private.queue_mail(v_next.livemode, 'grace_started', v_next.id::text, v_next.customer_id, jsonb_build_object(
    'name', private.words_of_invoice(v_next), 'endsAt', v_next.grace_ends_at, 'path', '/checkout/invoices/' || v_next.id));
  return null;
end
$$;
create trigger invoices_settled_for_the_next after update of status on public.invoices for each row
  when (new.status in ('paid', 'void') and old.status not in ('paid', 'void') and old.grace is not null)
  execute function private.begin_next_grace();

-- An invoice that failed earlier is told later: its day counts, though a newer one's has begun.
create or replace function private.with_grace(p_invoice public.invoices, p_has_failed boolean, p_failed_at timestamptz) returns public.invoices
language plpgsql stable set search_path = '' as $$
begin
  if p_invoice.status = 'open' and p_has_failed and p_invoice.subscription_id is not null
    and p_invoice.billing_reason is distinct from 'subscription_create'
    and (p_invoice.first_failed_at is null or p_failed_at < p_invoice.first_failed_at) then
    p_invoice.first_failed_at := p_failed_at;
    if p_invoice.grace is null and exists (
      select from public.invoices i where i.subscription_id = p_invoice.subscription_id and i.id <> p_invoice.id
        and i.status in ('open', 'uncollectible') and i.grace is not null and i.first_failed_at <= p_failed_at
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

revoke all on function private.begin_next_grace from public, anon, authenticated, service_role;
grant execute on function private.begin_next_grace to payments_owner;
