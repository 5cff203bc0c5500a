-- Transactions that stay open: they keep dead rows and locks, so one of them slows all others.

set role tollgate_service;

-- Of this database, the oldest five that began at least p_seconds ago, [] for none. tollgate_service sees those of
-- other roles as a member of pg_read_all_stats; without that PostgreSQL hides when they began. Text of statements is
-- left out, because it may hold values.
create or replace function ops.old_transactions(p_seconds int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return (
		select coalesce(jsonb_agg(to_jsonb(t) order by t.since), '[]')
		from (
			select a.pid, a.usename as role, left(a.application_name, 64) as program, a.state, a.xact_start as since
			from pg_stat_activity a
			where a.datname = current_database() and a.backend_type = 'client backend'
				and a.xact_start <= clock_timestamp() - make_interval(secs => p_seconds)
			order by a.xact_start limit 5) t);
end
$$;

-- Raises the alert while there is one, and ends it.
create or replace function service.watch_transactions(p_seconds int default 30) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	old jsonb := ops.old_transactions(p_seconds);
begin
	perform ops.watch(old <> '[]', null, 'old_transaction', current_database(), jsonb_build_object('oldest', old));
	return null;
end
$$;

reset role;
