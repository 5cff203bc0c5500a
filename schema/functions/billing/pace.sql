-- How fast all programs together call Stripe, which limits the account and not the process.

set role tollgate_service;

-- A time that is further ahead than it can be was written while a clock was wrong: it counts as this one.
create or replace function billing.sane_time(p_time timestamptz, p_this timestamptz, p_most interval)
	returns timestamptz
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return case when p_time > p_this + p_most then p_this else greatest(p_time, p_this) end;
end
$$;

-- 0: the call may be made now, and is counted. Else the milliseconds to wait before asking again. A second's worth of
-- calls may be made at once; then they are spread evenly. What a crash forgets does no harm, so that nobody waits for
-- the disk while he holds the one row.
create or replace function api.take_turn(p_rate int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	this timestamptz := clock_timestamp();
	cost interval := interval '1 s' / p_rate;
	free interval := interval '1 s' - cost;
	full_most constant interval := interval '61 s';		-- a pause, and a second's worth of calls
	pause_most constant interval := interval '60 s';
begin
	perform set_config('synchronous_commit', 'off', true);
	update billing.pace p set full_at = billing.sane_time(p.full_at, this, full_most) + cost
	where billing.sane_time(p.paused_until, this, pause_most) = this
		and billing.sane_time(p.full_at, this, full_most) <= this + free;
	if found then
		return to_jsonb(0);
	end if;
	return (select to_jsonb(greatest(1, ceil(1000 * extract(epoch from greatest(
			billing.sane_time(p.paused_until, this, pause_most),
			billing.sane_time(p.full_at, this, full_most) - free) - this)))::int)
		from billing.pace p);
end
$$;

-- Stripe asked to slow down: no calls for p_ms, at most a minute, and after that no burst. Never shortens a pause.
create or replace function api.pause_calls(p_ms int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	ends timestamptz := clock_timestamp() + make_interval(secs => least(p_ms, 60000) / 1000.0);
begin
	update billing.pace p set paused_until = greatest(p.paused_until, ends),
		full_at = greatest(p.full_at, ends + interval '1 s');
	return null;
end
$$;

reset role;
