-- The audit log: who writes and reads it, and what is found when a row was altered or taken out.
begin;
select no_plan();

select tap.paid('ann') as ann \gset
select tap.paid('bob') as bob \gset
create temp table person (who text primary key, id uuid, bearer text);
grant select on person to public;
insert into person select v.who, tap.user(v.who || '@example.org'), tap.session(v.who || '@example.org', v.who)
from unnest('{ann,ada,bob,mia}'::text[]) v (who);
insert into app.members (tenant_id, user_id, role)
select :'ann', p.id, v.role from person p join (values ('ada', 'admin'), ('mia', 'member')) v (who, role)
	on v.who = p.who;
create function pg_temp.id(p_who text) returns uuid language sql as $$ select p.id from person p where p.who = p_who $$;
create function pg_temp.ask(p_who text, p_call text) returns jsonb language sql as $$
	select tap.ask('tollgate_account', p_call, (select p.bearer from person p where p.who = p_who)) $$;
-- the faults after p_statement, which is undone again
create function pg_temp.found(p_statement text) returns text language plpgsql as $$
begin
	execute p_statement;
	raise exception 'undo' using errcode = 'TG999', detail = (
		select coalesce(string_agg(concat_ws(' ', f -> 'n', f ->> 'fault', nullif(f -> 'rows', '1')), ', '), 'none')
		from jsonb_array_elements(tap.ask('tollgate_operator', 'ops.verify_audit()') -> 'faults') f);
exception when sqlstate 'TG999' then
	declare
		said text;
	begin
		get stacked diagnostics said = pg_exception_detail;
		return said;
	end;
end
$$;

-- what is done with a user's own sign-in
create function pg_temp.told(p_who text) returns text language sql as $$
	select string_agg(concat_ws(' ', e.kind, e.detail ->> 'reason', (e.user_id = e.subject_id)), ', ' order by e.n)
	from audit.entries e join person p on p.id = e.subject_id where p.who = p_who and e.tenant_id is null $$;
insert into person select 'zoe', tap.user('zoe@example.org'), tap.session('zoe@example.org', 'zoe');
select is(pg_temp.told('zoe'), 'signed_in t', 'F222 a sign-in is told');
select tap.ask('tollgate_signin', 'api.sign_out()', (select p.bearer from person p where p.who = 'zoe')) \g /dev/null
select is(pg_temp.told('zoe'), 'signed_in t, signed_out logout t', 'F222 and a sign-out');
select tap.session('zoe@example.org', 'zoe2') \g /dev/null
select tap.ask('tollgate_operator', 'ops.end_sessions(''zoe@example.org'')') \g /dev/null
select is(pg_temp.told('zoe'), 'signed_in t, signed_out logout t, signed_in t, session_ended admin, user_signed_out',
	'F222 and who has ended a session');
insert into auth.factors (user_id, seed) values (pg_temp.id('zoe'), '');
delete from auth.factors where user_id = pg_temp.id('zoe');
insert into auth.factors (user_id, seed) values (pg_temp.id('zoe'), '');
update auth.factors set confirmed_at = now() where user_id = pg_temp.id('zoe');
insert into auth.recovery_codes (hash, user_id) values (sha256('zoe'), pg_temp.id('zoe'));
update auth.recovery_codes set used_at = now() where hash = sha256('zoe');
delete from auth.factors where user_id = pg_temp.id('zoe');
select matches(pg_temp.told('zoe'), 'session_ended admin, user_signed_out, factor_added t, '
	'code_used t, factor_removed$',
	'F222 and a second factor that is added, and removed by the operator');
