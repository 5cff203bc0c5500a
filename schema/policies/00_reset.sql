-- Nobody may do anything: the files after this one say, each time anew, what they may. So a grant or policy that leaves
-- these files leaves the database with the same migrate, and a new table starts closed.

do $$
declare
	ours name[] := array['auth', 'app', 'billing', 'inbox', 'sync', 'mail', 'api', 'service', 'ops', 'meta'];
	roles text[] := array['tollgate_auth', 'tollgate_service', 'tollgate_rls', 'tollgate_signup', 'tollgate_account',
		'tollgate_billing', 'tollgate_webhooks', 'tollgate_jobs', 'tollgate_operator'];
	logins text := array_to_string(roles[4:], ', ');
	item record;
begin
	for item in select nspname from pg_catalog.pg_namespace where nspname = any (ours) loop
		execute format('revoke all on schema %I from public, %s', item.nspname, logins);
		execute format('revoke all on all tables in schema %I from public, %s', item.nspname, array_to_string(roles, ', '));
	end loop;
	for item in
		select p.oid::regprocedure as signature, array_to_string(array_remove(roles, p.proowner::regrole::text), ', ') as others
		from pg_catalog.pg_proc p where p.pronamespace::regnamespace::name = any (ours)
	loop
		execute format('revoke all on function %s from public, %s', item.signature, item.others);
	end loop;
	for item in select * from pg_catalog.pg_policies where schemaname = any (ours) loop
		execute format('drop policy %I on %I.%I', item.policyname, item.schemaname, item.tablename);
	end loop;
	for item in
		select c.oid::regclass as name from pg_catalog.pg_class c
		where c.relnamespace::regnamespace::name = any (ours) and c.relkind in ('r', 'p')
			and not (c.relrowsecurity and c.relforcerowsecurity)
			and c.oid <> 'meta.migrations'::regclass	-- the administrator's own
	loop
		execute format('alter table %s enable row level security, force row level security', item.name);
	end loop;
end
$$;
