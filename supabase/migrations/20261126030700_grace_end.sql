-- As it was, without a variable that nothing read.

create or replace function service.end_graces(p_livemode boolean, p_fencing bigint, p_limit integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_invoice record;
  v_ended jsonb := jsonb_build_array();
begin
  perform private.require_lease('grace', p_fencing);
  for v_invoice in
    select i.id, i.customer_id, i.subscription_id from public.invoices i
    where i.grace = 'running' and i.grace_ends_at <= now() and i.livemode = p_livemode order by i.grace_ends_at limit p_limit
  loop
    -- The subscription first, as everywhere.
    perform from public.subscriptions s where s.id = v_invoice.subscription_id for update;
    update public.invoices i set grace = 'ended', version = version + 1, updated_at = now()
    where i.id = v_invoice.id and i.grace = 'running' and i.grace_ends_at <= now();
    if found then
      update public.subscriptions set version = version + 1, updated_at = now() where id = v_invoice.subscription_id;
      perform private.audit('system', null, 'grace.ended', 'invoice', v_invoice.id::text, 'app',
        jsonb_build_object('subscription_id', v_invoice.subscription_id));
      perform private.bump_entitlements(v_invoice.customer_id, p_livemode);
      v_ended := v_ended || coalesce((
        select jsonb_build_array(jsonb_build_object('customerId', v.customer_id, 'version', v.version))
        from private.entitlement_versions v where v.customer_id = v_invoice.customer_id and v.livemode = p_livemode), jsonb_build_array());
    end if;
  end loop;
  return v_ended;
end
$$;
