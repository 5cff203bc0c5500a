-- How a session's tokens rotate, state by state; how it is renewed by a proof; what its user sees and ends of it.
begin;
select no_plan();

select tap.paid('ann'), tap.session('ann@example.org', 'T0') \g /dev/null
select id as ann from auth.users where email_canonical = 'ann@example.org' \gset

create function pg_temp.bearer(p_secret text) returns text language sql as $$
	select encode(sha256(p_secret::bytea), 'hex') $$;
create function pg_temp.stored(p_secret text) returns bytea language sql as $$
	select sha256(sha256(p_secret::bytea)) $$;

-- the SQLSTATE of a page that is asked for with one token and offers another
create function pg_temp.offer(p_secret text, p_candidate text) returns text language plpgsql as $$
begin
	perform set_config('app.candidate', p_candidate, true);
	return tap.state_of('tollgate_account', 'select api.workspace_page()', pg_temp.bearer(p_secret));
end
$$;
create function pg_temp.page(p_secret text, p_offered text default null) returns text language sql as $$
	select pg_temp.offer(p_secret, coalesce(encode(pg_temp.stored(p_offered), 'hex'), '')) $$;

create function pg_temp.reused(p_secret text) returns jsonb language sql as $$
	select tap.ask('tollgate_account', 'api.end_reused()', pg_temp.bearer(p_secret)) $$;

create function pg_temp.tokens() returns text language sql as $$
	select string_agg(v.name || case when t.retired_at is not null then ' retired' when t.confirmed_at is null then
		' candidate' else ' current' end, ', ' order by v.name)
	from (select 'T' || n from generate_series(0, 9) n) v (name) join auth.tokens t on t.hash = pg_temp.stored(v.name)
$$;

create function pg_temp.pass(p_time interval) returns void language sql as $$
	update auth.tokens set issued_at = issued_at - p_time, confirmed_at = confirmed_at - p_time,
		retired_at = retired_at - p_time;
	update auth.sessions set seen_at = seen_at - p_time, auth_at = auth_at - p_time;
$$;

create function pg_temp.rows() returns text language sql as $$
	select string_agg(format('%s %s %s %s', s.ctid, s.xmax, t.ctid, t.xmax), ' ')
	from auth.sessions s join auth.tokens t on t.session_id = s.id
$$;

-- young
select pg_temp.rows() as before \gset
select is(pg_temp.page('T0', 'T1'), '00000', 'F41 a young token is taken');
select is(pg_temp.tokens(), 'T0 current', 'F41 no candidate is issued for it');
select is(pg_temp.rows(), :'before', 'F41 and neither its row nor the session''s is written or locked');
select pg_temp.pass('14 min 59 s') \g /dev/null
select is(pg_temp.page('T0', 'T1') || ' ' || pg_temp.tokens(), '00000 T0 current',
	'F41 until it is fifteen minutes old');

-- old
select pg_temp.pass('1 s') \g /dev/null
select is(pg_temp.page('T0') || ' ' || pg_temp.tokens(), '00000 T0 current',
	'F41 a program that offers none goes on');
select is(pg_temp.offer('T0', v.offered) || ' ' || pg_temp.tokens(), '00000 T0 current',
	'F41 what is no digest is no candidate: ' || v.offered)
from (values ('x'), (repeat('A', 64)), (repeat('0', 63)), (repeat('0', 65))) v (offered);
select is(pg_temp.page('T0', 'T1') || ' ' || pg_temp.tokens(), '00000 T0 current, T1 candidate',
	'F41 then the candidate that is offered is issued');
select is(pg_temp.page('T0', 'T2') || ' ' || pg_temp.tokens(), '00000 T0 current, T1 candidate',
	'F41 and no second one at the same time');
select is(tap.ask('tollgate_account', 'api.signed_in()', pg_temp.bearer('T1')), 'true', 'F42 a candidate is signed in');
select is(pg_temp.tokens(), 'T0 current, T1 candidate', 'F42 to ask that is not to use it');
select pg_temp.pass('10 s') \g /dev/null
select is(pg_temp.page('T0', 'T2') || ' ' || pg_temp.tokens(), '00000 T0 current, T1 candidate, T2 candidate',
	'F42 a candidate that is lost costs nothing: after ten seconds there is another');

-- used
select is(pg_temp.page('T2', 'T3') || ' ' || pg_temp.tokens(), '00000 T0 retired, T1 retired, T2 current',
	'F41 a candidate becomes current by its first use, which retires all others');
