-- What the configuration says and functions need.

set role tollgate_service;

-- {"receipts": whether, "limits": {kind: allowed...}}. Runs with the rights of who calls it, which is migrate. A limit
-- that was changed in the table stays until its configuration changes.
create or replace function ops.put_settings(p_settings jsonb) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
	update billing.notice_kinds k set mailed = (p_settings -> 'receipts')::boolean where k.kind = 'paid';
	update auth.limits l set allowed = c.value::int, configured = c.value::int
	from jsonb_each_text(p_settings -> 'limits') c
	where l.kind = c.key and l.configured is distinct from c.value::int;
	return null;
end
$$;

reset role;
