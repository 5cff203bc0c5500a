-- Which user a bearer stands for, and when it stops being valid; users and their profiles.
begin;
select no_plan();

select tap.paid('ann') as tenant \gset
select tap.session('ann@example.org', 'T') as bearer \gset
select id as ann from auth.users where email_canonical = 'ann@example.org' \gset

select is(tap.ask('tollgate_account', 'api.signed_in()', :'bearer'),
	'true', 'C52 a bearer with a session is signed in');
select is(tap.ask('tollgate_billing', 'api.signed_in()', :'bearer'), 'true', 'C52 in each pool of workers');
select is(tap.ask('tollgate_signup', 'api.signed_in()', :'bearer'), 'true', 'C52 on the sign-up pages too');
select is(tap.ask('tollgate_billing', 'to_jsonb(auth.uid())', :'bearer') #>> '{}',
	:'ann', 'C52 and is who proved the mailbox');
select is((select encode(hash, 'hex') from auth.tokens), encode(sha256(decode(:'bearer', 'hex')), 'hex'),
	'F43 of the bearer only a digest is stored');

-- malformed bearers
select is(tap.ask('tollgate_account', 'api.signed_in()', b), 'false', 'F40 not a bearer: ' || to_json(left(b, 70)))
from (values (''), ('x'), (repeat('0', 64)), (repeat('z', 64)), (upper(:'bearer')), (:'bearer' || ' '),
	(:'bearer' || E'\n'),
	(' ' || :'bearer'), (left(:'bearer', 63)), (:'bearer' || '0'), (repeat('é', 64)),
	(encode(sha256(decode(:'bearer', 'hex')), 'hex')), (''' or true --')) v (b);

-- a local setting that has ended is '', which is no bearer
savepoint local;
select set_config('app.bearer', :'bearer', true);
rollback to local;
select is(coalesce(current_setting('app.bearer', true), ''), '', 'D27 a local setting ends with its transaction');
select is(auth.uid(), null, 'F91 what it leaves behind is nobody');
select set_config('app.bearer', '', false);
select is(auth.uid(), null, 'F91 an empty bearer is nobody');

-- the user after p_change in the rows, which is undone again
create function pg_temp.after(p_change text, p_bearer text) returns jsonb language plpgsql as $$
declare
	answer jsonb;
begin
	execute p_change;
	answer := tap.ask('tollgate_account', 'api.signed_in()', p_bearer);
	raise exception 'undo' using errcode = 'TG999';
exception when sqlstate 'TG999' then
	return answer;
end
$$;

select is(pg_temp.after(change, :'bearer'), answer::jsonb, description)
from (values
	('select', 'true', 'F40 untouched, the session lives'),
	($$update auth.sessions set idle_until = now() + interval '1 s'$$, 'true', 'F40 to the last second of idleness'),
	($$update auth.sessions set idle_until = now()$$, 'false', 'F40 idle for too long'),
	($$update auth.sessions set absolute_until = now()$$, 'false', 'F40 thirty days are over'),
	($$update auth.sessions set revoked_at = now(), revoke_reason = 'admin'$$, 'false', 'F40 revoked'),
	($$update auth.users set disabled_at = now()$$, 'false', 'F40 user disabled'),
	($$update auth.tokens set retired_at = now() - interval '29 s'$$, 'true', 'F40 retired token within 30 s'),
	($$update auth.tokens set retired_at = now() - interval '31 s'$$, 'false', 'F40 retired token after 30 s'),
	($$delete from auth.sessions$$, 'false', 'F40 session gone')) as v (change, answer, description);

-- use extends the idle deadline
update auth.sessions set idle_until = now() + interval '1 day', seen_at = now() - interval '5 min';
select tap.ask('tollgate_account', 'api.workspace_page()', :'bearer');
select is(idle_until, now() + interval '7 days', 'F40 a page puts off the end by idleness') from auth.sessions;
update auth.sessions set idle_until = now() + interval '7 days' - interval '4 min', seen_at = now() - interval '4 min';
select tap.ask('tollgate_account', 'api.workspace_page()', :'bearer');
select is(idle_until, now() + interval '7 days' - interval '4 min', 'F40 which is written every five minutes at most')
	from auth.sessions;
update auth.sessions set idle_until = now() + interval '1 day', absolute_until = now() + interval '2 days',
	seen_at = now() - interval '5 min';
select tap.ask('tollgate_account', 'api.workspace_page()', :'bearer');
select is(idle_until, absolute_until, 'F40 and never goes beyond the thirty days') from auth.sessions;

-- who is disabled
update auth.users set disabled_at = now() where id = :'ann';
select is(tap.state_of('none', format('select auth.open_session(%L, %L, %L, null, null, false)', :'ann', sha256('x'),
	'{link}')), 'TG403', 'F44 no function opens a session of a disabled user');
update auth.users set disabled_at = null;

-- sign-out
select tap.session('ann@example.org', 'U') as other \gset
select is(tap.ask('tollgate_signin', 'api.sign_out()', :'bearer'), null, 'F39 signing out');
select is(tap.ask('tollgate_account', 'api.signed_in()', :'bearer'), 'false', 'F39 ends the session in the database');
select is(tap.ask('tollgate_account', 'api.signed_in()', :'other'), 'true', 'F39 and no other session');
select is(revoke_reason, 'logout', 'F39 with its reason') from auth.sessions where revoked_at is not null;
select lives_ok($$select tap.ask('tollgate_signin', 'api.sign_out()', '')$$, 'F39 without a session it is no error');
select is(tap.state_of('tollgate_account', 'select api.workspace_page()', :'bearer'), 'TG401',
	'C20 afterwards pages refuse');

-- at most twenty sessions
update auth.sessions set created_at = now() - interval '1 hour';
select tap.session('ann@example.org', 'many ' || n) from generate_series(1, 20) n;
select is(count(*), 20::bigint, 'F40 a user has twenty sessions at most') from auth.sessions where revoked_at is null;
select is(tap.ask('tollgate_account', 'api.signed_in()', :'other'), 'false', 'F40 the oldest is the one to go');
select is(tap.ask('tollgate_account', 'api.signed_in()', encode(sha256('many 20'), 'hex')),
	'true', 'F40 the newest stays');

-- users and profiles
insert into auth.users (email, email_canonical) values ('Zoe.Q@Example.org', 'zoe.q@example.org');
select is(display_name, 'Zoe.Q', 'C53 a new user has a profile at once')
	from app.profiles p join auth.users u on u.id = p.user_id
	where u.email_canonical = 'zoe.q@example.org';
select is((select count(*) from app.profiles), (select count(*) from auth.users), 'C53 every user has one profile');
select is(tap.user(' ANN@example.org '), :'ann', 'C53 the same address is the same user, however typed');
select throws_ok($$insert into auth.users (email, email_canonical) values ('ann@example.org', 'ann@example.org')$$,
	'23505', null,
	'C53 an address is one user''s');

-- how long a session lasts, from its beginning
delete from auth.hits;
select tap.user('tim@example.org') as tim, tap.session('tim@example.org', 'tim') as t \gset
select is((select array[idle_until, absolute_until, auth_at] from auth.sessions where user_id = :'tim'),
	array[now() + interval '7 days', now() + interval '30 days', now()],
	'F40 a session lasts thirty days, and seven without use');
update auth.sessions set idle_until = now() + interval '7 days' - interval '6 min', seen_at = now() - interval '6 min'
where user_id = :'tim';
select tap.ask('tollgate_account', 'api.workspace_page()', :'t') \g /dev/null
select is((select idle_until from auth.sessions where user_id = :'tim'), now() + interval '7 days',
	'F40 use is written after five minutes');

-- ended sessions do not count towards the limit of twenty
update auth.sessions set created_at = now() - interval '1 hour' where user_id = :'tim';
insert into auth.sessions (user_id, absolute_until, idle_until, auth_at, amr, revoked_at, revoke_reason)
select :'tim', now() + interval '1 day', now() + interval '1 day', now(), '{link}', now(), 'logout'
from generate_series(1, 25);
insert into auth.sessions (user_id, absolute_until, idle_until, auth_at, amr)
select :'tim', now() + v.absolute, now() + v.idle, now(), '{link}'
from (values (interval '-1 s', interval '1 day'), ('1 day', '-1 s')) v (absolute, idle), generate_series(1, 25);
select tap.session('tim@example.org', 'tim 2') \g /dev/null
select is(tap.ask('tollgate_account', 'api.signed_in()', :'t'), 'true',
	'F40 of the twenty, those that have ended are none');
select is((select count(*) from auth.sessions where revoke_reason = 'limit' and user_id = :'tim'), 0::bigint,
	'F40 and nothing is revoked for them');

select * from finish();
rollback;
