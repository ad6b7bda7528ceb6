-- Two replays of one range: the second looks at the rows of the first once more, finds nothing left, and has them locked until it ends.
-- The first skipped them meanwhile, took that for the end, and left all of them to the sweeper. It waits now; those locks are short,
-- and everybody takes them in this order.

create or replace function service.replayed_events(p_livemode boolean, p_replay_id uuid, p_limit integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_claimed jsonb;
begin
  with due as (
    select e.livemode, e.event_id from private.webhook_events e
    where e.status = 'pending' and e.replay_id = p_replay_id and e.livemode = p_livemode and e.next_attempt_at <= now()
    order by e.received_at, e.event_id limit p_limit
    for update
  ), claimed as (
    update private.webhook_events e set next_attempt_at = now() + interval '30 seconds'
    from due where e.livemode = due.livemode and e.event_id = due.event_id
    returning e.received_at, e.event_id, e.payload, e.payload_hash
  )
  select coalesce(jsonb_agg(jsonb_build_object('event', c.payload, 'payloadHash', c.payload_hash)
    order by c.received_at, c.event_id), '[]')
  into v_claimed from claimed c;
  return v_claimed;
end
$$;