select is(pg_temp.page('T0', 'T3') || ' ' || pg_temp.tokens(), '00000 T0 retired, T1 retired, T2 current',
	'F40 a retired token is taken for calls that are under way');
select pg_temp.pass('10 s') \g /dev/null
select is(pg_temp.page('T1', 'T3') || ' ' || pg_temp.tokens(), '00000 T0 retired, T1 retired, T2 current, T3 candidate',
	'F40 and gets a candidate, by which its browser comes back');
select is(pg_temp.page('T3') || ' ' || pg_temp.tokens(), '00000 T0 retired, T1 retired, T2 retired, T3 current',
	'F40 that it may use');
select is(pg_temp.reused('T2'), null, 'F40 what was retired lately is no reuse');

-- reused
select pg_temp.pass('30 s') \g /dev/null
delete from mail.outbox;
select is(pg_temp.page('T2', 'T4'), 'TG401', 'F40 thirty seconds later it is refused');
select is(tap.ask('tollgate_account', 'api.signed_in()', pg_temp.bearer('T3')), 'true', 'F40 which alone ends nothing');
select is(pg_temp.reused(v), null, 'F40 nor does a report of ' || v) from (values ('T3'), ('nothing')) t (v);
select is(tap.ask('tollgate_account', 'api.end_reused()', b), null, 'F40 or of what is no bearer: ' || b)
from (values (''), ('x'), (repeat('Z', 64))) v (b);
select is(pg_temp.reused('T2') ->> 'session', id::text, 'F40 its report ends the session') from auth.sessions;
select is(revoke_reason, 'reuse', 'F40 with its reason') from auth.sessions;
select is(pg_temp.page('T3'), 'TG401', 'F40 for whoever has the current token too');
select is(pg_temp.reused('T2'), null, 'F40 a second report ends nothing more');
select is((select string_agg(concat_ws(' ', template, recipient, language, data ->> 'network'), ', ') from mail.outbox),
	'safety_reuse ann@example.org en 192.0.2.0/24', 'F40 and the user is told once');
select is(count(*), 1::bigint, 'F40 nothing else was touched') from auth.sessions;

-- what counts for the session counts on, whatever its token is
select tap.session('ann@example.org', 'T5') \g /dev/null
select is(tap.ask('tollgate_billing', 'to_jsonb(auth.uid())', pg_temp.bearer('T5')) #>> '{}', :'ann',
	'F40 signing in again is a session of its own');

-- how long it lasts, and its cookie
update auth.sessions set absolute_until = now() + interval '20 days', revoked_at = null, revoke_reason = null;
select is(auth.cookie_age(s), 20 * 86400, 'F40 a cookie is kept as long as its session lasts at most')
	from auth.sessions s join auth.tokens t on t.session_id = s.id where t.hash = pg_temp.stored('T5');
update auth.sessions set remember = false;
select is(auth.cookie_age(s), -1, 'F40 or ends with the browser')
	from auth.sessions s join auth.tokens t on t.session_id = s.id where t.hash = pg_temp.stored('T5');
select auth.open_session(:'ann', pg_temp.stored('T6'), '{link}', '198.51.100.7', 'a browser', false) \g /dev/null
select is((select array[idle_until, absolute_until] from auth.sessions s join auth.tokens t on t.session_id = s.id
	where t.hash = pg_temp.stored('T6')), array[now() + interval '12 hours', now() + interval '12 hours'],
	'F40 who does not ask to be remembered is for twelve hours');

-- a proof renews the session
create function pg_temp.confirm(p_code text, p_secret text, p_new text) returns jsonb language sql as $$
	select tap.ask('tollgate_signin', format('api.confirm_code(%L, %L, ''203.0.113.9'', ''curl/8'', null)', p_code,
		pg_temp.stored(p_new)), pg_temp.bearer(p_secret))
$$;
create function pg_temp.fresh(p_secret text) returns text language sql as $$
	select tap.state_of('tollgate_signin', 'select api.require_fresh()', pg_temp.bearer(p_secret)) $$;
update auth.tokens set confirmed_at = now(), retired_at = null, issued_at = now();
update auth.sessions set revoked_at = now(), revoke_reason = 'logout';
select tap.user('bea@example.org') as bea, tap.session('bea@example.org', 'B0') \gset
select is(pg_temp.fresh('B0'), '00000', 'F36 who has just signed in is fresh');
update auth.sessions set auth_at = now() - interval '10 min';
select is(pg_temp.fresh('B0'), 'TG40C', 'F36 for ten minutes');
select is(pg_temp.fresh('nobody'), 'TG401', 'F36 without a session one has to sign in');
select is(tap.state_of('tollgate_account', 'select api.end_other_sessions()', pg_temp.bearer('B0')), 'TG40C',
	'F36 others are signed out by who is fresh only');
