-- Passwords: the verdict on K, what the answers reveal of an address, and how long wrong ones must wait.
begin;
select no_plan();

create function pg_temp.k(p_word text) returns bytea language sql as $$ select sha256(('K of ' || p_word)::bytea) $$;
create function pg_temp.has(p_email text, p_word text, p_cost int[] default '{19456,2,1}') returns void
	language plpgsql as $$
begin
	perform auth.put_password(tap.user(p_email), sha256(p_email::bytea), p_cost, sha256(pg_temp.k(p_word)));
end
$$;
create function pg_temp.ask(p_email text, p_ip inet default '192.0.2.1', p_device text default null) returns jsonb
	language plpgsql as $$
begin
	return tap.ask('tollgate_signin', format('api.begin_password(%L, %L, %L, %L)', p_email, '{19456,2,1}', p_ip,
		sha256(p_device::bytea)));
end
$$;
create function pg_temp.enter(p_email text, p_word text, p_secret text default 'x', p_ip inet default '192.0.2.1',
	p_device text default null) returns jsonb language plpgsql as $$
begin
	return tap.ask('tollgate_signin', format(
		'api.sign_in_password(%L, %L, %L, ''/workspace'', %L, %L, %L, %L, false)', p_email,
		pg_temp.k(p_word), sha256(sha256(p_secret::bytea)), 'de', p_ip, 'a browser', sha256(p_device::bytea)));
end
$$;
create function pg_temp.wait(p_email text, p_ip inet default '192.0.2.1', p_device text default null) returns int
	language sql as $$ select (pg_temp.ask(p_email, p_ip, p_device) ->> 'wait')::int $$;

select pg_temp.has('ann@example.org', 'right'), tap.user('bob@example.org') \g /dev/null

-- salt and cost
select is(pg_temp.ask('Ann@example.org '), jsonb_build_object('salt', encode(sha256('ann@example.org'), 'hex'),
	'cost', '[19456, 2, 1]'::jsonb), 'F50 a user''s salt and cost, however the address is typed');
select is(array(select jsonb_object_keys(pg_temp.ask(e))), '{cost,salt}', 'F50 an address has a salt: ' || e)
from unnest(array['bob@example.org', 'nobody@example.org']) e;
select is(pg_temp.ask('nobody@example.org'), pg_temp.ask('NOBODY@example.org'), 'F50 always the same one');
select isnt(pg_temp.ask('nobody@example.org') -> 'salt', pg_temp.ask('none@example.org') -> 'salt',
	'F50 and each its own');
update auth.users set disabled_at = now() where email = 'ann@example.org';
select isnt(pg_temp.ask('ann@example.org') ->> 'salt', encode(sha256('ann@example.org'), 'hex'),
	'F50 a disabled user is nobody');
select is(pg_temp.enter('ann@example.org', 'right'), '{"ok": false}', 'F40 and does not come in');
update auth.users set disabled_at = null;

-- the verdict
select is(pg_temp.enter(e, w), '{"ok": false}', format('C46 refused: %s with %L', e, w))
from (values ('ann@example.org', 'wrong'), ('ann@example.org', ''), ('bob@example.org', 'right'),
	('nobody@example.org', 'right'), ('', 'right')) v (e, w);
select is(tap.ask('tollgate_signin', format('api.sign_in_password(%L, %L, %L, null, null, null, null, null, false)',
	'ann@example.org', k, sha256('t'))), '{"ok": false}', 'S10 this is no K: ' || coalesce(k::text, 'null'))
from (select stored_key as k from auth.passwords union all values (null), (''::bytea)) v;
select is(count(*), 0::bigint, 'C46 without K there is no session') from auth.sessions;
select is(pg_temp.enter(' ANN@example.org', 'right', 'one') -> 'ok', 'true', 'C46 K signs in');
select is(pg_temp.enter('ann@example.org', 'right', 'one') -> 'ok', 'true',
	'F88 the same call again, its answer lost, is told the same');
select is(array_agg(s.amr::text), '{"{password}"}', 'C46 one session, which says how it was proved')
from auth.sessions s;
select is(tap.ask('tollgate_signin', 'api.signed_in()', encode(sha256('one'), 'hex')), 'true', 'C46 it is live');
select is(language, 'de', 'C96 mails are in the language of the sign-in from now on') from app.profiles
where user_id = auth.find_user('ann@example.org');

-- proving it again, and another password
create function pg_temp.confirm(p_word text, p_secret text, p_bearer text) returns jsonb language plpgsql as $$
begin
	return tap.ask('tollgate_signin', format('api.confirm_password(%L, %L, %L, %L)', pg_temp.k(p_word),
		sha256(sha256(p_secret::bytea)), '192.0.2.1', 'a browser'), p_bearer);
