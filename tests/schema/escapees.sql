-- Violations of the rules, one row each: the system catalogue compared with the rules.

create view tap.our_schema as
	select n.oid, n.nspname as name from pg_namespace n
	where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'public', 'tap', 'meta', 'crypto');

-- with all of meta but the administrator's own list
create view tap.our_table as
	select c.oid, format('%s.%s', n.nspname, c.relname) as name, c.relkind, c.relowner, c.relrowsecurity,
		c.relforcerowsecurity, c.reloptions, c.relacl
	from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
		and (n.oid in (select s.oid from tap.our_schema s) or n.nspname = 'meta' and c.relname <> 'migrations');

create view tap.our_function as
	select p.*, format('%s.%s', s.name, p.proname) as name, l.lanname as language
	from pg_proc p join tap.our_schema s on s.oid = p.pronamespace join pg_language l on l.oid = p.prolang;

create view tap.escaped_table as
	select name || ' is not owned by tollgate_owner' as fault from tap.our_table
		where pg_get_userbyid(relowner) <> 'tollgate_owner'
	union all
	select name || ' does not force row-level security' from tap.our_table
		where relkind in ('r', 'p') and not (relrowsecurity and relforcerowsecurity)
	union all
	select t.name || ' has no policy' from tap.our_table t
		where t.relkind in ('r', 'p') and not exists (select from pg_policy p where p.polrelid = t.oid)
	union all
	select name || ' is a view that is not security_invoker' from tap.our_table
		where relkind = 'v' and not coalesce(reloptions, '{}') && '{security_invoker=true,security_invoker=on}'
	union all
	select name || ' is a kind of table that policies do not reach' from tap.our_table where relkind in ('m', 'f')
	union all
	select format('%s grants %s to %s', t.name, a.privilege_type,
		coalesce(nullif(a.grantee, 0)::regrole::text, 'public'))
		from tap.our_table t cross join aclexplode(t.relacl) a
		where a.grantee <> t.relowner
			and (a.grantee = 0 or a.is_grantable or a.privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER'));

create view tap.escaped_policy as
	select format('policy %s on %s.%s is for public', policyname, schemaname, tablename) as fault from pg_policies
		where roles @> '{public}'
	union all
	select format('policy %s on %s.%s calls a function for each row', policyname, schemaname, tablename)
		from pg_policies
		where regexp_replace(concat_ws(' ', qual, with_check), 'SELECT [a-z_]+\.[a-z_]+\(', '',
			'g') ~ '[a-z_]+\.[a-z_]+\('
	union all
	select format('policy %s on %s.%s of %s believes a setting of pages', policyname, schemaname, tablename,
			array_to_string(roles, ', '))
		from pg_policies where concat_ws(' ', qual, with_check) ~ 'page\.' and roles <> '{tollgate_page}';

create view tap.escaped_function as
	select name || ' is executable by public' as fault from tap.our_function f
		where exists (select from aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) a where a.grantee = 0)
	union all
	-- what has its caller's rights and is below the functions that programs call keeps its caller's
	select name || ' has no pinned search_path' from tap.our_function
		where not coalesce(proconfig, '{}') @> '{"search_path=pg_catalog, pg_temp"}' and language <> 'sql'
			and (prosecdef or prorettype = 'trigger'::regtype or name ~ '^(api|service|ops)\.')
	union all
	-- PostgreSQL puts the others in SQL, of values or of one query, into the statement that calls them
	select name || ' is not written in PL/pgSQL' from tap.our_function
		where language <> 'plpgsql'
			and (language <> 'sql' or prosecdef or proconfig is not null or provolatile = 'v' or proisstrict)
	union all
	select name || ' is owned by ' || pg_get_userbyid(proowner) from tap.our_function
		where pg_get_userbyid(proowner) not in ('tollgate_owner', 'tollgate_auth', 'tollgate_service', 'tollgate_rls',
			'tollgate_page')
	union all
	select name || ' is security definer with the rights of the tables'' owner' from tap.our_function
		where prosecdef and pg_get_userbyid(proowner) = 'tollgate_owner'
	union all
	select name || ' is of tollgate_page and does not enter first'
		from tap.our_function where pg_get_userbyid(proowner) = 'tollgate_page'
			and prosrc !~ '^\s*declare\s+me record := app\.enter_page\(\);'
	union all
	select name || ' writes settings of pages'
		from tap.our_function where prosrc ~ 'set_config\(''page\.' and name <> 'app.enter_page'
	union all
	select name || ' counts days in whatever time zone its session has' from tap.our_function
		where prosrc ~ '(interval ''[0-9]+ (day|week|month|year)|[-+] make_interval\(days)'
			and not coalesce(proconfig, '{}') @> '{TimeZone=UTC}'
	union all
	select name || ' builds statements from text' from tap.our_function where prosrc ~* '\mexecute\M';

create view tap.escaped_schema as
	select format('schema %s is open to %s', s.name, coalesce(nullif(a.grantee, 0)::regrole::text, 'public')) as fault
		from pg_namespace n join tap.our_schema s on s.oid = n.oid cross join aclexplode(n.nspacl) a
		where a.grantee = 0 or (a.privilege_type = 'CREATE'
			and (select rolcanlogin and not rolsuper from pg_roles r where r.oid = a.grantee))
	union all
	select format('schema %s is not owned by tollgate_owner', s.name)
		from tap.our_schema s join pg_namespace n on n.oid = s.oid
		where pg_get_userbyid(n.nspowner) <> 'tollgate_owner';

create view tap.escapee as
	select fault from tap.escaped_table union all select fault from tap.escaped_policy
	union all select fault from tap.escaped_function union all select fault from tap.escaped_schema;
