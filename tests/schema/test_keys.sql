-- Keys of a tenant's programs: who makes them, and what they are good for.
begin;
select no_plan();

select tap.paid('ann') as ann, tap.paid('bob') as bob \gset
select tap.session('ann@example.org', 'ann') as owner, tap.session('bob@example.org', 'bob') as other \gset
insert into app.members (tenant_id, user_id, role) values (:'ann', tap.user('ada@example.org'), 'admin');
select tap.session('ada@example.org', 'ada') as admin \gset

create function pg_temp.make(p_tenant text, p_bearer text, p_name text, p_scope text, p_key text) returns text
	language sql as $$
	select tap.state_of('tollgate_account', format('select api.make_key(%L, %L, %L, %L, %L)', p_tenant, p_name, p_scope,
		sha256(sha256(p_key::bytea)), 'abcd'), p_bearer)
$$;
-- what comes of asking with a key: its tenant, or the refusal
create function pg_temp.asked(p_key text, p_scope text) returns text language plpgsql as $$
begin
	perform set_config('app.bearer', encode(sha256(p_key::bytea), 'hex'), true);
	return (app.require_key(p_scope)).tenant_id;
exception when others then
	return sqlstate;
end
$$;

select is(pg_temp.make(:'ann',
	case v.who when 'owner' then :'owner' when 'admin' then :'admin' when 'other' then :'other'
	end, v.name, v.scope, v.key), v.state, format('S30 %s by %s: %s', v.name, coalesce(v.who, 'nobody'), v.state))
from (values ('owner', 'Mine', 'write', 'k1', '00000'), ('owner', 'Mine too', 'read', 'k2', '00000'),
	('owner', 'Any', 'all', 'k3', 'TG422'), ('owner', 'None', null, 'k3', 'TG422'), ('owner', '', 'read', 'k3',
		'TG422'),
	('admin', 'Theirs', 'read', 'k3', 'TG403'), ('other', 'Foreign', 'read', 'k3', 'TG404'),
	(null, 'Nobody''s', 'read', 'k3', 'TG401')) v (who, name, scope, key, state);
update auth.sessions s set auth_at = now() - interval '1 hour' where true;
select is(pg_temp.make(:'ann', :'owner', 'Late', 'read', 'k3'), 'TG40C', 'S30 an old sign-in makes none');

select is(pg_temp.asked(v.key, v.scope), case v.said when 'ann' then :'ann' else v.said end, format('S30 %s for %s',
	v.key, v.scope))
from (values ('k1', 'write', 'ann'), ('k1', 'read', 'ann'), ('k2', 'read', 'ann'), ('k2', 'write', 'TG403'),
	('k3', 'read', 'TG401'), ('k1', 'all', 'TG403')) v (key, scope, said);
select set_config('app.bearer', :'owner', true) \g /dev/null
select throws_ok('select app.require_key(''read'')', 'TG401', null, 'S30 a session is no key');
select set_config('app.bearer', encode(sha256('k1'), 'hex'), true) \g /dev/null
select is(auth.uid(), null, 'S30 and a key no session');
select set_config('app.bearer', '', true) \g /dev/null
select is((select k.used_at from app.keys k where k.name = 'Mine'), now(), 'S30 when it was used last is kept');

select is(jsonb_path_query_array(tap.ask('tollgate_account', 'api.keys_page()', :'owner'), '$.keys[*].name'),
	'["Mine", "Mine too"]', 'S30 the page shows them');
select ok(tap.ask('tollgate_account', 'api.keys_page()', :'owner')::text not like '%' || encode(sha256(sha256('k1')),
	'hex')
	|| '%', 'S30 and not what is stored');
select is(tap.state_of('tollgate_account', 'select api.keys_page()', :'admin'), 'TG403', 'S30 to owners alone');
select is(tap.state_of('tollgate_account', 'select hash from app.keys', :'owner'), '42501',
	'S10 a program reads no digest');

select k.id as first from app.keys k where k.name = 'Mine' \gset
select is(tap.state_of('tollgate_account', format('select api.revoke_key(%L, %L)', v.tenant, :'first'), v.bearer),
	v.state,
	'S30 revoked: ' || v.state)
from (values (:'bob', :'other', 'TG404'), (:'ann', :'admin', 'TG403'), (:'ann', :'owner', '00000'),
	(:'ann', :'owner', 'TG404')) v (tenant, bearer, state);
select is(pg_temp.asked('k1', 'read'), 'TG401', 'S30 a revoked key is none');
select set_eq($$select e.kind from audit.entries e where e.kind like 'key%'$$, array['key_made', 'key_revoked'],
	'S30 the log tells who made and revoked keys');
insert into app.keys (tenant_id, name, hint, hash, scopes)
select :'bob', 'many', 'abcd', sha256(n::text::bytea), '{read}' from generate_series(1, 20) n;
update auth.sessions s set auth_at = now() where true;
select is(pg_temp.make(:'bob', :'other', 'One more', 'read', 'k9'), 'TG409', 'S30 twenty are enough');

select * from finish();
rollback;
