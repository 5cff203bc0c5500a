-- Second factors: codes by time, recovery codes, the pending sign-in between two proofs, and the key of the seeds.
begin;
select no_plan();

select tap.paid('ann') as tenant \gset
select id as ann from auth.users where email_canonical = 'ann@example.org' \gset
\set key 0123456789abcdef0123456789abcdef

-- RFC 6238, appendix B, of which six digits are used
select is(auth.totp('12345678901234567890', at / 30), code, 'F201 RFC 6238 at ' || at)
from (values (59, '287082'), (1111111109, '081804'), (1111111111, '050471'), (1234567890, '005924'),
	(2000000000, '279037'), (20000000000, '353130')) v (at, code);
select is(auth.spell_seed('12345678901234567890'), 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', 'F200 a seed in base 32');
select matches(auth.random_recovery_code(), '^[0-9A-HJKMNP-TV-Z]{10}$', 'F203 a recovery code has ten characters');

-- as tap.ask(), for the calls of this file
create function pg_temp.me(p_call text, p_bearer text) returns jsonb language plpgsql as $$
begin
	return tap.ask('tollgate_signin', 'api.' || p_call, p_bearer);
end
$$;
-- the code of ann's seed so many steps from now
create function pg_temp.code(p_steps int default 0) returns text language plpgsql as $$
begin
	return (select auth.totp(auth.open_seed(f.seed, '0123456789abcdef0123456789abcdef'), auth.totp_step() + p_steps)
		from auth.factors f);
end
$$;
-- a sign-in by link, to its second proof: the bearer
create function pg_temp.half(p_secret text) returns text language plpgsql as $$
begin
	return tap.session('ann@example.org', p_secret);
end
$$;
create function pg_temp.second(p_bearer text, p_code text, p_secret text default 'full',
	p_key text default '0123456789abcdef0123456789abcdef') returns jsonb language plpgsql as $$
begin
	return pg_temp.me(format('sign_in_second(%L, %L, %L, ''192.0.2.1'', ''x'', null)', p_code, p_key,
		sha256(sha256(p_secret::bytea))), p_bearer);
end
$$;
-- of which a code may be used again
create function pg_temp.forget() returns void language plpgsql as $$
begin
	update auth.factors set last_step = 0;
	delete from auth.hits;
end
$$;

-- adding one
select tap.session('ann@example.org', 'first') as me \gset
select is(pg_temp.me(format('factor_page(%L)', :'key'), :'me'), '{"email": "ann@example.org", "secret": null}',
	'F200 a user without a factor is offered none before asking');
select pg_temp.me(format('begin_factor(%L)', :'key'), :'me') \g /dev/null
select pg_temp.me(format('factor_page(%L)', :'key'), :'me') ->> 'secret' as secret \gset
select matches(:'secret'::text, '^[A-Z2-7]{32}$', 'F200 the seed is shown as authenticators take it');
select is_empty(format($$select from auth.factors f where f::text like '%%%s%%'$$,
	(select encode(auth.open_seed(seed, :'key'), 'hex') from auth.factors)), 'F202 and is not stored as it is');
select pg_temp.me(format('begin_factor(%L)', :'key'), :'me') \g /dev/null
select isnt(pg_temp.me(format('factor_page(%L)', :'key'), :'me') ->> 'secret', :'secret', 'F200 asked again, another');
select is(pg_temp.me('signed_in()', pg_temp.half('offered')), 'true', 'F200 an offered factor is not asked for');
select is(pg_temp.me(format('confirm_factor(%L, %L)', '000000', :'key'), :'me'), '{"ok": false}',
	'F201 a wrong code adds nothing');
select is(auth.has_factor(:'ann'), false, 'F201 and there is none');
select pg_temp.code() as enrolled \gset
select pg_temp.me(format('confirm_factor(%L, %L)', :'enrolled', :'key'), :'me') as added \gset
select is(:'added'::jsonb -> 'ok', 'true', 'F200 the code adds it');
select is(jsonb_array_length(:'added'::jsonb -> 'codes'), 10, 'F203 and ten recovery codes are told');
select pg_temp.me(format('confirm_factor(%L, %L)', :'enrolled', :'key'), :'me') as again \gset
select is(:'again'::jsonb - 'codes', '{"ok": true, "renewed": true}', 'F42 the same call again, its answer lost');
select is(jsonb_array_length(:'again'::jsonb -> 'codes'), 10, 'F42 tells ten new codes');
select is(count(*), 10::bigint, 'F42 and those that were lost are dead') from auth.recovery_codes c
	join jsonb_array_elements_text(:'again'::jsonb -> 'codes') w (code)
		on c.hash = auth.recovery_hash(:'ann', w.code, :'key');
select is(count(*), 10::bigint, 'F42 all of them') from auth.recovery_codes;
select :'again' as added \gset
update auth.factors set confirmed_at = now() - interval '10 min';
select is(tap.state_of('tollgate_signin', format('select api.confirm_factor(%L, %L)', :'enrolled', :'key'), :'me'),
	'TG409', 'F42 for ten minutes');
select is(o.recipient, 'ann@example.org', 'F200 its user is told by mail') from mail.outbox o
	where o.template = 'factor_added';
select is(tap.state_of('tollgate_signin', format('select api.%s(%L%s)', call, :'key', more), :'me'), 'TG409',
	'F200 a second one is not added: ' || call)
from (values ('begin_factor', ''), ('confirm_factor', format(', %L', :'key'))) v (call, more);
select is(pg_temp.me(format('factor_page(%L)', :'key'), :'me'),
	'{"email": "ann@example.org", "on": true, "codes_left": 10}', 'F203 the page counts the codes');
select is(pg_temp.me('factor_page('''')', :'me') -> 'on', 'true', 'F202 without the key who has one still sees it');
select is_empty(format($$select from auth.recovery_codes c where c::text ilike '%%%s%%'$$,
	encode(convert_to(replace(:'added'::jsonb -> 'codes' ->> 0, '-', ''), 'UTF8'), 'hex')),
	'F203 of which digests are stored');

-- a sign-in with one proof of two
select pg_temp.half('half') as half \gset
select is(tap.state_of('none', format('select auth.open_session(%L, %L, %L, null, null, false)', :'ann', sha256('x'),
	amr)), 'P0001', 'F54 no session is opened by ' || amr)
from (values ('{}'), ('{link,password}')) v (amr);
select is(pg_temp.me('signed_in()', :'half'), 'false', 'F54 a mailed link alone signs nobody in');
select is(tap.state_of(role, 'select ' || call, :'half'), 'TG401', 'F54 to ' || call || ' it is a visitor''s')
from (values ('tollgate_account', 'api.workspace_page()'), ('tollgate_billing', 'api.billing_page()'),
	('tollgate_signin', 'api.remove_factor()'), ('tollgate_signin', 'api.factor_page(null)')) v (role, call);
select is(pg_temp.me('second_due()', :'half'), 'true', 'F54 but a second proof is due');
select is(pg_temp.me('second_due()', b), 'false', 'F54 of no other browser: ' || b)
from (values (''), ('x'), (repeat('0', 64)), (:'me')) v (b);
select is(count(*), 2::bigint, 'F54 no session is made') from auth.sessions;
select is(pg_temp.second(:'half', :'enrolled'), '{"ok": false, "attempts_left": 4}',
	'F200 the code that added the factor is spent');
select is(pg_temp.second(:'half', pg_temp.code(1)), '{"ok": true, "next": "/settings/billing", "remember": true}',
	'F201 the step to come is good');
select is(tap.state_of('tollgate_signin', format('select api.confirm_factor(%L, %L)', code, :'key'), :'me'), 'TG409',
	'F42 after another code the one that added the factor tells nothing: ' || code)
from (values (:'enrolled'), ('')) v (code);
select is(amr, '{link,totp}', 'F54 the session says what was proved') from auth.sessions
	where id = (select session_id from auth.tokens where hash = sha256(sha256('full')));
select is(tap.ask('tollgate_account', 'api.signed_in()', encode(sha256('full'), 'hex')), 'true', 'F54 and is one');
select is(pg_temp.me('signed_in()', :'half'), 'false', 'F36 under a token of its own');
select is(pg_temp.second(:'half', pg_temp.code(1)), '{"ok": true, "next": "/settings/billing", "remember": true}',
	'F88 the same call again, its answer lost, is told the same');
select is(pg_temp.second(:'half', pg_temp.code(1), 'other') -> 'ok', 'false', 'F200 another browser is not');
select is(count(*), 3::bigint, 'F88 and there is one session more') from auth.sessions;
select pg_temp.half('again') as again \gset
select is(pg_temp.second(:'again', pg_temp.code(1), 'other') -> 'ok', 'false', 'F200 a code works once');
select is(pg_temp.second(:'again', pg_temp.code(), 'other') -> 'ok', 'false', 'F200 and ends those before it');

-- steps
select pg_temp.forget() \g /dev/null
select is(pg_temp.second(pg_temp.half('steps ' || s), pg_temp.code(s), 'full ' || s) -> 'ok',
	to_jsonb(s between -1 and 1), 'F201 step ' || s) from (values (-2), (2), (-1), (0), (1)) v (s);

-- wrong codes
select pg_temp.forget() \g /dev/null
select pg_temp.half('wrong') as wrong \gset
select is(pg_temp.second(:'wrong', w), jsonb_build_object('ok', false, 'attempts_left', left_),
	'F201 wrong: ' || coalesce(w, 'none'))
from (values (1, '', 4), (2, 'x', 3), (3, lpad('', 10, 'A'), 2), (4, '12345', 1), (5, null, 0)) v (n, w, left_);
select is(pg_temp.second(:'wrong', pg_temp.code()), '{"ok": false, "attempts_left": 0}',
	'F201 after five the sign-in is over, for the right code too');
select is(pg_temp.me('second_due()', :'wrong'), 'false', 'F201 and none is due');
select pg_temp.forget() \g /dev/null
select pg_temp.half('old') as old \gset
update auth.pending set created_at = now() - interval '10 min';
select is(pg_temp.second(:'old', pg_temp.code()) -> 'ok', 'false', 'F54 a second proof is late after ten minutes');
select pg_temp.half('disabled') as disabled \gset
update auth.users set disabled_at = now() where id = :'ann';
select is(pg_temp.second(:'disabled', pg_temp.code()) -> 'ok', 'false', 'F54 a user disabled meanwhile stays outside');
update auth.users set disabled_at = null;
select auth.end_sessions(:'ann') \g /dev/null
select is(count(*), 0::bigint, 'F54 who ends all sessions ends those that wait for a second proof') from auth.pending;
select pg_temp.forget() \g /dev/null
select pg_temp.half('many') as many \gset
select count(auth.check_code(:'ann', 'nothing', :'key')), count(auth.check_code(:'ann', '000000', :'key'))
from generate_series(1, 20) \g /dev/null
select is(tap.state_of('tollgate_signin', format('select api.sign_in_second(%L, %L, %L, null, null)', pg_temp.code(),
	:'key', sha256('x')), :'many'), 'TG429', 'F201 twenty wrong codes a day of one user');
select is(auth.check_code(:'ann', pg_temp.code(), :'key', ' device x'), 'totp',
	'F201 which hold up no device that has been the user''s');
update auth.factors set last_step = 0;
create function pg_temp.after(p_wait interval, p_code text) returns text language plpgsql as $$
begin
	update auth.hits h set spent_until = h.spent_until - p_wait;
	return tap.state_of('none', format('select auth.check_code(f.user_id, %L, ''0123456789abcdef0123456789abcdef'')
		from auth.factors f', p_code));
end
$$;
select is(pg_temp.after('4319 s', 'nothing'), 'TG429', 'F201 one comes back after 72 minutes, as Retry-After says');
select is(pg_temp.after('1 s', 'nothing') || ' ' || pg_temp.after('0', '000000'), '00000 00000',
	'F201 of either kind, and not later');
select pg_temp.forget() \g /dev/null
select auth.check_code(:'ann', 'nothing', :'key'), auth.check_code(:'ann', '000000', :'key') \g /dev/null
select is(auth.check_code(:'ann', regexp_replace(pg_temp.code(), '...', ' \& '), :'key'), 'totp',
	'F201 a code may have spaces');
select is(count(*), 0::bigint, 'F201 and gives back what wrong ones have spent') from auth.hits
	where kind = 'second_totp';

-- the key of the seeds
select is(tap.state_of('tollgate_signin', format('select api.sign_in_second(%L, %L, %L, null, null)', c, k,
	sha256('x')), pg_temp.half('key ' || coalesce(k, 'none') || length(c))), 'TG503',
	format('F202 a code of %s with the key: %s', length(c), coalesce(k, 'none')))
from (values (null), (''), ('short'), (repeat('f', 32))) k (k),
	(values (pg_temp.code()), (:'added'::jsonb -> 'codes' ->> 1)) c (c);

-- recovery codes
select pg_temp.forget() \g /dev/null
select is(pg_temp.second(pg_temp.half('r1'), lower(:'added'::jsonb -> 'codes' ->> 0), 'r1 full') -> 'ok', 'true',
	'F203 a recovery code is a second proof, however it is typed');
select is(amr, '{link,recovery}', 'F203 and the session says so') from auth.sessions
	where id = (select session_id from auth.tokens where hash = sha256(sha256('r1 full')));
select is(pg_temp.second(pg_temp.half('r2'), :'added'::jsonb -> 'codes' ->> 0, 'r2 full') -> 'ok', 'false',
	'F203 it works once');
select is(count(*), 0::bigint, 'F203 nobody is told while there are others') from mail.outbox
	where template = 'factor_last_code';
select is(count(auth.check_code(:'ann', c, :'key')), 9::bigint, 'F203 each of the others works')
from jsonb_array_elements_text(:'added'::jsonb -> 'codes') c;
select is(count(*), 1::bigint, 'F203 the last one is told by mail') from mail.outbox
	where template = 'factor_last_code';
select encode(sha256('r1 full'), 'hex') as me \gset
select pg_temp.me(format('renew_codes(%L)', :'key'), :'me') -> 'codes' as older \gset
select pg_temp.me(format('renew_codes(%L)', :'key'), :'me') -> 'codes' as newer \gset
select is(count(*), 3::bigint, 'F222 the log tells of each new set') from audit.entries e
where e.kind = 'codes_made' and e.user_id = e.subject_id and e.tenant_id is null;
select is(auth.check_code(:'ann', :'older'::jsonb ->> 0, :'key'), null, 'F203 a new set ends the old one');
select is(auth.check_code(:'ann', :'newer'::jsonb ->> 0, :'key'), 'recovery', 'F203 and works');
select is(count(*), 3::bigint, 'F203 its user is told by mail') from mail.outbox where template = 'factor_renewed';
select is(tap.state_of('tollgate_signin', format('select api.renew_codes(%L)', repeat('f', 32)), :'me'), 'TG503',
	'F202 no codes are made under another key');
select is(auth.recovery_hash(gen_random_uuid(), 'A', :'key') = auth.recovery_hash(:'ann', 'A', :'key'), false,
	'F203 a code is its user''s');

-- another key of the seeds
select pg_temp.forget() \g /dev/null
select :'key' as before, repeat('n', 32) as newest \gset
select :'newest' || ' ' || :'before' as both \gset
create function pg_temp.rotate(p_key text) returns jsonb language plpgsql as $$
begin
	return tap.ask('tollgate_operator', format('ops.rotate_seeds(%L, ''00000000-0000-0000-0000-000000000000'', 10)',
		p_key)) - 'last';
end
$$;
select is(auth.check_code(:'ann', pg_temp.code(), :'both'), 'totp', 'F202 while keys change the one before is good');
select is(auth.check_code(:'ann', :'newer'::jsonb ->> 1, :'both'), 'recovery', 'F203 also for recovery codes');
select is(auth.fits_seed_key(:'both'), true, 'F202 and fits');
select is(tap.state_of('tollgate_operator', format('select ops.rotate_seeds(%L, null, 1)', k), ''), 'TG503',
	'F202 nothing is moved with the key: ' || coalesce(k, 'none')) from (values (null), (''), ('short')) v (k);
select is(pg_temp.rotate(:'newest'), '{"seen": 1, "moved": 0, "lost": 1}', 'F202 nor without the one before');
select is(pg_temp.rotate(:'both'), '{"seen": 1, "moved": 1, "lost": 0}', 'F202 with both it is stored anew');
select is(pg_temp.rotate(:'both'), '{"seen": 1, "moved": 0, "lost": 0}', 'F202 once');
select is(auth.fits_seed_key(k), fits, 'F202 then under the new key alone')
from (values (:'newest', true), (:'before', false)) v (k, fits);
select pg_temp.forget() \g /dev/null
select is(auth.check_code(:'ann', auth.totp(auth.open_seed(f.seed, :'newest'), auth.totp_step()), :'newest'), 'totp',
	'F202 codes by time are as they were') from auth.factors f;
select is(auth.check_code(:'ann', :'newer'::jsonb ->> 2, :'newest'), 'recovery', 'F203 and recovery codes stay good');
select is(auth.check_code(:'ann', :'newer'::jsonb ->> 2, :'newest'), null, 'F203 once');
select repeat('m', 32) || ' ' || :'newest' as both \gset
select pg_temp.rotate(:'both') \g /dev/null
select is(auth.check_code(:'ann', :'newer'::jsonb ->> 3, repeat('m', 32)), 'recovery', 'F203 after another change too');
select pg_temp.me(format('renew_codes(%L)', repeat('m', 32)), :'me') -> 'codes' as newer \gset
select is(codes_key, null, 'F203 new ones are made with the new key') from auth.factors;
select is(auth.check_code(:'ann', :'newer'::jsonb ->> 0, repeat('m', 32)), 'recovery', 'F203 and are good');
update auth.factors f set seed = auth.seal_seed(auth.open_seed(f.seed, repeat('m', 32)), :'key');
select pg_temp.rotate(repeat('m', 32)) ->> 'lost' as lost \gset
select is(:'lost'::int, 1, 'F202 a seed that no key opens is counted');

-- a proof that is asked for again
select pg_temp.forget() \g /dev/null
update auth.sessions set auth_at = now() - interval '10 min';
select is(tap.state_of('tollgate_signin', 'select api.' || call, :'me'), 'TG40C',
	'F36 it wants a young proof: ' || call)
from (values ('factor_page(null)'), ('begin_factor(null)'), ('confirm_factor(null, null)'), ('renew_codes(null)'),
	('remove_factor()')) v (call);
select is(pg_temp.me('confirm_page()', :'me') -> 'factor', 'true', 'F54 which is one by the second factor');
select is(tap.state_of('tollgate_signin', 'select api.request_confirm()', :'me'), 'TG409', 'F54 and not by mail');
create function pg_temp.again(p_code text, p_bearer text, p_key text default '0123456789abcdef0123456789abcdef')
	returns jsonb language plpgsql as $$
begin
	return pg_temp.me(format('confirm_code(%L, %L, null, null, %L)', p_code, sha256(sha256('fresh')), p_key), p_bearer);
end
$$;
select is(pg_temp.again('000000', :'me'), '{"ok": false}', 'F201 a wrong code renews no session');
select is(tap.state_of('tollgate_signin', format('select api.confirm_code(%L, %L, null, null, %L)', pg_temp.code(),
	sha256('x'), repeat('f', 32)), :'me'), 'TG503', 'F202 nor a code without the key');
select pg_temp.code() as code \gset
select is(pg_temp.again(:'code', :'me'), '{"ok": true, "max_age": 2592000}', 'F54 a code by time does');
select is(pg_temp.again(:'code', :'me'), '{"ok": true, "max_age": 2592000}', 'F88 who lost the answer may ask again');
select encode(sha256('fresh'), 'hex') as me \gset
select is(pg_temp.me('signed_in()', :'me'), 'true', 'F54 under a new token');

-- removing it
select is(pg_temp.me('remove_factor()', :'me'), 'true', 'F200 it is removed');
select is(count(*), 1::bigint, 'F200 and its user told by mail') from mail.outbox where template = 'factor_removed';
select is(pg_temp.me('remove_factor()', :'me'), 'false', 'F200 once');
select is(count(*), 0::bigint, 'F203 with its recovery codes') from auth.recovery_codes;
select is(pg_temp.me('factor_page('''')', :'me'), '{"email": "ann@example.org", "unavailable": true}',
	'F202 without the key the page says that none can be added');
select is(tap.state_of('tollgate_signin', format('select api.renew_codes(%L)', :'key'), :'me'), 'TG409',
	'F203 without a factor there are no codes');
select pg_temp.half('alone') as alone \gset
select is(pg_temp.me('signed_in()', :'alone'), 'true', 'F54 then a link is enough again');

-- what is kept
insert into auth.pending (hash, user_id, amr, created_at)
values (sha256('a'), :'ann', '{}', now() - interval '25 hours'),
	(sha256('b'), :'ann', '{}', now() - interval '23 hours');
insert into auth.factors (user_id, seed, created_at) values (:'ann', 'x', now() - interval '25 hours');
select auth.apply_retention() \g /dev/null
select is(array_agg(hash), array[sha256('b')], 'F54 pending sign-ins are deleted after a day') from auth.pending
	where created_at < now();
select is(count(*), 0::bigint, 'F200 and a factor that was never added') from auth.factors;

-- pgcrypto
select set_eq($$select r.rolname::text from pg_roles r where r.rolname like 'tollgate\_%'
	and has_schema_privilege(r.oid, 'crypto', 'usage')$$, array['tollgate_auth'],
	'S05 only the owner of the proofs reaches the extension');
select is(tap.state_of('tollgate_signin', $$select crypto.hmac('', '', 'sha1')$$), '42501',
	'S05 a login role does not');

select * from finish();
rollback;
