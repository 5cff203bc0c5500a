-- The stamp: which programs are admitted, and which Stripe account this database mirrors.
begin;
select no_plan();

create temp view login (role) as select rolname::text from pg_roles where rolname like 'tollgate\_%' and rolcanlogin;
create function pg_temp.admit(p_role text, p_environment text, p_migration text) returns text language sql as $$
	select tap.state_of(p_role, format('select api.admit(%L, %L)', p_environment, p_migration))
$$;

select is(environment || ' ' || migrated_to, 'development ' || (select max(name collate "C") from meta.migrations),
	'C92 migrate has stamped this database') from meta.stamp;
update meta.stamp set environment = 'preview', migrated_to = '008_stamp', account = null;

select is(pg_temp.admit(role, 'preview', '008_stamp'), '00000', 'C92 ' || role || ' of this environment is admitted')
	from login;
select is(pg_temp.admit(role, 'production', '008_stamp'), 'TG403', 'C92 ' || role || ' of another is not') from login;
select is(pg_temp.admit('tollgate_jobs', 'preview', '007_reconcile'), '00000',
	'F93 a program older than the schema is admitted');
select is(pg_temp.admit(role, 'preview', '009_more'), 'TG503', 'F93 ' || role || ' newer than the schema is not')
	from login;
select is(pg_temp.admit('tollgate_jobs', 'production', '009_more'), 'TG403', 'C92 the environment is told first');
select throws_ok($$select api.admit('development', '001_auth')$$, 'TG403',
	'this database is stamped "preview", and site.environment is "development"', 'C92 the reason is told');
select throws_ok($$select api.admit('preview', '009_more')$$, 'TG503',
	'this database is migrated to 008_stamp, and this program needs 009_more: run tollgate migrate',
	'F93 and so is that one');

create function pg_temp.match(p_role text, p_account text, p_learn boolean) returns jsonb language sql as $$
	select tap.ask(p_role, format('service.match_account(%L, %L)', p_account, p_learn))
$$;
select is(pg_temp.match('tollgate_operator', 'acct_1', false), null, 'C92 any account is right while none is known');
select is(account, null, 'C92 and who only asks leaves it so') from meta.stamp;
select is(pg_temp.match('tollgate_jobs', 'acct_1', true), null, 'C92 the first account is taken down');
select is(pg_temp.match('tollgate_jobs', 'acct_1', true), null, 'C92 and is right from then on');
select is(pg_temp.match(role, 'acct_2', true), '"acct_1"', 'C92 another is refused ' || role)
	from login where role in ('tollgate_jobs', 'tollgate_operator');
select is(account, 'acct_1', 'C92 and changes nothing') from meta.stamp;

select throws_ok($$insert into meta.stamp values (false, 'preview', null, '008_stamp')$$, '23514', null,
	'C92 there is one stamp');
delete from meta.stamp;
select is(pg_temp.admit('tollgate_jobs', 'preview', '001_auth'), 'TG503',
	'F93 a migrate that did not come to its end admits nobody');

select * from finish();
rollback;