select is(tap.ask('tollgate_signin', 'api.confirm_page()', pg_temp.bearer('B0')),
	'{"email": "bea@example.org", "fresh": false, "factor": false, "password": false}',
	'F36 the page that asks for a proof says whose it is');
select tap.ask('tollgate_signin', 'api.request_confirm()', pg_temp.bearer('B0')) \g /dev/null
select tap.mailed('bea@example.org') as mailed \gset
select is(:'mailed'::jsonb ->> 'template', 'confirm', 'F36 a code is mailed');
select :'mailed'::jsonb ->> 'code' as code \gset
select is(tap.sign_in(:'mailed'::jsonb ->> 'hash', :'code', 'any', 'evil') -> 'ok', 'false', 'F36 it signs nobody in');
select is(pg_temp.confirm('0000-0000', 'B0', 'B1'), '{"ok": false}', 'F36 another code does not');
select tap.session('bea@example.org', 'B9') \g /dev/null
select is(pg_temp.confirm(:'code', 'B9', 'B1'), '{"ok": false}', 'F36 the code of another session does not');
select is(tap.state_of('tollgate_signin', format('select api.confirm_code(%L, %L, null, null, null)', :'code',
	pg_temp.stored('B1'))), 'TG401', 'F36 nor without one');
select is(pg_temp.confirm(:'code', 'B0', 'B1') -> 'ok', 'true', 'F36 the right one renews the session');
select is(pg_temp.confirm(:'code', 'B0', 'B1') -> 'ok', 'true', 'F88 who lost the answer may ask again');
select is(pg_temp.confirm(:'code', 'B0', 'B2'), '{"ok": false}', 'F36 with the same token only');
select is(pg_temp.fresh('B0') || ' ' || pg_temp.page('B0'), 'TG40C 00000',
	'F42 until the new token is used the former goes on, as it was');
select is(pg_temp.page('B1') || ' ' || pg_temp.fresh('B1'), '00000 00000', 'F36 the new session is fresh');
select is(pg_temp.page('B0'), 'TG401', 'F36 and by its first use ends the former');
select is(concat_ws(' ', o.revoke_reason, s.absolute_until = o.absolute_until, s.created_at = o.created_at,
	s.amr @> '{code,link}'), 'replaced t t t', 'F36 whose place it takes, for no longer')
	from auth.sessions s join auth.sessions o on o.id = s.replaces;
select is(pg_temp.reused('B0'), '{"late": true}', 'F40 the former''s token is no reuse, and its browser has another');
select cmp_ok(s.idle_until, '>', now() + interval '11 hours', 'F36 once it is used it lasts as the former did')
	from auth.sessions s where s.replaces is not null;

-- two sessions that are one to their user
create function pg_temp.renew(p_secret text, p_renewed text) returns void language plpgsql as $$
begin
	perform set_config('app.bearer', pg_temp.bearer(p_secret), true);
	perform auth.renew_session(pg_temp.stored(p_renewed), '{code}', '192.0.2.1', 'x');
end
$$;
select tap.session('bea@example.org', 'R' || n) from generate_series(0, 3) n \g /dev/null
select pg_temp.renew('R0', 'R4'), pg_temp.renew('R1', 'R5'), pg_temp.renew('R2', 'R6') \g /dev/null
select tap.ask('tollgate_signin', 'api.sign_out()', pg_temp.bearer('R4')) \g /dev/null
select is(pg_temp.page('R4') || ' ' || pg_temp.page('R0'), 'TG401 TG401',
	'F40 who signs out by the first use of a renewed session leaves none behind');
select tap.ask('tollgate_signin', 'api.sign_out()', pg_temp.bearer('R1')) \g /dev/null
select is(pg_temp.page('R1') || ' ' || pg_temp.page('R5'), 'TG401 TG401',
	'F40 nor who signs out without having got it');
select tap.ask('tollgate_account', format('api.end_session(%L)', (
	select t.session_id from auth.tokens t where t.hash = pg_temp.stored('R2'))), pg_temp.bearer('R3'))
	\g /dev/null
