-- A hint that there is work, for jobs that listen. What it stands for is in the tables, so it may be lost, late or forged.

set role tollgate_service;

-- A transaction of its own, never the one that brings the work: of those that notify, one commits at a time in the whole
-- cluster. Nor does it wait for the others. It writes nothing, so it waits for no disk.
create or replace function service.hint() returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
	perform set_config('lock_timeout', '50', true);
	notify tollgate_dirty;
end
$$;

reset role;
