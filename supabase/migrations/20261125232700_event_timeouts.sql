-- A statement that ran out of time is either its event's fault or that of a database that is slow for everybody. The first has to be
-- parked in the end, the second must park nothing. What tells them apart is what becomes of the other events meanwhile.

alter table private.webhook_events add column timed_out_at timestamptz;
-- When the fate of the others was last looked at.
alter table private.webhook_events add column weighed_at timestamptz;
create index webhook_events_timed_out on private.webhook_events (timed_out_at) where timed_out_at is not null;
-- Events are done with about in the order they come in: a few pages answer who was, lately.
create index webhook_events_done on private.webhook_events using brin (processed_at);

-- Keep an event that could not be applied in time, and when to try again: minutes later, as each try costs seconds of the database.
-- It counts towards parking, at most once in each of these waits, when more of the others were applied during it than ran out of time.
-- Answers `failed` or `parked`.
create function service.event_timed_out(p_event jsonb, p_payload_hash text, p_verified_with text, p_source text) returns text
language plpgsql security definer set search_path = '' as $$
declare
  v_mode boolean := (p_event ->> 'livemode')::boolean;
  v_id text := p_event ->> 'id';
  v_row private.webhook_events;
  v_wait interval;
  v_applied bigint;
  v_timed_out bigint;
begin
  insert into private.webhook_events (livemode, event_id, type, api_version, account, object_id, stripe_created_at, payload,
    payload_hash, verified_with, source)
  values (v_mode, v_id, p_event ->> 'type', p_event ->> 'api_version', p_event ->> 'account', p_event -> 'object' ->> 'id',
    to_timestamp((p_event ->> 'created')::double precision), p_event, p_payload_hash, p_verified_with, p_source)
  on conflict do nothing;
  -- Locked by somebody who is trying: their news is newer.
  select e.* into v_row from private.webhook_events e
  where e.livemode = v_mode and e.event_id = v_id and e.status = 'pending' for update skip locked;
  if not found then
    return case when exists (select from private.webhook_events e
      where e.livemode = v_mode and e.event_id = v_id and e.status = 'parked') then 'parked' else 'failed' end;
  end if;

  v_wait := make_interval(mins => least(2 ^ v_row.attempts, 30)::integer);
  if v_row.weighed_at <= now() - v_wait then
    select count(*) into v_applied from private.webhook_events e where e.processed_at > v_row.weighed_at and e.status = 'processed';
    -- Trouble that began together is retried together: the others' last try may be just before ours.
    select count(*) into v_timed_out from private.webhook_events e where e.timed_out_at > v_row.weighed_at - v_wait and e.event_id <> v_id;
    if v_applied > v_timed_out and private.note_event_failure(v_mode, v_id, '57014') = 'parked' then
      return 'parked';
    end if;
  end if;
  update private.webhook_events set
    timed_out_at = now(), last_error = '57014', next_attempt_at = now() + v_wait * (0.875 + random() / 4),
    weighed_at = case when weighed_at > now() - v_wait then weighed_at else now() end
  where livemode = v_mode and event_id = v_id;
  return 'failed';
end
$$;

grant create on schema service to payments_owner;
revoke all on function service.event_timed_out(jsonb, text, text, text) from public, anon, authenticated, service_role;
alter function service.event_timed_out(jsonb, text, text, text) owner to payments_owner;
grant execute on function service.event_timed_out(jsonb, text, text, text) to payments_service;
revoke create on schema service from payments_owner;
