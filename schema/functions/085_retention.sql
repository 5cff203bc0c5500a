-- Events that are through leave after so many days as the configuration says; never while Stripe still lists them, so that
-- none comes in anew.

set role tollgate_service;

-- A thousand at a time, and none that somebody holds: intake never waits for it. The dead stay until they are dealt with.
drop function if exists inbox.drop_events();
create or replace function inbox.drop_events(p_keep_days int) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	dropped bigint;
begin
	delete from inbox.events d where d.id in (
		select e.id from inbox.events e
		where e.received_at < now() - make_interval(days => greatest(p_keep_days, 31))
			and e.state in ('done', 'ignored')
		limit 1000 for update skip locked);
	get diagnostics dropped = row_count;
	return dropped;
end
$$;

reset role;
