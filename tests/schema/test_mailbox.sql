-- Registering and choosing a new password: what a mailed link or its code proves, for which password, and what it ends.
begin;
select no_plan();

create function pg_temp.k(p_word text) returns bytea language sql as $$ select sha256(('K of ' || p_word)::bytea) $$;
create function pg_temp.register(p_email text, p_flow text, p_word text) returns jsonb language plpgsql as $$
begin
	update auth.hits set spent_until = now();
	update auth.requests set created_at = created_at - interval '1 s';
	update mail.outbox set created_at = created_at - interval '1 s';
	perform tap.ask('tollgate_signin', format('api.request_registration(%L, %L, %L, %L, null, %L, %L, %L)', p_email,
		sha256(p_flow::bytea), 'de', '192.0.2.1', sha256(p_word::bytea), '{19456,2,1}', pg_temp.k(p_word)));
	return tap.mailed(p_email);
end
$$;
create function pg_temp.reset(p_email text, p_flow text) returns jsonb language plpgsql as $$
begin
	update auth.hits set spent_until = now();
	update auth.requests set created_at = created_at - interval '1 s';
	update mail.outbox set created_at = created_at - interval '1 s';
	perform tap.ask('tollgate_signin', format('api.request_reset(%L, %L, %L, %L, null)', p_email,
		sha256(p_flow::bytea), 'de', '192.0.2.1'));
	return tap.mailed(p_email);
end
$$;
create function pg_temp.state(p_purpose text, p_hash text, p_flow text) returns jsonb language plpgsql as $$
begin
	return tap.ask('tollgate_signin',
		format('api.proof_state(%L, %L, %L)', p_purpose, p_hash::bytea, sha256(p_flow::bytea)));
end
$$;
create function pg_temp.check(p_purpose text, p_hash text, p_code text, p_flow text) returns jsonb
	language plpgsql as $$
begin
	return tap.ask('tollgate_signin',
		format('api.check_proof(%L, %L, %L, %L)', p_purpose, p_hash::bytea, p_code, sha256(p_flow::bytea)));
end
$$;
create function pg_temp.finish_register(p_hash text, p_code text, p_flow text, p_secret text, p_word text default null)
	returns jsonb language plpgsql as $$
begin
	return tap.ask('tollgate_signin', format('api.register(%L, %L, %L, %L, %L, %L, null, %L, %L, %L, true)',
		p_hash::bytea, p_code, sha256(p_flow::bytea), sha256(sha256(p_secret::bytea)), '192.0.2.1', 'a browser',
		sha256(p_word::bytea), case when p_word is not null then '{19456,2,1}' end, pg_temp.k(p_word)));
end
$$;
create function pg_temp.finish_reset(p_hash text, p_code text, p_flow text, p_word text) returns jsonb
	language plpgsql as $$
begin
	return tap.ask('tollgate_signin', format('api.reset_password(%L, %L, %L, %L, %L, %L)', p_hash::bytea, p_code,
		sha256(p_flow::bytea), sha256(p_word::bytea), '{19456,2,1}', pg_temp.k(p_word)));
end
$$;
create function pg_temp.enters(p_email text, p_word text) returns boolean language sql as $$
	select auth.match_password(p_email, pg_temp.k(p_word)) is not null
$$;

-- registering
select pg_temp.register('ann@example.org', 'mine', 'the first') as m \gset
select is(:'m'::jsonb ->> 'template', 'register', 'C53 a new address gets a link');
select is(auth.find_user('ann@example.org'), null, 'C53 nothing is made before the mailbox is proven');
select :'m'::jsonb ->> 'hash' as hash, :'m'::jsonb ->> 'code' as code \gset
select is(pg_temp.state('register', :'hash', 'mine'), '{"state": "usable", "email": "ann@example.org"}',
	'F52 the browser that asked may use it');
select is(pg_temp.state('register', :'hash', 'other'), '{"state": "code_needed"}', 'F52 another needs the code');
select is(pg_temp.state('reset', :'hash', 'mine') ->> 'state', 'unusable', 'F52 it is for this page only');
select is(tap.sign_in(:'hash', :'code', 'mine', 'x') -> 'ok', 'false', 'F52 and signs nobody in by itself');
select is(pg_temp.check('register', :'hash', null, 'other'), '{"ok": false, "attempts_left": 5}',
	'F52 the link alone is no proof');
