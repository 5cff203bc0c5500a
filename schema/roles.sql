-- Roles, and what they may do outside our own schemas. Applied first at every migrate: states the present rules only.
--
-- Owners cannot log in: tollgate_owner owns the tables (FORCE row-level security applies to it too), the others own the
-- security definer functions; tollgate_page owns those of pages, and policies bind it as they bind login roles. Each
-- kind of process logs in with a role of its own, which owns nothing, is a member of nothing and may execute its own
-- functions only.

-- The one list of roles; a role with timeouts logs in. Everything else finds them in pg_roles by their prefix.
--
-- A role may change its own settings and password. So each migrate takes away what a role has set, in every database,
-- and its password, unless the configuration says that the administrator gives the roles passwords
-- (database.passwords).
do $$
declare
	is_super boolean := (select rolsuper from pg_catalog.pg_roles where rolname = current_user);
	item record;
	place record;
begin
	execute format('revoke all on database %I from public', current_database());
	for item in select * from (values
		('tollgate_owner', null, null, null, null),
		('tollgate_auth', null, null, null, null),
		('tollgate_service', null, null, null, null),
		('tollgate_rls', null, null, null, null),
		('tollgate_page', null, null, null, null),
		('tollgate_signup', '3s', '1s', 40, '64MB'),
		('tollgate_signin', '3s', '1s', 40, '64MB'),
		('tollgate_authn', '3s', '1s', 40, '64MB'),
		('tollgate_account', '3s', '1s', 40, '64MB'),
		('tollgate_billing', '3s', '1s', 40, '64MB'),
		('tollgate_admin', '3s', '1s', 20, '64MB'),
		('tollgate_usage', '3s', '1s', 40, '64MB'),
		('tollgate_chat', '3s', '1s', 60, '64MB'),
		('tollgate_webhooks', '3s', '1s', 40, '64MB'),
		('tollgate_jobs', '15s', '5s', 60, '256MB'),
		('tollgate_mailer', '15s', '5s', 20, '64MB'),
		('tollgate_operator', '60s', '5s', 10, '1GB')
	) as v (role, statement_timeout, lock_timeout, connections, temporary_files) loop
		if not exists (select from pg_catalog.pg_roles where rolname = item.role) then
			execute format('create role %I', item.role);
		end if;
		execute format('alter role %I noinherit', item.role);
		for place in
			select d.datname
			from pg_catalog.pg_db_role_setting s left join pg_catalog.pg_database d on d.oid = s.setdatabase
			where s.setrole = (select r.oid from pg_catalog.pg_roles r where r.rolname = item.role)
		loop
			execute format('alter role %I %s reset all', item.role,
				coalesce('in database ' || quote_ident(place.datname), ''));
		end loop;
		if coalesce(current_setting('tollgate.passwords', true), '') <> 'on' then
			execute format('alter role %I password null valid until %L', item.role, '1970-01-01 UTC');
		end if;
		if is_super then
			execute format('alter role %I nosuperuser nocreatedb nocreaterole noreplication nobypassrls', item.role);
		end if;
		if item.statement_timeout is null then
			execute format('alter role %I nologin', item.role);
			if not is_super then
				-- a hosted database's administrator must be a member to create what the owners own
				execute format('grant %I to %I', item.role, current_user);
			end if;
			execute format('alter default privileges for role %I revoke execute on functions from public', item.role);
			continue;
		end if;
		execute format('alter role %I login connection limit %s', item.role, item.connections);
		execute format('alter role %I set statement_timeout = %L', item.role, item.statement_timeout);
		execute format('alter role %I set lock_timeout = %L', item.role, item.lock_timeout);
		execute format('alter role %I set idle_in_transaction_session_timeout = %L', item.role, '5s');
		execute format('alter role %I set search_path = pg_catalog, pg_temp', item.role);
		execute format('grant connect on database %I to %I', current_database(), item.role);
		if is_super then
			-- bound values hold bearers and addresses, which must not be logged
			execute format('alter role %I set log_parameter_max_length = 0', item.role);
			execute format('alter role %I set log_parameter_max_length_on_error = 0', item.role);
			execute format('alter role %I set temp_file_limit = %L', item.role, item.temporary_files);
		end if;
	end loop;
	if not is_super then
		raise notice 'not a superuser: log_parameter_max_length stays as the server has it';
	end if;
end
$$;

do $$
begin
	if to_regnamespace('public') is not null then
		revoke all on schema public from public;
	end if;
end
$$;

-- What an injected statement could use against other processes: functions that end or read their queries, hold locks,
-- sleep, write WAL or large objects; and anonymous blocks. Of PostgreSQL's volatile functions every role keeps those
-- that ours and libpq use; pg_monitor keeps those that only read.
do $$
declare
	owners text := (select string_agg(quote_ident(rolname), ', ') from pg_catalog.pg_roles
		where rolname like 'tollgate\_%' and not rolcanlogin);
	f record;
begin
	if not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
		raise notice 'not a superuser: dangerous functions of pg_catalog stay executable by every role';
		return;
	end if;
	for f in
		select p.oid::regprocedure as signature, p.proname as name
		from pg_catalog.pg_proc p cross join aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
		where p.pronamespace = 'pg_catalog'::regnamespace and a.grantee = 0
			and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype, 'language_handler'::regtype,
				'fdw_handler'::regtype, 'index_am_handler'::regtype, 'table_am_handler'::regtype, 'internal'::regtype)
			and not 'internal'::regtype = any (p.proargtypes)
			and (p.provolatile = 'v' and p.proname not in ('clock_timestamp', 'currval', 'gen_random_uuid', 'lastval',
					'nextval', 'pg_is_in_recovery', 'plpgsql_validator', 'random', 'set_config')
				or p.proname ~ '^(pg_stat_get_(backend_)?activity|pg_sleep(_for|_until)?|lo_.*|loread|lowrite)$')
	loop
		execute format('revoke execute on function %s from public', f.signature);
		if f.name ~ '^pg_(stat_get_|last_|current_wal_|control_|lock_status|blocking_pids|xact_status'
				'|notification_queue_usage|.*size$)' then
			execute format('grant execute on function %s to pg_monitor', f.signature);
		end if;
	end loop;
	grant execute on function pg_stat_get_activity(int) to tollgate_service;
	revoke usage on language sql, plpgsql from public;
	execute format('grant usage on language sql, plpgsql to %s', owners);
end
$$;

-- jobs raise an alert on transactions that stay open (schema/functions/ops/transactions.sql). Only a member of
-- pg_read_all_stats sees when those of other roles began. In a hosted database an administrator may have to grant it.
do $$
begin
	alter role tollgate_service inherit;
	grant pg_read_all_stats to tollgate_service;
exception when insufficient_privilege then
	raise notice 'no alert on transactions that stay open: an administrator must grant pg_read_all_stats to %',
		'tollgate_service';
end
$$;