insert into auth.passwords (user_id, salt, cost, stored_key)
values (pg_temp.id('zoe'), sha256('salt'), '{1,1,1}', sha256('key'));
update auth.passwords set stored_key = sha256('the same') where user_id = pg_temp.id('zoe');
update auth.passwords set changed_at = changed_at + interval '1 s' where user_id = pg_temp.id('zoe');
select tap.session('zoe@example.org', 'zoe3') as zoe3 \gset
select set_config('app.bearer', :'zoe3', true) \g /dev/null
update auth.passwords set changed_at = changed_at + interval '1 s' where user_id = pg_temp.id('zoe');
select set_config('app.bearer', '', true) \g /dev/null
select matches(pg_temp.told('zoe'),
	'factor_removed, password_set t, password_reset t, signed_in t, password_changed t$',
	'F222 and a password that is set, reset by mail, and changed');
update app.tenants set demands_factor = true where id = :'bob';
update app.tenants set demands_factor = false where id = :'bob';
select is(array(select e.kind from audit.entries e where e.tenant_id = :'bob' order by e.n),
	'{factor_demanded,factor_not_demanded}', 'F222 and what a tenant demands of its members');

delete from audit.entries;
update audit.head set n = 0, hash = sha256('');
select is(pg_temp.found('select 1'), 'none', 'F222 an empty log has no fault');
select pg_temp.ask('ann', format('api.set_role(%L, %L, ''admin'')', :'ann', pg_temp.id('mia'))) \g /dev/null
select pg_temp.ask('ann', format('api.name_tenant(%L, ''Acme'')', :'ann')) \g /dev/null
select pg_temp.ask('ada', format('api.invite(%L, ''new@example.org'', ''member'', ''en'')', :'ann')) \g /dev/null
select pg_temp.ask('ann', 'api.name_user(''Anna'')') \g /dev/null
select pg_temp.ask('bob', format('api.name_tenant(%L, ''Bobs'')', :'bob')) \g /dev/null
select pg_temp.ask('ann', format('api.remove_member(%L, %L)', :'ann', pg_temp.id('mia'))) \g /dev/null

select is(array(select format('%s %s %s', e.n, e.kind, e.detail - 'invitation') from audit.entries e order by e.n),
	array['1 role_changed {"was": "member", "role": "admin"}', '2 tenant_named {}', '3 invited {"role": "member"}',
		'4 profile_changed {}', '5 tenant_named {}', '6 member_removed {"was": "admin"}'],
	'F222 each change is told, with a number');
select is(pg_temp.ask('ann', format('api.name_tenant(%L, ''Acme'')', :'ann')), null, 'F222 what changes nothing');
select is(count(*), 6::bigint, 'F222 is not told') from audit.entries;
select is(pg_temp.found('select 1'), 'none', 'F222 and the chain is whole');

select is(pg_temp.found(v.statement), v.faults, 'F222 found: ' || v.statement)
from (values
	('update audit.entries set kind = ''invited'' where n = 3 and false', 'none'),
	('update audit.entries set kind = ''member_left'' where n = 6', '6 altered'),
	('update audit.entries set detail = ''{"was": "owner", "role": "admin"}'' where n = 1', '1 altered'),
	('update audit.entries set user_id = null where n = 2', '2 altered'),
	('update audit.entries set subject_id = tenant_id where n = 3', '3 altered'),
	('update audit.entries set tenant_id = null where n = 5', '5 altered'),
	('update audit.entries set at = at + interval ''1 us'' where n = 4', '4 altered'),
	('delete from audit.entries where n = 3', '3 missing'),
	('delete from audit.entries where n = 1', '1 missing'),
	('delete from audit.entries where n in (2, 3, 4)', '2 missing 3'),
	('delete from audit.entries where n > 4', '5 missing 2'),
	('delete from audit.entries', '1 missing 6'),
	('update audit.entries set n = 7 where n = 6', '6 missing'),
	('insert into audit.entries select n + 1, at, kind, tenant_id, user_id, subject_id, detail, audit.hash_of(hash,
		row(n + 1, at, kind, tenant_id, user_id, subject_id, detail, null)::audit.entries) from audit.entries
		where n = 6', '7 altered'),
	('update audit.head h set n = e.n, hash = e.hash from audit.entries e where e.n = 4', '5 altered, 6 altered'),
	('update audit.entries e set detail = ''{}'', hash = audit.hash_of((select hash from audit.entries where n = 2),
		row(e.n, e.at, e.kind, e.tenant_id, e.user_id, e.subject_id, ''{}'', null)::audit.entries) where n = 3',
		'4 altered'),
	('update audit.entries e set detail = ''{}'', hash = audit.hash_of((select hash from audit.entries where n = 5),
		row(e.n, e.at, e.kind, e.tenant_id, e.user_id, e.subject_id, ''{}'', null)::audit.entries) where n = 6',
		'6 altered')) v (statement, faults);