select is(pg_temp.check('register', :'hash', 'AAAA-AAAA', 'other'), '{"ok": false, "attempts_left": 4}',
	'F52 a wrong code costs an attempt');
select is(pg_temp.check('register', :'hash', null, 'mine'), '{"ok": true, "own": true, "email": "ann@example.org"}',
	'F52 link and browser are proof');
select is(pg_temp.check('register', null, :'code', 'mine') -> 'ok', 'true', 'F52 so are code and browser');
select is(pg_temp.check('register', :'hash', :'code', 'other'),
	'{"ok": true, "own": false, "email": "ann@example.org"}', 'F52 and link and code');
select is(pg_temp.finish_register(:'hash', null, 'other', 'x'), '{"ok": false}', 'F52 without proof nothing is made');
select is(pg_temp.finish_register(:'hash', null, 'mine', 'one'), '{"ok": true}', 'C53 with proof there is an account');
select is(pg_temp.finish_register(:'hash', null, 'mine', 'one'), '{"ok": true}',
	'F88 the same call again, its answer lost, is told the same');
select ok(pg_temp.enters('ann@example.org', 'the first'), 'F213 with the password that waited');
select is(count(*), 0::bigint, 'F213 which waits no more') from auth.pending_passwords;
select is(jsonb_agg(jsonb_build_array(t.name, t.status, m.role)), '[["ann", "active", "owner"]]',
	'C53 the user owns one tenant')
from app.members m join app.tenants t on t.id = m.tenant_id where m.user_id = auth.find_user('ann@example.org');
select is(display_name || ' ' || language, 'ann de', 'C53 and has a profile') from app.profiles;
select is(tap.ask('tollgate_signin', 'api.signed_in()', encode(sha256('one'), 'hex')), 'true', 'C53 and a session');
select is(count(*), 1::bigint, 'F88 one') from auth.sessions;
select is(array(select e.kind from audit.entries e where e.subject_id = auth.find_user('ann@example.org') order by e.n),
	'{registered,password_set,signed_in}', 'F222 the log tells of it once');
select is(pg_temp.finish_register(:'hash', null, 'mine', 'two'), '{"ok": false}', 'F53 a link works once');
select is(pg_temp.state('register', :'hash', 'mine') ->> 'state', 'unusable', 'F53 and says so');

-- a known address
select pg_temp.register('ANN@example.org', 'thief', 'of a thief') as m \gset
select is(:'m'::jsonb - 'hash' - 'state' - 'template', '{"recipient": "ann@example.org"}',
	'F50 the mail to a known address has no link');
select is(tap.ask('tollgate_mailer', 'service.claim_mail(60)') ->> 'template', 'registered', 'F50 it says so instead')
from (select 1 from mail.outbox where recipient = 'ANN@example.org') o;
select ok(pg_temp.enters('ann@example.org', 'the first') and not pg_temp.enters('ann@example.org', 'of a thief'),
	'F213 and the password stays');

-- in another browser
select m ->> 'hash' as hash, m ->> 'code' as code
from pg_temp.register('bea@example.org', 'thief', 'of a thief') m \gset
select is(pg_temp.finish_register(:'hash', :'code', 'other', 'x'), '{"ok": false}',
	'F213 another browser chooses its own password');
select is(pg_temp.finish_register(:'hash', :'code', 'other', 'x', 'of bea'), '{"ok": true}', 'F213 it may');
select ok(pg_temp.enters('bea@example.org', 'of bea') and not pg_temp.enters('bea@example.org', 'of a thief'),
	'F213 and the one that waited is dropped');

-- twice, with two passwords
select m ->> 'hash' as theirs from pg_temp.register('cec@example.org', 'thief', 'of a thief') m \gset
select m ->> 'hash' as ours from pg_temp.register('cec@example.org', 'mine', 'of cec') m \gset
select is(pg_temp.finish_register(:'ours', null, 'mine', 'c'), '{"ok": true}', 'F213 who proves the mailbox');
select is(pg_temp.finish_register(:'theirs', null, 'thief', 'd'), '{"ok": false}', 'F213 decides');
select ok(pg_temp.enters('cec@example.org', 'of cec') and not pg_temp.enters('cec@example.org', 'of a thief'),
	'F213 whose password it is');