select is(concat_ws(' ', pg_temp.page('R2'), pg_temp.page('R6'), pg_temp.page('R3')), 'TG401 TG401 00000',
	'F40 nor does one that another browser ends');
select tap.session('bea@example.org', 'R' || n) from generate_series(7, 8) n \g /dev/null
select pg_temp.renew('R7', 'R9'), pg_temp.renew('R7', 'R10'), pg_temp.renew('R7', 'R11'), pg_temp.renew('R8', 'R12')
	\g /dev/null
select is(array(select pg_temp.page('R' || n) from unnest('{10,7,9,11,12,8}'::int[]) n),
	'{00000,TG401,TG401,TG401,00000,TG401}',
	'F36 of a session that was renewed more than once, because answers were lost, one is left');
delete from auth.sessions s using auth.tokens t where t.session_id = s.id and t.hash in (
	select pg_temp.stored('R' || n) from generate_series(0, 12) n);
update auth.sessions set auth_at = now() - interval '10 min';
select tap.ask('tollgate_signin', 'api.request_confirm()', pg_temp.bearer('B1')) \g /dev/null
select tap.mailed('bea@example.org') ->> 'code' as code \gset
select pg_temp.confirm('0000-0000', 'B1', 'B2') from generate_series(1, 5) \g /dev/null
select is(pg_temp.confirm(:'code', 'B1', 'B2'), '{"ok": false}', 'F36 five wrong codes are the end of a code');
select tap.ask('tollgate_signin', 'api.request_confirm()', pg_temp.bearer('B1')) from generate_series(1, 4) \g /dev/null
select is(tap.state_of('tollgate_signin', 'select api.request_confirm()', pg_temp.bearer('B1')), 'TG429',
	'F51 five codes an hour');
create function pg_temp.after(p_wait interval) returns text language plpgsql as $$
begin
	update auth.hits h set spent_until = h.spent_until - p_wait where h.kind = 'confirm';
	return tap.state_of('tollgate_signin', 'select api.request_confirm()', pg_temp.bearer('B1'));
end
$$;
select is(pg_temp.after('719 s'), 'TG429', 'F51 one comes back after twelve minutes, as Retry-After says');
select is(pg_temp.after('1 s'), '00000', 'F51 and not later');

-- what a user sees and ends
delete from auth.sessions;
select tap.session('bea@example.org', 'B3'), tap.session('bea@example.org', 'B4') \g /dev/null
update auth.sessions s set agent = case when t.hash = pg_temp.stored('B3')
	then 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' end,
	seen_at = now() - interval '1 min' * (t.hash = pg_temp.stored('B3'))::int
from auth.tokens t where t.session_id = s.id;
select auth.open_session(:'ann', pg_temp.stored('A1'), '{link}', '2001:db8:1:2::3', 'x', true) \g /dev/null
create function pg_temp.listed(p_secret text) returns jsonb language sql as $$
	select tap.ask('tollgate_account', 'api.sessions_page()', pg_temp.bearer(p_secret)) $$;
create function pg_temp.id_of(p_secret text) returns uuid language sql as $$
	select session_id from auth.tokens where hash = pg_temp.stored(p_secret) $$;
select is(array(select jsonb_path_query(pg_temp.listed('B4'), '$.sessions[*].seen_clock')), array(
	select to_jsonb(to_char(now() at time zone 'UTC' - v, 'HH24:MI "UTC"')) from unnest('{0,1 min}'::interval[]) v),
	'C140 with the time of day');
select is(pg_temp.listed('B4') #- '{sessions,0,id}' #- '{sessions,1,id}' #- '{sessions,0,created}'
	#- '{sessions,1,created}' #- '{sessions,0,seen}' #- '{sessions,1,seen}' #- '{sessions,0,seen_clock}'
	#- '{sessions,1,seen_clock}',
	'{"email": "bea@example.org", "others": true, "sessions": [
		{"current": true, "network": "192.0.2.0/24", "browser": null},
		{"current": false, "network": "192.0.2.0/24", "browser": "Firefox, Linux"}]}', 'C140 a user sees own sessions');
