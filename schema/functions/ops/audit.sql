-- The audit log as the operator checks it.

set role tollgate_service;

drop function if exists ops.verify_audit();	-- before it took parts

-- Whether each row of the log is as it was written: the p_most rows after row p_after, with the hash p_before that the
-- call before this one has told; by default all rows. "n" and "hash" are of the log's last row: kept elsewhere, they
-- show later whether the whole log was written anew.
create or replace function ops.verify_audit(p_after bigint default 0, p_before bytea default sha256(''),
	p_most int default null) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (select audit.faults_of(p_after, p_before, p_most)
			|| jsonb_build_object('n', h.n, 'hash', encode(h.hash, 'hex')) from audit.head h);
end
$$;

reset role;
