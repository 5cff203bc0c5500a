-- Revokes every right and drops every policy: the files after this one state the rights anew. A grant or policy that
-- leaves these files so leaves the database with the same migrate, and a new table starts closed. Rights to functions
-- are stated anew at each migrate. Tables need a lock for it, so only those of the schemas in tollgate.changed: all
-- but those whose file and rights are as the last migrate has left them.

-- Locks the tables in one order, or none of them, within a time that running programs wait for (their lock_timeout is
-- 1 s), so that no statement of theirs fails because of a migrate. The first are those that every call begins with: who
-- comes after that waits there and holds nothing, and what is under way ends.
do $$
declare
	changed text[] := string_to_array(current_setting('tollgate.changed', true), ',');
	gates constant text[] := '{auth.tokens,auth.limits,auth.requests,billing.pace,sync.objects,inbox.events,
		mail.outbox}';
	wanted text[] := array(
		select c.oid::regclass::text from pg_catalog.pg_class c
		where c.relkind in ('r', 'p') and (c.relnamespace::regnamespace::text = any (changed)
			or changed <> '{}' and c.oid = any (gates::regclass[]))
		order by array_position(gates, c.oid::regclass::text), 1);
	item text;
	until timestamptz;
begin
	for attempt in 1..200 loop
		begin
			until := clock_timestamp() + interval '300 ms';
			foreach item in array wanted loop
				perform set_config('lock_timeout',
					greatest(1, extract(epoch from until - clock_timestamp()) * 1000)::int::text, true);
				execute 'lock table ' || item || ' in access exclusive mode';
			end loop;
			perform set_config('lock_timeout', '300', true);
			return;
		exception when lock_not_available or deadlock_detected then
			if attempt = 10 then
				raise warning 'waiting for %, which other sessions use', item;
			end if;
			perform pg_sleep(0.1 + random() * 0.2);
		end;
	end loop;
	raise exception 'other sessions use %, so no rights were changed: see pg_locks, and run migrate again', item;
end
$$;

do $$
declare
	ours name[] := array['auth', 'app', 'billing', 'inbox', 'sync', 'mail', 'api', 'service', 'ops', 'meta', 'audit',
		'usage', 'chat'];
	changed text[] := string_to_array(current_setting('tollgate.changed', true), ',');
	-- without the owner of the schemas and tables
	roles text[] := array(select r.rolname::text from pg_catalog.pg_roles r where r.rolname like 'tollgate\_%'
		and not exists (select from pg_catalog.pg_namespace n where n.nspname = any (ours) and n.nspowner = r.oid));
	logins text := (select string_agg(quote_ident(rolname), ', ') from pg_catalog.pg_roles
		where rolname like 'tollgate\_%' and rolcanlogin);
	item record;
begin
	for item in select nspname from pg_catalog.pg_namespace where nspname = any (ours || name 'crypto') loop
		execute format('revoke all on schema %I from public, %s', item.nspname, logins);
		if item.nspname = any (changed) then
			execute format('revoke all on all tables in schema %I from public, %s', item.nspname,
				array_to_string(roles, ', '));
			execute format('revoke all on all sequences in schema %I from public, %s', item.nspname,
				array_to_string(roles, ', '));
		end if;
	end loop;
	for item in
		select p.oid::regprocedure as signature,
			array_to_string(array_remove(roles, p.proowner::regrole::text), ', ') as others
		from pg_catalog.pg_proc p where p.pronamespace::regnamespace::name = any (ours)
	loop
		execute format('revoke all on function %s from public, %s', item.signature, item.others);
	end loop;
	for item in select * from pg_catalog.pg_policies where schemaname::text = any (changed) loop
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
