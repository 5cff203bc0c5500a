-- Whether the roles are as roles.sql makes them. A role may change its own settings and password, and an administrator
-- may have given it more; `tollgate migrate` puts it right.

set role tollgate_service;

-- One sentence for each deviation, [] when there is none.
create or replace function ops.role_faults() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_agg(r.rolname || ' ' || f.fault order by r.rolname, f.fault), '[]')
		from pg_roles r cross join lateral (
			select format('sets %s', setting) as fault
			from pg_db_role_setting s cross join unnest(s.setconfig) setting
			where s.setrole = r.oid and (s.setdatabase <> 0 or not r.rolcanlogin or setting !~ (
				'^(statement_timeout|lock_timeout|idle_in_transaction_session_timeout)=[1-9][0-9]?s$'
				'|^temp_file_limit=[1-9][0-9]*[MG]B$'
				'|^log_parameter_max_length(_on_error)?=0$|^search_path=pg_catalog, pg_temp$'))
			union all
			select 'is a superuser' where r.rolsuper
			union all
			select 'may open any number of connections' where r.rolcanlogin and r.rolconnlimit < 0
			union all
			select 'may create databases, roles or replication'
			where r.rolcreatedb or r.rolcreaterole or r.rolreplication
			union all
			select 'bypasses row-level security' where r.rolbypassrls
			union all
			select format('is a member of %s', m.roleid::regrole) from pg_auth_members m
			where m.member = r.oid and r.rolcanlogin
			union all
			select format('has the member %s', m.member::regrole) from pg_auth_members m
			where m.roleid = r.oid and r.rolcanlogin
			union all
			select 'may have a password that does not expire'
			where r.rolvaliduntil is null or r.rolvaliduntil > now()) f
		where r.rolname like 'tollgate\_%');
end
$$;

reset role;