select is(pg_temp.listed('A1') #>> '{sessions,0,network}', '2001:db8:1::/48', 'C140 by the network around an address');
select is(pg_temp.listed('A1') -> 'others', 'false', 'C140 one may be the only one');
select is(auth.browser_of(v.agent), v.browser, 'C140 ' || coalesce(v.browser, 'no browser of ours'))
from (values (null, null), ('', null), ('Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) '
	'Chrome/140.0 Safari/537.36 Edg/140.0', 'Edge, Windows'), ('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) '
	'AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1', 'Safari, iPhone'),
	('Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36', 'Chrome, Android'),
	('Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/18 Safari/605', 'Safari, macOS'),
	('curl/8.5', 'curl')) v (agent, browser);
create function pg_temp.ended(p_secret text, p_id uuid) returns text language sql as $$
	select tap.state_of('tollgate_account', format('select api.end_session(%L)', p_id), pg_temp.bearer(p_secret)) $$;
select is(pg_temp.ended('B4', id), 'TG404', 'C140 one ends no session that is not one''s own: ' || what)
from (values (pg_temp.id_of('A1'), 'another''s'), (gen_random_uuid(), 'nobody''s'), (null, 'none')) v (id, what);
select is(pg_temp.ended('B4', pg_temp.id_of('B3')), '00000', 'C140 but one''s own');
select is(pg_temp.page('B3') || ' ' || pg_temp.page('A1'), 'TG401 00000', 'C140 which is over then, and no other');
select is(pg_temp.ended('B4', pg_temp.id_of('B3')), 'TG404', 'C140 and cannot be ended twice');
select tap.session('bea@example.org', 'B5'), tap.session('bea@example.org', 'B6') \g /dev/null
select is(tap.ask('tollgate_account', 'api.end_other_sessions()', pg_temp.bearer('B5')), '{"ended": 2}',
	'C140 all others end together');
select is(concat_ws(' ', pg_temp.page('B4'), pg_temp.page('B5'), pg_temp.page('B6'), pg_temp.page('A1')),
	'TG401 00000 TG401 00000', 'C140 without this one, and nobody else''s');
select is(tap.ask('tollgate_account', 'api.session_state()', pg_temp.bearer('B5')) #- '{session,created}'
	#- '{session,expires}', jsonb_build_object('user', jsonb_build_object('id', :'bea'::uuid, 'email',
		'bea@example.org'), 'session', jsonb_build_object('id', pg_temp.id_of('B5'), 'fresh', true)),
	'C140 a program asks who is signed in');

-- a browser that is new to a user
delete from mail.outbox;
create function pg_temp.told() returns text language sql as $$
	select string_agg(o.template || ' ' || o.recipient, ', ') from mail.outbox o where o.template like 'safety%' $$;
create function pg_temp.enter(p_device text) returns jsonb language plpgsql as $$
begin
	update auth.hits set spent_until = now();
	perform tap.request('cyd@example.org', 'flow ' || p_device, p_device => p_device);
	return tap.sign_in(tap.mailed('cyd@example.org') ->> 'hash', null, 'flow ' || p_device, gen_random_uuid()::text,
		p_device);
end
$$;
select tap.user('cyd@example.org'), pg_temp.enter('first') \g /dev/null
select is(pg_temp.told(), null, 'C141 the first browser is no news');
select pg_temp.enter('first') \g /dev/null
select is(pg_temp.told(), null, 'C141 nor is the same one again');
select pg_temp.enter('second') \g /dev/null
select is(pg_temp.told(), 'safety_device cyd@example.org', 'C141 the second one is told of');

-- a session's allowance of calls to Stripe outlives its token
insert into auth.tokens (hash, session_id) values (pg_temp.stored('B7'), pg_temp.id_of('B5'));
delete from auth.hits;
select set_config('app.bearer', pg_temp.bearer(b), true), billing.require_call_allowance(null, null, null)
from unnest('{B5,B7}'::text[]) b \g /dev/null
select set_config('app.bearer', '', true) \g /dev/null
select is(count(*), 1::bigint, 'F207 what is counted for a session is counted for whatever token it has')
	from auth.hits where kind = 'call_browser';

-- a client that keeps no cookie, and a request that takes long
select tap.session('ann@example.org', 'T8') \g /dev/null
select pg_temp.pass('20 min') \g /dev/null
do $$
begin
	for i in 1 .. 9 loop
		perform pg_temp.page('T8', 'C' || i);
		update auth.tokens set issued_at = issued_at - interval '11 s';
	end loop;
end
$$;
select is(array(select c from generate_series(1, 9) c where exists (
	select from auth.tokens t where t.hash = pg_temp.stored('C' || c))), '{5,6,7,8,9}',
	'F42 of unused tokens five are kept');
select is(pg_temp.page('T8', 'C9'), '00000', 'F42 a candidate that is offered again is the same');

select * from finish();
rollback;
