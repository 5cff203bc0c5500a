-- The audit log as the operator checks it.

set role tollgate_service;

-- Whether each row of the log is as it was written. "n" and "hash" are of the last row: kept elsewhere, they show later
-- whether the whole log was written anew.
create or replace function ops.verify_audit() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (select jsonb_build_object('faults', audit.faults(), 'n', h.n, 'hash', encode(h.hash, 'hex'))
		from audit.head h);
end
$$;

reset role;