end
$$;
create function pg_temp.change(p_word text, p_bearer text) returns text language sql as $$
	select tap.state_of('tollgate_signin', format('select api.change_password(%L, %L, %L)', sha256(p_word::bytea),
		'{19456,2,1}', pg_temp.k(p_word)), p_bearer)
$$;
select encode(sha256('one'), 'hex') as mine \gset
select pg_temp.enter('ann@example.org', 'right', 'elsewhere') \g /dev/null
update auth.sessions set auth_at = now() - interval '11 min';
select is(tap.ask('tollgate_signin', 'api.begin_confirm(''{1,1,1}'')', :'mine') ->> 'salt',
	encode(sha256('ann@example.org'), 'hex'), 'F36 the session''s user has the salt');
select is(tap.state_of('tollgate_signin', 'select api.begin_confirm(''{1,1,1}'')'), 'TG401', 'F36 and no one else');
select is(pg_temp.change('the second', :'mine'), 'TG40C', 'F36 a session that was not proved lately sets no password');
select is(pg_temp.change('the second', ''), 'TG401', 'F36 nor does none');
select is(pg_temp.confirm('wrong', 'two', :'mine'), '{"ok": false}', 'F36 a wrong password proves nothing');
select is(pg_temp.confirm('right', 'two', :'mine') -> 'ok', 'true', 'F36 the right one makes a session of its own');
select is(pg_temp.confirm('right', 'two', :'mine') -> 'ok', 'true', 'F88 the same call again, its answer lost, too');
select encode(sha256('two'), 'hex') as proved \gset
select is(pg_temp.change('the second', :'proved'), '00000', 'F40 which may set a password');
select is(pg_temp.change('the second', :'proved'), '00000', 'F88 and again, its answer lost');
select is(auth.match_password('ann@example.org', pg_temp.k('right')), null, 'F40 the former is over');
select is(auth.match_password('ann@example.org', pg_temp.k('the second')), auth.find_user('ann@example.org'),
	'F40 the new one is good');
select is(tap.ask('tollgate_signin', 'api.signed_in()', :'proved'), 'true', 'F40 the session goes on');
select is(tap.ask('tollgate_signin', 'api.signed_in()', encode(sha256('elsewhere'), 'hex')), 'false',
	'F40 those of other browsers end');
select is(count(*), 1::bigint, 'F40 and the user is told once') from mail.outbox
where template = 'safety_password' and recipient = 'ann@example.org';
select pg_temp.change('right', :'proved') \g /dev/null

-- a second factor
insert into auth.factors (user_id, seed, confirmed_at) values (auth.find_user('ann@example.org'), '\x00', now());
select is(pg_temp.enter('ann@example.org', 'right', 'pending'), '{"ok": true, "next": "/workspace", "second": true}',
	'F54 with a second factor a password is one proof of two');
select is(pg_temp.enter('ann@example.org', 'right', 'pending'), '{"ok": true, "next": "/workspace", "second": true}',
	'F88 the same call again, its answer lost, is told the same');
select is(tap.ask('tollgate_signin', 'api.signed_in()', encode(sha256('pending'), 'hex')), 'false',
	'F54 and begins no session');
select is(pg_temp.confirm('right', 'four', :'proved'), '{"ok": false}', 'F54 nor does it prove again who one is');
delete from auth.factors;

-- other costs
select pg_temp.has('old@example.org', 'right', '{8192,1,1}') \g /dev/null
select is(pg_temp.ask('old@example.org') -> 'cost', '[8192, 1, 1]', 'F49 a password is stretched as it was stored');
create function pg_temp.upgrade(p_word text) returns void language plpgsql as $$
begin
	perform tap.ask('tollgate_signin', format('api.upgrade_password(%L, %L, %L, %L, %L)', 'old@example.org',
		pg_temp.k(p_word), sha256('new salt'), '{19456,2,1}', pg_temp.k('right, dearer')));
end
$$;
select pg_temp.upgrade('wrong') \g /dev/null
select is(cost, '{8192,1,1}', 'C46 who does not know K changes no password') from auth.passwords
where user_id = auth.find_user('old@example.org');
select pg_temp.upgrade('right') \g /dev/null
select is(pg_temp.ask('old@example.org'), jsonb_build_object('salt', encode(sha256('new salt'), 'hex'),
	'cost', '[19456, 2, 1]'::jsonb), 'C46 with K it costs what new ones cost');
select is(pg_temp.enter('old@example.org', 'right, dearer') -> 'ok', 'true', 'C46 and the new K signs in');

