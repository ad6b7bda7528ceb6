-- Staff look into the inbox, and have events applied again. Nothing is done twice by that: every effect has a key of its own. An
-- event is judged anew, so what was parked, ignored or rejected becomes true if what stood in its way is gone.

alter table private.webhook_events add column replay_id uuid;
create index webhook_events_by_replay on private.webhook_events (replay_id) where status = 'pending' and replay_id is not null;
create index webhook_events_by_arrival on private.webhook_events (received_at desc, event_id desc);

-- A page of the inbox, newest first, of both modes; without payloads. The next page begins after the last row of this one.
-- Reading it is noted.
create function service.inbox_events(
  p_actor uuid, p_status text, p_type text, p_after_at timestamptz, p_after_id text, p_limit integer
) returns jsonb
language plpgsql security definer set search_path = '' as $$
begin
  perform private.require_staff(p_actor, 'support', 'admin', 'auditor');
  perform private.audit('staff', p_actor, 'inbox.read', 'inbox', '*', 'app',
    jsonb_strip_nulls(jsonb_build_object('status', p_status, 'type', p_type)));
  return (
    select coalesce(jsonb_agg(jsonb_build_object('id', e.event_id, 'livemode', e.livemode, 'type', e.type, 'objectId', e.object_id,
        'status', e.status, 'source', e.source, 'attempts', e.attempts, 'lastError', e.last_error, 'receivedAt', e.received_at,
        'processedAt', e.processed_at, 'nextAttemptAt', case when e.status = 'pending' then e.next_attempt_at end,
        'replayId', e.replay_id) order by e.received_at desc, e.event_id desc), '[]')
    from (
      select w.* from private.webhook_events w
      where w.status = coalesce(p_status, w.status) and w.type = coalesce(p_type, w.type)
        and (p_after_at is null or (w.received_at, w.event_id) < (p_after_at, p_after_id))
      order by w.received_at desc, w.event_id desc limit p_limit
    ) e);
end
$$;

-- Make events, whose rows the caller has locked, pending again. One row in the audit log tells who and why, one more each event.
create function private.start_replay(p_actor uuid, p_livemode boolean, p_event_ids text[], p_reason text, p_detail jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  v_replay uuid := gen_random_uuid();
begin
  perform private.audit('staff', p_actor, 'replay.requested', 'replay', v_replay::text, 'app',
    p_detail || jsonb_build_object('reason', p_reason, 'events', cardinality(p_event_ids)));
  perform private.audit('staff', p_actor, 'event.replayed', 'event', e.event_id, 'app',
    jsonb_build_object('replay_id', v_replay, 'from', e.status))
  from private.webhook_events e
  where e.livemode = p_livemode and e.event_id = any (p_event_ids) order by e.received_at, e.event_id;
  update private.webhook_events set status = 'pending', source = 'replay', replay_id = v_replay, attempts = 0, last_error = null,
    processed_at = null, next_attempt_at = now(), timed_out_at = null, weighed_at = null
  where livemode = p_livemode and event_id = any (p_event_ids);
  return jsonb_build_object('replayId', v_replay, 'events', cardinality(p_event_ids));
end
$$;

-- Raises 42501 unless the actor is support or admin; 22023 no reason; P0002 no such event in this mode; 55000 its payload is
-- not kept any more.
create function service.replay_event(p_actor uuid, p_livemode boolean, p_event_id text, p_reason text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_reason text := private.reason(p_reason);
  v_event private.webhook_events;
begin
  perform private.require_staff(p_actor, 'support', 'admin');
  select e.* into v_event from private.webhook_events e
  where e.livemode = p_livemode and e.event_id = p_event_id for update;
  if not found then
    raise exception 'no such event' using errcode = 'no_data_found';
  elsif v_event.payload is null then
    raise exception 'its payload is gone' using errcode = 'object_not_in_prerequisite_state';
  end if;
  return private.start_replay(p_actor, p_livemode, array[p_event_id], v_reason, '{}');
end
$$;

-- The events of one status that came in between two times, of one type if p_type is given; those whose payload is not kept any
-- more are left out. Raises 42501 unless the actor is an admin; 22023 no reason or no such range; PW011 more than a thousand.
create function service.replay_events(
  p_actor uuid, p_livemode boolean, p_from timestamptz, p_until timestamptz, p_status text, p_type text, p_reason text
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_reason text := private.reason(p_reason);
  v_ids text[];
begin
  perform private.require_staff(p_actor, 'admin');
  if p_from is null or p_until is null or p_from >= p_until
    or p_status is null or p_status not in ('pending', 'processed', 'ignored', 'rejected', 'parked') then
    raise exception 'no such range' using errcode = 'invalid_parameter_value';
  end if;
  -- In one order for everybody: two replays of one range wait for each other, and the second finds what the first left.
  select coalesce(array_agg(l.event_id), '{}') into v_ids from (
    select e.event_id from private.webhook_events e
    where e.livemode = p_livemode and e.received_at >= p_from and e.received_at < p_until
      and e.status = p_status and e.type = coalesce(p_type, e.type) and e.payload is not null
    order by e.received_at, e.event_id limit 1001
    for update
  ) l;
  if cardinality(v_ids) > 1000 then
    raise exception 'more than a thousand events' using errcode = 'PW011';
  end if;
  return private.start_replay(p_actor, p_livemode, v_ids, v_reason, jsonb_strip_nulls(jsonb_build_object(
    'status', p_status, 'type', p_type, 'from', p_from, 'until', p_until)));
end
$$;

-- Claim events of a replay that still wait. What nobody claims here is the sweeper's.
create function service.replayed_events(p_livemode boolean, p_replay_id uuid, p_limit integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_claimed jsonb;
begin
  with due as (
    select e.livemode, e.event_id from private.webhook_events e
    where e.status = 'pending' and e.replay_id = p_replay_id and e.livemode = p_livemode and e.next_attempt_at <= now()
    order by e.received_at, e.event_id limit p_limit
    for update skip locked
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

grant create on schema private, service to payments_owner;
do $$
declare
  f record;
begin
  for f in
    select p.oid::regprocedure as signature, n.nspname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'private' and p.proname in ('start_replay')
      or n.nspname = 'service' and p.proname in ('inbox_events', 'replay_event', 'replay_events', 'replayed_events')
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
