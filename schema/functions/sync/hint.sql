-- A hint to jobs that there is work. The work itself is in the tables, so a hint may be lost, late or forged.

set role tollgate_service;

-- Runs in a transaction of its own, after the one that stored the work: of those that notify, one commits at a time in
-- the whole cluster. It does not wait for that lock, and it writes nothing, so it waits for no disk.
create or replace function service.hint() returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
	perform set_config('lock_timeout', '50', true);
	notify tollgate_dirty;
end
$$;

reset role;
