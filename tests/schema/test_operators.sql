-- The site's operators: who is one, what one sees and does, and who is kept out.
begin;
select no_plan();

select tap.paid('ann') as ann \gset
select tap.paid('bob') as bob \gset
select tap.user('eve@example.org') as eve, tap.user('mia@example.org') as mia,
	tap.user('ann@example.org') as ann_id \gset
select tap.session('eve@example.org', 'eve') as e, tap.session('mia@example.org', 'mia') as m,
	tap.session('ann@example.org', 'ann') as a \gset

create function pg_temp.give(p_email text) returns void language plpgsql as $$
begin
	insert into auth.factors (user_id, seed, confirmed_at) values (auth.find_user(p_email), 'x', now());
end
$$;
create function pg_temp.prove(p_bearer text) returns void language plpgsql as $$
begin
	update auth.sessions s set amr = s.amr || '{totp}', auth_at = now(), second_at = now() from auth.tokens t
	where t.session_id = s.id and t.hash = sha256(decode(p_bearer, 'hex'));
end
$$;
create function pg_temp.told() returns text language sql as $$
	select string_agg(concat_ws(' ', e.kind, u.email), ', ' order by e.n)
	from audit.entries e left join auth.users u on u.id = e.user_id
	where e.kind in (select k.kind from audit.kinds k where k.by_operator and k.kind not like '%\_viewed') $$;
create function pg_temp.looks() returns text language sql as $$
	select string_agg(concat_ws(' ', e.kind, auth.address_of(e.user_id), 'at', coalesce(t.name, s.email)), ', '
		order by e.n)
	from audit.entries e left join app.tenants t on t.id = e.tenant_id left join auth.users s on s.id = e.subject_id
	where e.kind like '%\_viewed' $$;
-- each call that an operator has, about ann
create temp table call (name text primary key, call text);
insert into call select split_part(v, '(', 1), 'api.' || v from unnest(array[
	'admin_users('''')', format('admin_user(%L)', :'ann_id'), 'admin_tenants('''')', format('admin_tenant(%L)', :'ann'),
	'admin_alerts()', format('suspend_user(%L, ''abuse'')', :'ann_id'), format('lift_suspension(%L)', :'ann_id'),
	format('sign_out_user(%L)', :'ann_id'),
	format('override_tenant(%L, true, null, %L, ''help'')', :'ann', current_date + 7),
	format('lift_override(%L)', :'ann')]) v;
grant select on call to public;

-- the gate, in one place
select set_eq(
	$$select f.name from tap.our_function f where has_function_privilege('tollgate_admin', f.oid, 'execute')$$,
	$$select 'api.' || name from call union values ('api.admit'), ('api.signed_in'), ('api.end_reused')$$,
	'C58 these are all the functions of operators');
select is(tap.state_of('tollgate_admin', 'select ' || c.call), 'TG401', 'C58 nobody calls ' || c.name) from call c;
select is(tap.state_of('tollgate_admin', 'select ' || c.call, :'a'), 'TG404', 'C58 nor a user ' || c.name) from call c;
select is(tap.state_of('tollgate_admin', 'select ' || c.call, :'e'), 'TG404', 'C58 nor who was not named ' || c.name)
from call c;
select is(tap.ask('tollgate_operator', 'ops.add_operator(''eve@example.org'', ''root'')') - 'user',
	'{"email": "eve@example.org", "added": true, "factor": false}', 'C58 the operator''s command names one');
select is(tap.state_of('tollgate_admin', 'select ' || c.call, :'e'), 'TG40F', 'C58 without a second factor ' || c.name)
from call c;
select pg_temp.give('eve@example.org') \g /dev/null
select is(tap.state_of('tollgate_admin', 'select ' || c.call, :'e'), 'TG40C', 'C58 that was not shown ' || c.name)
from call c;
select pg_temp.prove(:'e') \g /dev/null
update auth.sessions set auth_at = now() - interval '10 min' where user_id = :'eve';
select is(tap.state_of('tollgate_admin', 'select ' || c.call, :'e'), 'TG40C', 'C58 or not lately ' || c.name)
from call c;
update auth.sessions set auth_at = now(), second_at = now() - interval '10 min' where user_id = :'eve';
select is(tap.state_of('tollgate_admin', 'select ' || c.call, :'e'), 'TG40C',
	'C58 also if another proof is younger ' || c.name) from call c;
