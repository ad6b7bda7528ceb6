-- Nobody waits longer than the window. Of many that start at once, one that had to wait for the others' locks counts what they
-- opened after its own moment (the time of a transaction is that of its beginning), and would have said a second more.
create or replace function private.seconds_to_wait(p_limit private.payment_limits, p_times timestamptz[]) returns integer
language sql stable set search_path = '' as $$
  select greatest(1, least(p_limit.window_seconds,
    ceil(extract(epoch from p_times[p_limit.value] - now()) + p_limit.window_seconds)))::integer
  where p_times[p_limit.value] > now() - make_interval(secs => p_limit.window_seconds)
$$;
