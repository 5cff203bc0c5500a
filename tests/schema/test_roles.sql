-- What the login roles are, and what they may do outside tables and functions of ours.
begin;
select no_plan();

create temp view login as select * from pg_roles where rolname like 'tollgate\_%' and rolcanlogin;

select is(count(*), 12::bigint, 'C52 twelve kinds of process log in') from login;
select is_empty($$select o.name from tap.our_function o join pg_roles r on r.oid = o.proowner
	where r.rolcanlogin or r.rolname not like 'tollgate\_%'$$, 'C52 roles that log in own no function');
select is_empty($$select rolname from pg_roles where rolname like 'tollgate\_%'
	and (rolsuper or rolinherit and rolname <> 'tollgate_service'
		or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls)$$,
	'C52 no role of ours has an attribute that opens anything');
select is_empty($$select l.rolname, m.roleid::regrole from pg_auth_members m join login l on l.oid = m.member$$,
	'C52 login roles are members of nothing');
select set_eq($$select m.member::regrole::text, m.roleid::regrole::text from pg_auth_members m
	where m.member::regrole::text like 'tollgate\_%'$$, $$values ('tollgate_service', 'pg_read_all_stats')$$,
	'S6 a function of services sees since when transactions are open, and no other membership opens anything');
select is_empty($$select l.rolname, m.member::regrole from pg_auth_members m join login l on l.oid = m.roleid$$,
	'C52 login roles have no members');
select is_empty($$select l.rolname, d.classid::regclass, d.objid from pg_shdepend d join login l on l.oid = d.refobjid
	where d.deptype = 'o' and d.dbid in (0, (select oid from pg_database where datname = current_database()))$$,
	'C52 login roles own nothing');
select ok(not pg_has_role(l.rolname, o.rolname, 'member'), format('C52 %s cannot become %s', l.rolname, o.rolname))
	from login l cross join pg_roles o where o.rolname like 'tollgate\_%' and o.rolname <> l.rolname;

select ok(has_database_privilege(rolname, current_setting('tap.source'), 'connect'), 'C52 ' || rolname
	|| ' may connect')
	from login;
select ok(not has_database_privilege(rolname, current_setting('tap.source'), 'temp'), 'C52 ' || rolname
	|| ' makes no temporary table')
	from login;
select ok(not has_database_privilege(rolname, current_setting('tap.source'), 'create'), 'C52 ' || rolname
	|| ' makes no schema')
	from login;
select is_empty($$select coalesce(nullif(a.grantee, 0)::regrole::text, 'public'), a.privilege_type
	from pg_database d cross join aclexplode(d.datacl) a
	where d.datname = current_setting('tap.source') and a.grantee <> d.datdba
		and not (a.privilege_type = 'CONNECT' and exists (select from login where oid = a.grantee))$$,
	'C52 nobody but the login roles may connect');
select is_empty($$select l.rolname, n.nspname from login l cross join pg_namespace n
	where n.nspname !~ '^pg_temp|^pg_toast_temp' and has_schema_privilege(l.rolname, n.oid, 'create')$$,
	'C52 login roles create in no schema');
select is_empty($$select l.rolname from login l where has_schema_privilege(l.rolname, 'public', 'usage')$$,
	'C52 schema public is closed');
select set_eq($$select format('%s %s', l.rolname, s.name) from login l cross join tap.our_schema s
	where has_schema_privilege(l.rolname, s.oid, 'usage')$$,
	array['tollgate_signup api', 'tollgate_signin api', 'tollgate_authn api', 'tollgate_account api',
		'tollgate_account auth',
		'tollgate_account audit',
		'tollgate_account app', 'tollgate_account billing', 'tollgate_billing api', 'tollgate_billing auth',
		'tollgate_billing app', 'tollgate_billing billing', 'tollgate_admin api', 'tollgate_usage api',
		'tollgate_chat api', 'tollgate_chat app', 'tollgate_chat auth', 'tollgate_chat chat',
		'tollgate_webhooks api', 'tollgate_webhooks service',
		'tollgate_jobs api', 'tollgate_jobs service', 'tollgate_mailer api', 'tollgate_mailer service',
		'tollgate_operator api', 'tollgate_operator ops', 'tollgate_operator service'],
	'C52 each login role sees its own schemas');
select ok(not has_schema_privilege(rolname, 'meta', 'usage'), 'C72 ' || rolname || ' does not see the migrations')
	from login;

select is_empty(format($$select %L, p.oid::regprocedure from pg_proc p where p.pronamespace = 'pg_catalog'::regnamespace
	and p.proname in ('pg_cancel_backend', 'pg_terminate_backend', 'pg_stat_get_activity',
		'pg_stat_get_backend_activity',
		'pg_notify', 'pg_sleep', 'pg_sleep_for', 'pg_sleep_until', 'pg_advisory_lock', 'pg_advisory_xact_lock',
		'pg_try_advisory_lock', 'pg_advisory_lock_shared', 'lo_create', 'lo_creat', 'lo_from_bytea', 'lo_put',
		'lowrite',
		'pg_read_file', 'pg_read_binary_file', 'pg_ls_dir', 'lo_import', 'lo_export')
	and has_function_privilege(%L, p.oid, 'execute')$$, rolname, rolname),
	'C52 ' || rolname || ' reaches no other process, file or large object') from login;
select is(tap.state_of(rolname, 'select pg_cancel_backend(1)'), '42501', 'C52 ' || rolname || ' cancels nobody')
	from login;
select is(tap.state_of(rolname, 'select query from pg_stat_activity'), '42501', 'C52 ' || rolname
	|| ' reads nobody''s statements')
	from login;

select ok(rolconfig @> array['log_parameter_max_length=0', 'log_parameter_max_length_on_error=0'],
	'F43 bound values of ' || rolname || ' stay out of the log') from login;
select ok((select count(*) from unnest(rolconfig) c
	where c ~ '^(statement_timeout|lock_timeout|idle_in_transaction_session_timeout)=[1-9]') = 3,
	'F95 ' || rolname || ' cannot wait for ever') from login;
select set_eq(format($$select p.proname::text from pg_proc p where p.pronamespace = 'pg_catalog'::regnamespace
	and p.provolatile = 'v' and has_function_privilege(%L, p.oid, 'execute')
	and p.prorettype::regtype::text !~ '(trigger|handler|internal)$'
	and not 'internal'::regtype = any (p.proargtypes)$$, rolname),
	array['clock_timestamp', 'currval', 'gen_random_uuid', 'lastval', 'nextval', 'pg_is_in_recovery',
		'plpgsql_validator', 'random', 'set_config'],
	'S6 of the volatile functions ' || rolname || ' executes those that are used') from login;
select is(tap.state_of(rolname, 'select pg_logical_emit_message(false, ''x'', ''y'')'), '42501',
	'S6 ' || rolname || ' fills no WAL') from login;
select is(tap.state_of(rolname, 'do ''begin end'''), '42501', 'S6 ' || rolname || ' runs no anonymous block')
	from login;
select ok(rolconnlimit between 1 and 60, 'S6 ' || rolname || ' opens some connections only') from login;
select ok(exists (select from unnest(rolconfig) c where c ~ '^temp_file_limit=[1-9]'),
	'S6 ' || rolname || ' writes some temporary files only') from login;
select ok(has_function_privilege('pg_monitor', 'pg_database_size(oid)', 'execute'), 'S6 a monitor still reads sizes');

select ok(rolconfig @> '{"search_path=pg_catalog, pg_temp"}', 'D23 ' || rolname
	|| ' finds nothing by an unqualified name') from login;

select * from finish();
rollback;
