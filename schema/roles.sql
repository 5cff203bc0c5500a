-- Roles, and what they may do outside our own schemas. Applied first at every migrate, so it only states how things are.
--
-- Owners cannot log in: tollgate_owner has the tables (and FORCE row-level security binds it too), the others own the
-- security definer functions. Each kind of process logs in as a role of its own, which owns nothing, is a member of
-- nothing and may execute its own functions only.

do $$
declare
	is_super boolean := (select rolsuper from pg_catalog.pg_roles where rolname = current_user);
	owners text[] := array['tollgate_owner', 'tollgate_auth', 'tollgate_service', 'tollgate_rls'];
	logins text[] := array['tollgate_signup', 'tollgate_account', 'tollgate_billing', 'tollgate_webhooks',
		'tollgate_jobs', 'tollgate_operator'];
	name text;
begin
	foreach name in array owners || logins loop
		if not exists (select from pg_catalog.pg_roles where rolname = name) then
			execute format('create role %I', name);
		end if;
		execute format('alter role %I noinherit %s', name, case when name = any (logins) then 'login' else 'nologin' end);
		if is_super then
			execute format('alter role %I nosuperuser nocreatedb nocreaterole noreplication nobypassrls', name);
		elsif name = any (owners) then
			-- a hosted database's administrator must be a member to create what the owners own
			execute format('grant %I to %I', name, current_user);
		end if;
	end loop;
	execute format('revoke all on database %I from public', current_database());
	execute format('grant connect on database %I to %s', current_database(), array_to_string(logins, ', '));
end
$$;

do $$
declare
	is_super boolean := (select rolsuper from pg_catalog.pg_roles where rolname = current_user);
	login record;
begin
	for login in select * from (values
		('tollgate_signup', '3s', '1s'), ('tollgate_account', '3s', '1s'), ('tollgate_billing', '3s', '1s'),
		('tollgate_webhooks', '3s', '1s'), ('tollgate_jobs', '15s', '5s'), ('tollgate_operator', '60s', '5s')
	) as v (name, statement_timeout, lock_timeout) loop
		execute format('alter role %I set statement_timeout = %L', login.name, login.statement_timeout);
		execute format('alter role %I set lock_timeout = %L', login.name, login.lock_timeout);
		execute format('alter role %I set idle_in_transaction_session_timeout = %L', login.name, '5s');
		execute format('alter role %I set search_path = pg_catalog, pg_temp', login.name);
		if is_super then
			-- bound values hold bearers and addresses: they belong in no log
			execute format('alter role %I set log_parameter_max_length = 0', login.name);
			execute format('alter role %I set log_parameter_max_length_on_error = 0', login.name);
		end if;
	end loop;
	if not is_super then
		raise notice 'not a superuser: log_parameter_max_length stays as the server has it';
	end if;
end
$$;

alter default privileges for role tollgate_owner, tollgate_auth, tollgate_service, tollgate_rls
	revoke execute on functions from public;

do $$
begin
	if to_regnamespace('public') is not null then
		revoke all on schema public from public;
	end if;
end
$$;

-- What an injected statement could use against other processes: ending or reading their queries, holding locks,
-- sleeping, filling the disk with large objects.
do $$
declare
	f record;
begin
	if not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
		raise notice 'not a superuser: dangerous functions of pg_catalog stay open to everybody';
		return;
	end if;
	for f in
		select p.oid::regprocedure as signature
		from pg_catalog.pg_proc p cross join aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
		where p.pronamespace = 'pg_catalog'::regnamespace and a.grantee = 0
			and p.proname ~ ('^(pg_cancel_backend|pg_terminate_backend|pg_stat_get_(backend_)?activity|pg_notify'
				'|pg_sleep(_for|_until)?|pg_(try_)?advisory_.*|lo_.*|loread|lowrite)$')
	loop
		execute format('revoke execute on function %s from public', f.signature);
	end loop;
end
$$;