select m ->> 'hash' as old from pg_temp.register('dan@example.org', 'mine', 'one') m \gset
select pg_temp.register('dan@example.org', 'mine', 'two') \g /dev/null
select is(pg_temp.state('register', :'old', 'mine') ->> 'state', 'unusable', 'F53 of one browser the newest counts');

-- a day
select m ->> 'hash' as hash from pg_temp.register('eve@example.org', 'mine', 'one') m \gset
update auth.links set expires_at = expires_at - interval '24 hours';
select is(pg_temp.state('register', :'hash', 'mine') ->> 'state', 'unusable', 'F53 after a day it is over');
select is(pg_temp.finish_register(:'hash', null, 'mine', 'e'), '{"ok": false}', 'F53 also for who does not look');

-- a new password
select pg_temp.reset('nobody@example.org', 'mine') as m \gset
select is(:'m'::jsonb ->> 'state', 'void', 'F50 nobody gets a link, and no answer says so');
select pg_temp.reset('ann@example.org', 'mine') as m \gset
select :'m'::jsonb ->> 'hash' as hash, :'m'::jsonb ->> 'code' as code \gset
select is(:'m'::jsonb ->> 'template', 'reset', 'F54 a user gets a link');
select is(expires_at, now() + interval '10 min', 'F54 for ten minutes') from auth.links where hash = sha256(:'hash');
select is(tap.sign_in(:'hash', :'code', 'mine', 'x') -> 'ok', 'false', 'F54 which signs nobody in');
select is(tap.sign_in(null, :'code', 'mine', 'x') -> 'ok', 'false', 'F54 nor does its code');
select is(pg_temp.finish_register(:'hash', :'code', 'mine', 'x', 'y'), '{"ok": false}', 'F54 or registers');
select is(pg_temp.finish_reset(:'hash', null, 'other', 'the second'), '{"ok": false}', 'F52 it needs a proof');
select count(*) as sessions from auth.sessions where user_id = auth.find_user('bea@example.org') \gset
select is(pg_temp.finish_reset(:'hash', null, 'mine', 'the second'), '{"ok": true}',
	'F54 with proof it sets a password');
select is(pg_temp.finish_reset(:'hash', null, 'mine', 'the second'), '{"ok": true}',
	'F88 the same call again, its answer lost, is told the same');
select is(pg_temp.finish_reset(:'hash', null, 'mine', 'the third'), '{"ok": false}', 'F53 and another is not set');
select ok(pg_temp.enters('ann@example.org', 'the second') and not pg_temp.enters('ann@example.org', 'the first'),
	'F54 the new password is the only one');
select is(array_agg(distinct coalesce(revoke_reason, 'live')), '{password}', 'F54 every session ends, and none begins')
from auth.sessions where user_id = auth.find_user('ann@example.org');
select is(count(*), :sessions::bigint, 'F54 those of others go on') from auth.sessions
where user_id = auth.find_user('bea@example.org') and revoked_at is null;
select is(count(*), 1::bigint, 'F54 the user is told once') from mail.outbox
where recipient = 'ann@example.org' and template = 'safety_password';
select m ->> 'hash' as hash from pg_temp.reset('bea@example.org', 'mine') m \gset
select auth.change_address(auth.find_user('bea@example.org'), 'new@example.org') \g /dev/null
select is(pg_temp.finish_reset(:'hash', null, 'mine', 'x'), '{"ok": false}', 'F53 a link to a former address is over');

-- limits
delete from auth.hits;
select count(*) as before from auth.requests \gset
select tap.ask('tollgate_signin', format('api.request_reset(%L, %L, %L, %L, null)', 'ann@example.org', sha256('f'),
	'en', ('192.0.2.' || n)::inet)) from generate_series(1, 9) n \g /dev/null
select is(count(*) - :before, 5::bigint, 'F51 an address gets five an hour') from auth.requests;
select tap.ask('tollgate_signin', format('api.request_registration(%L, %L, %L, %L, null, %L, %L, %L)',
	'ann@example.org', sha256('f'), 'en', '192.0.2.77', sha256('s'), '{1,1,1}', sha256('k'))) \g /dev/null
select is(count(*), 0::bigint, 'F51 no password waits for a request that there is not') from auth.pending_passwords p
where p.salt = sha256('s');

select * from finish();
rollback;