-- append-only, for every role
select is(tap.state_of(r.rolname, v.statement), '42501', format('F222 %s is refused: %s', r.rolname, v.statement))
from pg_roles r cross join (values ('update audit.entries set kind = kind'), ('delete from audit.entries'),
	('truncate audit.entries')) v (statement)
where r.rolname like 'tollgate\_%' and r.rolname <> 'tollgate_owner';
set local role tollgate_owner;
delete from audit.entries;
reset role;
select is(count(*), 6::bigint, 'F222 and for the owner of the table no row is there to delete') from audit.entries;
select throws_ok($$select audit.note('no_such_kind')$$, '23503', null, 'F222 a kind that nothing tells of is refused');

-- who reads it
select is(array(select jsonb_path_query(pg_temp.ask(v.who, format('api.audit_page(%L)', v.tenant)), '$.entries[*].n')),
	v.rows::text[]::jsonb[], 'F222 what an owner reads: ' || v.who)
from (values ('ann', :'ann', '{6,4,3,2,1}'), ('bob', :'bob', '{5}')) v (who, tenant, rows);
select is(tap.state_of('tollgate_account', format('select api.audit_page(%L)', :'ann'),
	(select p.bearer from person p where p.who = v.who)), v.state, 'F222 ' || v.who || ' does not: ' || v.state)
from (values ('ada', 'TG403'), ('bob', 'TG404'), ('mia', 'TG404'), ('nobody', 'TG401')) v (who, state);
select is(pg_temp.ask('ada', '(select coalesce(jsonb_agg(n), ''[]'') from audit.entries)'), '[]',
	'F222 nor from the table');
select is(pg_temp.ask('mia', '(select coalesce(jsonb_agg(kind), ''[]'') from audit.entries)'), '[]',
	'F222 nor who was removed');
select is(e - 'at' - 'n' - 'detail' - 'clock', jsonb_build_object('kind', 'invited', 'label', 'audit_invited',
	'user', pg_temp.id('ada'), 'subject', null, 'by', 'ada', 'whom', null, 'invited', 'new@example.org', 'was', null,
	'gone', false, 'role', 'called_member'), 'F222 ids are shown as names')
from jsonb_array_elements(pg_temp.ask('ann', 'api.audit_page()') -> 'entries') e where e ->> 'n' = '3';
select is(e ->> 'whom', 'mia', 'F222 also of who was removed')
from jsonb_array_elements(pg_temp.ask('ann', 'api.audit_page()') -> 'entries') e where e ->> 'n' = '6';

-- fifty rows a page
select audit.note('tenant_named', :'ann', pg_temp.id('ann')) from generate_series(1, 60) \g /dev/null
select is(array[jsonb_array_length(d -> 'entries')::text, d ->> 'before'], '{50,17}', 'F222 a page has fifty rows')
from pg_temp.ask('ann', 'api.audit_page()') d;
select is(array[jsonb_array_length(d -> 'entries')::text, d ->> 'before'], '{15,null}'::text[],
	'F222 and the next one the rest') from pg_temp.ask('ann', format('api.audit_page(%L, 17)', :'ann')) d;

select * from finish();
rollback;