-- wrong ones wait, and the right one forgives
delete from auth.tries;
select pg_temp.ask('old@example.org'), pg_temp.enter('old@example.org', 'right, dearer', 's' || n)
from generate_series(1, 3) n \g /dev/null
select is(array(select failed from auth.tries), '{0}',
	'F62 right ones are not counted among the wrong ones of an address');
delete from auth.tries;
update auth.limits set allowed = 1 where kind = 'password_near';
select is(array[tap.state_of('tollgate_signin', 'select api.begin_registration(''203.0.113.9'')'),
	tap.state_of('tollgate_signin', 'select api.begin_registration(''203.0.113.9'')')], '{00000,TG429}',
	'F48 a network registers no faster than it signs in');
update auth.limits set allowed = 100 where kind = 'password_near';
select is(auth.wait_after(n, 5, '15 min'), w::interval, 'F62 the wait after ' || n)
from (values (1, '0'), (4, '0'), (5, '1 s'), (6, '2 s'), (10, '32 s'), (14, '512 s'), (15, '15 min'),
	(2000000000, '15 min')) v (n, w);
select pg_temp.ask('ann@example.org') from generate_series(1, 4) \g /dev/null
select is(pg_temp.wait('ann@example.org'), null, 'F62 the fifth may be tried at once');
select is(pg_temp.wait('ann@example.org'), 1, 'F62 the sixth waits');
select is(pg_temp.wait('nobody@example.org'), null, 'F62 for this address');
select is(pg_temp.wait('ann@example.org', '198.51.100.1'), null, 'F62 and this network');
update auth.tries set until = now();
select is(pg_temp.wait('ann@example.org'), null, 'F62 after its wait it may be tried');
select is(pg_temp.wait('ann@example.org'), 2, 'F62 and the next wait is twice as long');
update auth.tries set until = now();
select pg_temp.ask('nobody@example.org') from generate_series(1, 5) \g /dev/null
select is(pg_temp.wait('nobody@example.org'), 1, 'F50 an address that is nobody''s waits as long');
select pg_temp.enter('ann@example.org', 'right', 'two') \g /dev/null
select is(pg_temp.wait('ann@example.org'), null, 'F62 the right one ends the count');
update auth.tries set last_at = now() - interval '25 hours', until = now();
select is(pg_temp.wait('nobody@example.org'), null, 'F62 so does a day');
update auth.tries set until = now() + interval '1 year';
select is(pg_temp.wait('nobody@example.org'), null, 'F119 a wait that was written while the clock was wrong is none');

-- strangers hold up strangers, and nobody who has signed in before
delete from auth.tries;
select pg_temp.enter('ann@example.org', 'right', 'three', '203.0.113.1', 'ann''s laptop') \g /dev/null
select pg_temp.ask('ann@example.org', ('10.' || n || '.0.1')::inet) from generate_series(1, 50) n \g /dev/null
select is(pg_temp.wait('ann@example.org', '10.200.0.1'), 1, 'F62 S03 after fifty networks strangers wait');
select is(pg_temp.wait('ann@example.org', '203.0.113.1', 'ann''s laptop'), null, 'F62 S03 the owner does not');
select is(pg_temp.wait('nobody@example.org', '10.200.0.1'), null, 'F62 S03 and no other address');
delete from auth.tries;
select pg_temp.ask('ann@example.org', '10.200.0.1') from generate_series(1, 5) \g /dev/null
select failed as before from auth.tries order by failed desc limit 1 \gset
select pg_temp.wait('ann@example.org', '10.200.0.1') \g /dev/null
select is(max(failed), :before, 'F62 who must wait is not counted') from auth.tries;

-- everywhere at once
delete from auth.tries;
update auth.limits set allowed = 1 where kind = 'password_global';
delete from auth.hits;
select pg_temp.ask('x' || n || '@example.org', ('10.' || n || '.0.1')::inet) from generate_series(1, 2) n \g /dev/null
select is(pg_temp.wait('x2@example.org', '10.2.0.1'), 1, 'S04 above what all strangers may try, the second waits');
select is(pg_temp.wait('ann@example.org', '203.0.113.1', 'ann''s laptop'), null, 'S04 a known device tries');
select is(pg_temp.wait('ann@example.org', '203.0.113.1', 'ann''s laptop'), null, 'S04 and again');

-- a network
update auth.limits set allowed = 3 where kind = 'password_near';
delete from auth.hits;
select pg_temp.ask('y' || n || '@example.org', '192.0.2.9') from generate_series(1, 3) n \g /dev/null
select is(tap.state_of('tollgate_signin', $$select api.begin_password('z@example.org', '{1,1,1}', '192.0.2.9', null)$$),
	'TG429', 'D25 a network has an allowance');

select * from finish();
rollback;