update auth.sessions set amr = '{link}', second_at = now() where user_id = :'eve';
select is(tap.state_of('tollgate_admin', 'select ' || c.call, :'e'), 'TG40C',
	'C58 nor is it enough to have added one ' || c.name) from call c;
select is(array[pg_temp.told(), pg_temp.looks()], '{operator_added,NULL}', 'C58 none of it has done anything');
select is(tap.state_of(r.rolname, 'select ' || c.call, :'e'), '42501',
	format('C58 %s may not call %s', r.rolname, c.name))
from call c cross join pg_roles r
where r.rolname like 'tollgate\_%' and r.rolcanlogin and r.rolname <> 'tollgate_admin';
select pg_temp.prove(:'e') \g /dev/null
create function pg_temp.ask(p_bearer text, p_call text) returns jsonb language sql as $$
	select tap.ask('tollgate_admin', 'api.' || p_call, p_bearer) $$;
create function pg_temp.state(p_bearer text, p_call text) returns text language sql as $$
	select tap.state_of('tollgate_admin', 'select api.' || p_call, p_bearer) $$;

-- users are found and shown
select is(array(select jsonb_path_query(pg_temp.ask(:'e', format('admin_users(%L)', q)), '$.rows[*].email') #>> '{}'),
	v.found::text[], 'C58 users by ' || q)
from (values (' ANN@ex', '{ann@example.org}'), ('example.org', '{ann@example.org,bob@example.org,eve@example.org,
	mia@example.org}'), (:'mia', '{mia@example.org}'), ('%', '{}'), ('Mi', '{mia@example.org}')) v (q, found);
select auth.add_user(format('u%s@example.com', lpad(n::text, 3, '0'))) from generate_series(1, 120) n \g /dev/null
select is(array[jsonb_array_length(p -> 'rows')::text, p ->> 'after'],
	array['50', auth.find_user('u050@example.com')::text], 'C58 fifty a page')
from pg_temp.ask(:'e', 'admin_users(''@example.com'')') p;
select is(array[p #>> '{rows,0,email}', p #>> '{rows,19,email}', p ->> 'after'],
	array['u101@example.com', 'u120@example.com', null], 'C58 and the rest on the last one')
from pg_temp.ask(:'e', format('admin_users(''@example.com'', %L)', auth.find_user('u100@example.com'))) p;
delete from auth.users where email like '%@example.com';

select is(p - '{id,since,seen,sessions,mails,entries,tenants}'::text[], '{"email": "ann@example.org", "name": "ann",
	"language": "en", "operator": false, "password": false, "factor": false, "codes_left": 0,
	"passkeys": 0, "elsewhere": null,
	"suspended": null, "deleted": null, "me": false, "offers": []}', 'C58 a user is shown')
from pg_temp.ask(:'e', format('admin_user(%L)', :'ann_id')) p;
select is(p -> 'tenants', jsonb_build_array(jsonb_build_object('id', :'ann', 'name', 'ann', 'role', 'called_owner')),
	'C58 with tenants') from pg_temp.ask(:'e', format('admin_user(%L)', :'ann_id')) p;
select is(array[jsonb_array_length(p -> 'sessions')::text, p #>> '{sessions,0,network}', p #>> '{entries,1,label}'],
	array['1', '192.0.2.0/24', 'audit_signed_in'], 'C58 sessions and the log')
from pg_temp.ask(:'e', format('admin_user(%L)', :'ann_id')) p;
select ok(p -> 'mails' @> '[{"template": "signin", "state": "mail_pending"}, {"template": "welcome"}]'
	and p::text !~ 'token|code_hash|stored_key', 'C58 and mails, without what stands in them')
from pg_temp.ask(:'e', format('admin_user(%L)', :'ann_id')) p;
select is(pg_temp.state(:'e', format('admin_user(%L)', gen_random_uuid())), 'TG404', 'C58 or not there');

-- tenants are found and shown
select is(array(select jsonb_path_query(pg_temp.ask(:'e', format('admin_tenants(%L)', q)), '$.rows[*].name') #>> '{}'),
	v.found::text[], 'C58 tenants by ' || q)
from (values ('AN', '{ann}'), (:'bob', '{bob}'), ('cus_bob', '{bob}'), ('sub_ann', '{ann}'),
	('bob@example.org', '{bob}'), ('nothing', '{}')) v (q, found);
select is(count(*), 2::bigint, 'C58 or all')
from jsonb_array_elements(pg_temp.ask(:'e', 'admin_tenants('''')') -> 'rows') r;
select is(array(select jsonb_path_query(pg_temp.ask(:'e', format('admin_tenants('''', %L)', r.rows #>> '{0,id}')),
	'$.rows[*].id')), array[r.rows #> '{1,id}'], 'C58 page after page')
from (select pg_temp.ask(:'e', 'admin_tenants('''')') -> 'rows' as rows) r;
select is(array[p ->> 'name', p ->> 'allowed', p ->> 'plan', p #>> '{members,0,email}', p ->> 'mine',
	p ->> 'override'],
	array['ann', 'true', 'plan_starter', 'ann@example.org', 'false', null], 'C58 a tenant is shown')
from pg_temp.ask(:'e', format('admin_tenant(%L)', :'ann')) p;
select is(array(
	select jsonb_path_query(pg_temp.ask(:'e', format('admin_tenant(%L)', :'ann')), '$.parts[*].label') #>> '{}'),
	'{admin_customers,admin_subscriptions,admin_changes}', 'C58 with what explain tells');
select is(pg_temp.state(:'e', format('admin_tenant(%L)', gen_random_uuid())), 'TG404', 'C58 or not there');
select tap.open_draft('dora', 'dora@example.org') ->> 'tenant' as dora \gset
select is(p -> 'rows' @> jsonb_build_array(jsonb_build_object('id', :'dora', 'name', null, 'draft', true)), true,
	'C58 all tenants are also those without a name') from pg_temp.ask(:'e', 'admin_tenants('''')') p;
savepoint leaving;
select app.request_deletion(:'ann_id', null) as leaving \gset
select is(pg_temp.ask(:'e', format('admin_user(%L)', :'ann_id')) -> 'deleted', :'leaving'::jsonb -> 'until',
	'C58 of a user who is leaving it is shown until when');
select is(array[p -> 'closes', p -> 'closed', jsonb_path_query_first(p, '$.facts[*] ? (@.name == "status").value')],
	array[:'leaving'::jsonb -> 'until', 'false', '"active"'], 'C58 and of the tenant that closes')
from pg_temp.ask(:'e', format('admin_tenant(%L)', :'ann')) p;
rollback to leaving;
select ops.raise_alert(:'bob', 'paying_twice', 'bob@example.org', '{"tenants": 2}') \g /dev/null
select is((a - '{id,since}'::text[])::text, jsonb_build_object('kind', 'paying_twice', 'subject', 'bob@example.org',
	'tenant', :'bob', 'name', 'bob', 'lines', '[{"name": "tenants", "value": "2"}]'::jsonb)::text, 'C58 open alerts')
from jsonb_array_elements(pg_temp.ask(:'e', 'admin_alerts()') -> 'alerts') a where a ->> 'kind' = 'paying_twice';

-- who looks is in the log, once an hour
select is(pg_temp.looks(), 'user_viewed eve@example.org at ann@example.org, tenant_viewed eve@example.org at ann',
	'C58 that an operator has looked is in the log, once');
select pg_temp.ask(:'e', format('admin_user(%L)', w)) from unnest(array[:'eve', :'mia']) w \g /dev/null
select is(pg_temp.looks(), 'user_viewed eve@example.org at ann@example.org, tenant_viewed eve@example.org at ann, '
	'user_viewed eve@example.org at mia@example.org', 'C58 and at whom; not that one looks at oneself');
savepoint later;
update audit.entries set at = at - interval '2 hours' where kind like '%\_viewed';
select pg_temp.ask(:'e', format('admin_user(%L)', :'ann_id')), pg_temp.ask(:'e', format('admin_tenant(%L)', :'ann'))
	\g /dev/null
select is(count(*), 5::bigint, 'C58 an hour later again') from audit.entries where kind like '%\_viewed';
rollback to later;

-- an operator is no member
select is(tap.ask('tollgate_account', 'api.workspace_page()', :'e') -> 'tenants', '[]',
	'C58 an operator has no tenant');
select is(tap.state_of('tollgate_account', format('select api.choose_tenant(%L)', :'ann'), :'e'), 'TG404',
	'C58 and chooses none');

-- suspended: out, told, and back
select is(pg_temp.state(:'e', format('suspend_user(%L, %L)', :'ann_id', v.reason)), 'TG422', 'C58 a reason is due')
from (values (null), (''), (E' \n '), (repeat('x', 501))) v (reason);
select is(pg_temp.state(:'e', format('suspend_user(%L, ''x'')', gen_random_uuid())), 'TG404',
	'C58 of a user who is there');
select tap.request('ann@example.org', 'a later browser') \g /dev/null
select tap.mailed('ann@example.org') as late \gset
select is(pg_temp.ask(:'e', format('suspend_user(%L, E''  spam\n ticket 7 '')', :'ann_id')), '{"done": true}',
	'C58 a user is suspended');
select is(pg_temp.ask(:'e', format('suspend_user(%L, ''again'')', :'ann_id')), '{"done": false}', 'C58 once');
select is(array[p #>> '{suspended,reason}', p #>> '{suspended,by}', p ->> 'sessions'],
	array['spam ticket 7', 'eve@example.org', '[]'], 'C58 which is shown, with no session left')
from pg_temp.ask(:'e', format('admin_user(%L)', :'ann_id')) p;
select is(tap.ask('tollgate_account', 'api.signed_in()', :'a'), 'false', 'C58 the session is over');
select is(tap.sign_in(:'late'::jsonb ->> 'hash', null, 'a later browser', 'late') -> 'ok', 'false',
	'C58 a link that was sent before is nothing');
select throws_ok(format('select auth.open_session(%L, sha256(%L), %L, null, null, false)', :'ann_id', w, w),
	'TG403', null, 'C58 no proof makes a session: ' || w)
from unnest(array['{link}', '{password}', '{password,totp}', '{passkey}']) w;
select is(string_agg(concat_ws(' ', o.template, o.recipient, o.language), ', '), 'suspension_begun ann@example.org en',
	'C58 the user is told once') from mail.outbox o where o.template like 'suspension%';
select is(pg_temp.ask(:'e', format('lift_suspension(%L)', :'ann_id')), '{"done": true}', 'C58 it is lifted');
select is(pg_temp.ask(:'e', format('lift_suspension(%L)', :'ann_id')), '{"done": false}', 'C58 once');
select is(count(*), 1::bigint, 'C58 which is told too') from mail.outbox o where o.template = 'suspension_lifted';
select is(tap.ask('tollgate_account', 'api.signed_in()', tap.session('ann@example.org', 'ann2')), 'true',
	'C58 and the user signs in again');
select is(pg_temp.ask(:'e', format('sign_out_user(%L)', :'ann_id')), '{"done": true}', 'C58 sessions are ended');
select is(pg_temp.ask(:'e', format('sign_out_user(%L)', :'ann_id')), '{"done": false}', 'C58 once');

-- overrides
create function pg_temp.override(p_tenant text, p_allowed boolean, p_plan text, p_last text, p_reason text) returns text
	language sql as $$
	select format('override_tenant(%L, %L, %L, %L, %L)', p_tenant, p_allowed, p_plan, p_last, p_reason) $$;
select is(pg_temp.state(:'e', pg_temp.override(:'ann', v.allowed, v.plan, v.last, v.reason)), 'TG422',
	'C58 refused: ' || what)
from (values ('no end', true, null, null, 'x'), ('an end that is over', true, null, (current_date - 1)::text, 'x'),
	('an end that never comes', true, null, 'infinity', 'x'), ('no day', true, null, '2027-02-30', 'x'),
	('a span', true, null, '7d', 'x'), ('in a hundred years', true, null, (current_date + 36500)::text, 'x'),
	('no reason', true, null, current_date::text, ' '), ('no word', null, null, current_date::text, 'x'),
	('no such plan', true, 'gold', current_date::text, 'x')) v (what, allowed, plan, last, reason);
select is(pg_temp.state(:'e', pg_temp.override(:'ann', false, null, current_date::text, 'fraud')), '00000',
	'C58 a tenant is denied')
from generate_series(1, 2);
select is(array[e ->> 'allowed', e ->> 'reason'], '{false,override}', 'C58 whatever it pays')
from billing.entitlement(:'ann', now()) e;
select is((o.until at time zone 'UTC')::text, current_date + 1 || ' 00:00:00', 'C58 to the end of that day')
from billing.overrides o where o.tenant_id = :'ann';
select is(p -> 'override', jsonb_build_object('allowed', false, 'plan', null, 'reason', 'fraud',
	'by', 'eve@example.org', 'until', api.date_document((current_date + 1)::timestamp at time zone 'UTC')),
	'C58 which is shown with who has said it')
from pg_temp.ask(:'e', format('admin_tenant(%L)', :'ann')) p;
select is(pg_temp.ask(:'e', format('lift_override(%L)', :'ann')), '{"done": true}', 'C58 it is ended');
select is(pg_temp.ask(:'e', format('lift_override(%L)', :'ann')), '{"done": false}', 'C58 once');
select is(e ->> 'reason', 'active', 'C58 and Stripe decides again')
from billing.entitlement(:'ann', clock_timestamp()) e;

select tap.ask('tollgate_operator', format('ops.put_override(%L, true, null, null, ''x'', ''root'')', :'bob'))
from generate_series(1, 2) \g /dev/null
select tap.ask('tollgate_operator', format('ops.end_override(%L, ''root'')', :'bob'))
from generate_series(1, 2) \g /dev/null
select is(string_agg(concat_ws(' ', e.kind, e.user_id, e.detail), ', ' order by e.n),
	'override_set {"allowed": true}, override_ended {}', 'C58 what a command does to a tenant is in the log, once')
from audit.entries e where e.tenant_id = :'bob' and e.kind like 'override%';
select tap.session('bob@example.org', 'bob0') \g /dev/null
select tap.ask('tollgate_operator', 'ops.end_sessions(''bob@example.org'')') from generate_series(1, 2) \g /dev/null
select is(count(*), 1::bigint, 'C58 and to a user') from audit.entries e
where e.kind = 'user_signed_out' and e.subject_id = auth.find_user('bob@example.org') and e.user_id is null;

-- oneself
insert into app.members (tenant_id, user_id, role) values (:'bob', :'eve', 'member');
select is(pg_temp.state(:'e', v.call), 'TG409', 'C58 not to oneself: ' || v.call)
from (values (format('suspend_user(%L, ''x'')', :'eve')), (format('lift_suspension(%L)', :'eve')),
	(format('sign_out_user(%L)', :'eve')), (pg_temp.override(:'bob', true, 'growth', current_date::text, 'x')),
	(format('lift_override(%L)', :'bob'))) v (call);
delete from app.members where user_id = :'eve';

-- the log names the operator, once for each act, and its readers learn that it was one
select is(pg_temp.told(), 'operator_added, user_suspended eve@example.org, suspension_lifted eve@example.org, '
	'user_signed_out eve@example.org, override_set eve@example.org, override_ended eve@example.org, override_set, '
	'override_ended, user_signed_out',
	'C58 the log has each act and the operator');
select is(tap.ask('tollgate_operator', 'ops.verify_audit()') -> 'faults', '[]', 'C58 and is whole');
select ok(p -> 'entries' @> '[{"kind": "override_set", "by": null, "user": null, "gone": false},
		{"kind": "user_suspended", "by": null, "user": null, "gone": false}]'
	and p::text not like '%eve%' and strpos(p::text, :'eve') = 0,
	'C58 whom it was done to reads that it was done, and not by whom')
from tap.ask('tollgate_account', 'api.audit_page()', tap.session('ann@example.org', 'ann3')) p;
select ok(p -> 'entries' @> '[{"kind": "user_viewed", "by": null}, {"kind": "tenant_viewed", "user": null}]',
	'C58 also that it was looked at')
from tap.ask('tollgate_account', 'api.audit_page()', tap.session('ann@example.org', 'ann6')) p;
select is(tap.ask('tollgate_account', format('app.people(%L)', :'ann'), tap.session('ann@example.org', 'ann5'))
	? :'eve', false, 'C58 nor is the operator among the people of the tenant');

-- a passkey in place of a second factor
select tap.session('bob@example.org', 'bob') as b \gset
select tap.ask('tollgate_operator', 'ops.add_operator(''bob@example.org'', ''root'')') \g /dev/null
select is(pg_temp.state(:'b', 'admin_alerts()'), 'TG40F', 'C58 an operator without a passkey');
insert into auth.passkeys (user_id, credential, key, counter, eligible, backed_up, transports, name)
values (auth.find_user('bob@example.org'), 'credential', 'key', 0, true, true, '{}', 'a key');
select is(pg_temp.state(:'b', 'admin_alerts()'), 'TG40C', 'C58 or with one that was not shown');
update auth.sessions set amr = '{passkey}', second_at = now() where user_id = auth.find_user('bob@example.org');
select is(pg_temp.state(:'b', 'admin_alerts()'), '00000', 'C58 and one who has shown it');
select is(pg_temp.ask(:'e', format('admin_user(%L)', auth.find_user('bob@example.org'))) -> 'passkeys', '1',
	'C58 which is told of a user');
select is(p - '{id,email,language,created_at,disabled_at,last_sign_in,sessions,tenants,offered,deleted_at}'::text[],
	'{"passkeys": 1, "passkey_used": null, "connections": 0, "connection_used": null}', 'C80 the command tells it too')
from tap.ask('tollgate_operator', 'ops.show_user(''bob@example.org'')') p;
savepoint used;
update auth.passkeys set used_at = '2027-01-01Z';
insert into auth.identities (user_id, provider, label, issuer, subject, used_at, vouches)
select auth.find_user('bob@example.org'), 'work', 'Work', 'https://id.example.org', s, u, false
from (values ('a', '2027-01-02Z'::timestamptz), ('b', '2027-01-03Z')) v (s, u);
select is(array[p ->> 'passkey_used', p ->> 'connections', p ->> 'connection_used'],
	'{2027-01-01T00:00:00+00:00,2,2027-01-03T00:00:00+00:00}', 'C80 and when the last of them was used')
from tap.ask('tollgate_operator', 'ops.show_user(''bob@example.org'')') p;
rollback to used;
select is(jsonb_path_query_array(tap.ask('tollgate_operator', 'ops.list_operators()'), '$[*].factor'), '[true, true]',
	'C58 and of operators');
select is(tap.ask('tollgate_operator', 'ops.remove_operator(''bob@example.org'')') -> 'removed', 'true', 'C58 removed');

-- two operators who suspend each other, and one who is removed
select tap.ask('tollgate_operator', 'ops.add_operator(''mia@example.org'', ''root'')') \g /dev/null
select pg_temp.give('mia@example.org'), pg_temp.prove(:'m') \g /dev/null
select is(pg_temp.ask(:'m', format('suspend_user(%L, ''gone mad'')', :'eve')), '{"done": true}',
	'C58 an operator suspends another');
select is(pg_temp.state(:'e', format('suspend_user(%L, ''x'')', :'mia')), 'TG401', 'C58 who does nothing then');
select tap.ask('tollgate_operator', 'ops.remove_operator(''mia@example.org'')') \g /dev/null
select is(pg_temp.state(:'m', 'admin_users('''')'), 'TG404', 'C58 who is removed is none at once');

select * from finish();
rollback;
