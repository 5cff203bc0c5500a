-- Revokes every right and drops every policy: the files after this one state the rights anew at each migrate. A grant
-- or policy that leaves these files so leaves the database with the same migrate, and a new table starts closed.

do $$
declare
	ours name[] := array['auth', 'app', 'billing', 'inbox', 'sync', 'mail', 'api', 'service', 'ops', 'meta'];
	-- without the owner of the schemas and tables
	roles text[] := array(select r.rolname::text from pg_catalog.pg_roles r where r.rolname like 'tollgate\_%'
		and not exists (select from pg_catalog.pg_namespace n where n.nspname = any (ours) and n.nspowner = r.oid));
	logins text := (select string_agg(quote_ident(rolname), ', ') from pg_catalog.pg_roles
		where rolname like 'tollgate\_%' and rolcanlogin);
	item record;
begin
	for item in select nspname from pg_catalog.pg_namespace where nspname = any (ours) loop
		execute format('revoke all on schema %I from public, %s', item.nspname, logins);
		execute format('revoke all on all tables in schema %I from public, %s', item.nspname,
			array_to_string(roles, ', '));
	end loop;
	for item in
		select p.oid::regprocedure as signature,
			array_to_string(array_remove(roles, p.proowner::regrole::text), ', ') as others
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
