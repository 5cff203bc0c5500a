-- Passkeys: whose key it is, how often a challenge is good, what a use says of the key, and what it signs in to. The
-- program has verified the signatures.
begin;
select no_plan();

select tap.paid('ann') as tenant \gset
select id as ann from auth.users where email_canonical = 'ann@example.org' \gset
select tap.user('eve@example.org') as eve \gset

-- as tap.ask(), for the calls of this file
create function pg_temp.me(p_call text, p_bearer text default '') returns jsonb language plpgsql as $$
begin
	return tap.ask('tollgate_authn', 'api.' || p_call, p_bearer);
end
$$;
create function pg_temp.hex(p_text text) returns text language sql as $$
	select encode(convert_to(p_text, 'UTF8'), 'hex')
$$;
-- what the program says of a key's use; p_more overrides members
create function pg_temp.said(p_credential text, p_challenge text, p_user uuid, p_more jsonb default '{}') returns jsonb
	language sql as $$
	select jsonb_build_object('credential', pg_temp.hex(p_credential), 'challenge',
		encode(sha256(p_challenge::bytea), 'hex'), 'handle', encode(auth.passkey_handle(p_user), 'hex'), 'counter', 0,
		'eligible', false, 'backed_up', false) || p_more
$$;
create function pg_temp.add(p_bearer text, p_credential text, p_challenge text, p_name text default 'Phone',
	p_more jsonb default '{}') returns jsonb language plpgsql as $$
begin
	return pg_temp.me(format('add_passkey(%L, %L)', pg_temp.said(p_credential, p_challenge, null,
		'{"key": "a0", "transports": "usb internal evil"}') || p_more, p_name), p_bearer);
end
$$;
create function pg_temp.enter(p_said jsonb, p_secret text) returns jsonb language plpgsql as $$
begin
	return pg_temp.me(format('sign_in_passkey(%L, %L, ''/workspace'', ''de'', ''192.0.2.1'', ''x'', null, false)',
		p_said, sha256(sha256(p_secret::bytea))));
end
$$;
create function pg_temp.bearer(p_secret text) returns text language sql as $$
	select encode(sha256(p_secret::bytea), 'hex')
$$;
create function pg_temp.who(p_secret text) returns uuid language sql as $$
	select s.user_id from auth.tokens t join auth.sessions s on s.id = t.session_id
	where t.hash = sha256(sha256(p_secret::bytea))
$$;
-- the last that the log says of this user's passkeys
create function pg_temp.told(p_user uuid) returns text language sql as $$
	select concat_ws(' ', e.kind, e.detail ->> 'reason') from audit.entries e
	where e.subject_id = p_user and e.kind like 'passkey%' order by e.n desc limit 1
$$;

-- adding
select tap.session('ann@example.org', 'first') as me \gset
select is(pg_temp.me('passkeys_page()', :'me') -> 'passkeys', '[]', 'C150 at first there is none');
select matches(pg_temp.me('passkeys_page()', :'me') #>> '{user,id}', '^[A-Za-z0-9_-]{43}$',
	'C150 a device knows the user by 32 bytes');
select isnt(auth.passkey_handle(:'ann'), auth.passkey_handle(:'eve'), 'C150 which are another user''s no more');
select is(pg_temp.add(:'me', 'phone', 'a1', ' My  phone '), '{"ok": true}', 'C150 a key is added');
select is(concat_ws(' ', k.name, k.transports, k.counter, k.used_at), 'My phone {usb,internal} 0',
	'C150 with its name, and the transports that there are')
from auth.passkeys k;
select is(o.recipient, 'ann@example.org', 'C150 its user is told by mail') from mail.outbox o
where o.template = 'safety_passkey_added';
select is(pg_temp.told(:'ann'), 'passkey_added', 'C150 and the log has it');
select is(pg_temp.me('passkeys_page()', :'me') -> 'keys', jsonb_build_array(jsonb_build_object('id', 'cGhvbmU',
	'transports', 'usb internal')), 'C150 it is named to the browser, which adds it no second time');
select is(pg_temp.add(:'me', 'phone', 'a1'), '{"ok": true}', 'F88 the same call again is told the same');
select is(count(*), 1::bigint, 'F88 and there is one key') from auth.passkeys;
select is(pg_temp.add(:'me', 'tablet', 'a1'), '{"ok": false, "reason": "challenge"}',
	'F205 a challenge that was used adds no other key');
select is(tap.state_of('tollgate_authn', format('select api.add_passkey(%L, %L)', pg_temp.said('x', 'y', null), name),
	:'me'), 'TG422', 'C150 no name: ' || coalesce(left(name, 20), 'null'))
from (values (null), (''), ('  '), (repeat('x', 65)), ('www.evil.example'), (E'a\u202eb')) v (name);
select tap.session('eve@example.org', 'eve') as eve_me \gset
select is(pg_temp.add(:'eve_me', 'phone', 'a2'), '{"ok": false, "reason": "taken"}',
	'F206 a key of another user''s is not added');
select is(pg_temp.told(:'eve'), 'passkey_refused taken', 'F206 which the log has');
select is(k.user_id, :'ann', 'F206 and it stays whose it was') from auth.passkeys k;
update auth.sessions set auth_at = now() - interval '11 min';
select is(tap.state_of('tollgate_authn', format('select api.%s', call), :'me'), 'TG40C', 'F36 a young proof: ' || call)
from (values ('add_passkey(''{}'', ''x'')'), ('name_passkey(null, ''x'')'), ('remove_passkey(null)')) v (call);
select is(tap.state_of('tollgate_authn', format('select api.%s', call)), 'TG401', 'F40 a session: ' || call)
from (values ('passkeys_page()'), ('add_passkey(''{}'', ''x'')'), ('name_passkey(null, ''x'')'),
	('remove_passkey(null)'), ('confirm_passkey(''{}'', null, null, null)')) v (call);
update auth.sessions set auth_at = now();

-- names, and removing
select id as phone from auth.passkeys \gset
select pg_temp.me(format('name_passkey(%L, %L)', :'phone', 'Old phone'), :'me') \g /dev/null
select is(k.name, 'Old phone', 'C150 a key has another name') from auth.passkeys k;
select is(tap.state_of('tollgate_authn', format('select api.%s', format(call, :'phone')), :'eve_me'), 'TG404',
	'F206 of another user: ' || call)
from (values ('name_passkey(%L, ''mine'')'), ('remove_passkey(%L)')) v (call);
select pg_temp.add(:'me', 'old', 'a3') \g /dev/null
select pg_temp.me(format('remove_passkey(%L)', k.id), :'me') from auth.passkeys k
where k.credential = 'old' \g /dev/null
select is(array_agg(k.name), '{Old phone}', 'C150 one is removed') from auth.passkeys k;
select is(count(*), 1::bigint, 'C150 which is told by mail') from mail.outbox o
where o.template = 'safety_passkey_removed';
select is(pg_temp.told(:'ann'), 'passkey_removed', 'C150 and in the log');
select pg_temp.add(:'me', 'many ' || n, 'many ' || n) from generate_series(1, 19) n \g /dev/null
select is(pg_temp.add(:'me', 'one more', 'one more'), '{"ok": false, "reason": "many"}',
	'C150 there are twenty at most');
delete from auth.passkeys where id <> :'phone';

-- signing in
select is(pg_temp.me('find_passkey(''phone'', ''192.0.2.1'')'), '{"key": "a0"}', 'C151 a key is found');
select is(pg_temp.me('find_passkey(''old'', ''192.0.2.1'')'), null, 'C151 one that was removed is not');
select is(pg_temp.enter(pg_temp.said('phone', 'c1', :'ann'), 's1'), '{"ok": true, "next": "/workspace"}',
	'C151 a passkey signs in');
select is(pg_temp.who('s1'), :'ann', 'C151 its user');
select is(s.amr, '{passkey}', 'C151 the session says what was proved') from auth.sessions s join auth.tokens t
	on t.session_id = s.id where t.hash = sha256(sha256('s1'));
select is(k.used_at, now(), 'C151 when it was used is kept') from auth.passkeys k;
select is(pg_temp.enter(pg_temp.said('phone', 'c1', :'ann'), 's1'), '{"ok": true, "next": "/workspace"}',
	'F88 the same call again, its answer lost, is told the same');
select is(pg_temp.enter(pg_temp.said('phone', 'c1', :'ann'), 's2'), '{"ok": false, "reason": "challenge"}',
	'F205 a challenge is good once');
select is(pg_temp.enter(pg_temp.said('old', 'c2', :'ann'), 's2'), '{"ok": false, "reason": "unknown"}',
	'C151 a key that was removed signs nobody in');
select is(pg_temp.enter(pg_temp.said('phone', 'c3', :'eve'), 's2'), '{"ok": false, "reason": "user"}',
	'F206 nor one with the handle of another user');
select is(pg_temp.told(:'ann'), 'passkey_refused user', 'F206 which the log has');
select is(pg_temp.enter(pg_temp.said('phone', 'c4', :'ann') - 'handle', 's2'), '{"ok": false, "reason": "user"}',
	'F206 nor one without a handle');
update auth.users set disabled_at = now() where id = :'ann';
select is(pg_temp.me('find_passkey(''phone'', ''192.0.2.1'')'), null, 'F40 of a disabled user none is found');
select is(pg_temp.enter(pg_temp.said('phone', 'c5', :'ann'), 's2'), '{"ok": false, "reason": "unknown"}',
	'F40 and signs in');
update auth.users set disabled_at = null;
select is(pg_temp.who('s2'), null, 'F206 none of these made a session');

-- counters
create function pg_temp.count(p_stored bigint, p_said bigint, p_eligible boolean) returns text language plpgsql as $$
declare
	ann uuid := auth.find_user('ann@example.org');
	secret text := format('%s %s %s', p_stored, p_said, p_eligible);
	verdict jsonb;
begin
	update auth.passkeys set counter = p_stored, eligible = p_eligible;
	verdict := pg_temp.enter(pg_temp.said('phone', secret, ann, jsonb_build_object('counter', p_said, 'eligible',
		p_eligible)), secret);
	return coalesce(verdict ->> 'reason', 'ok ' || (select counter from auth.passkeys));
end
$$;
select is(pg_temp.count(stored, said, eligible), wanted, format('F206 counter %s, then %s, eligible %s', stored, said,
	eligible))
from (values (1, 0, 0, false, 'ok 0'), (2, 0, 1, false, 'ok 1'), (3, 5, 6, false, 'ok 6'), (4, 5, 5, false, 'counter'),
	(5, 5, 4, false, 'counter'), (6, 5, 0, false, 'counter'), (7, 4294967294, 4294967295, false, 'ok 4294967295'),
	(8, 5, 4, true, 'ok 4'), (9, 5, 0, true, 'ok 0')) v (n, stored, said, eligible, wanted);
select is(count(*), 1::bigint, 'F206 a copy is told by mail, once a day for each key') from mail.outbox o
where o.template = 'safety_passkey_copied' and o.recipient = 'ann@example.org';
select is(count(*), 3::bigint, 'F206 and each time in the log') from audit.entries e
where e.kind = 'passkey_refused' and e.detail ->> 'reason' = 'counter';
update auth.passkeys set counter = 5, eligible = false;
select is(pg_temp.enter(pg_temp.said('phone', 'claims', :'ann', '{"counter": 4, "eligible": true}'), 's3') ->> 'reason',
	'counter', 'F206 a copy that says it may be one is judged by what was known');
select is(pg_temp.enter(pg_temp.said('phone', 'backed', :'ann', '{"counter": 6, "eligible": true, "backed_up": true}'),
	's4') -> 'ok', 'true', 'F206 a key that is backed up by now signs in');
select is(pg_temp.told(:'ann'), 'passkey_changed', 'F206 which the log has');
select is(format('%s %s', k.eligible, k.backed_up), 't t', 'F206 and is kept') from auth.passkeys k;
update auth.passkeys set counter = 0, eligible = false, backed_up = false;

-- the second proof
insert into auth.factors (user_id, seed, confirmed_at) values (:'ann', '', now());
select is(pg_temp.enter(pg_temp.said('phone', 'two', :'ann'), 'two'), '{"ok": true, "next": "/workspace"}',
	'C151 a passkey is both proofs: no code is asked for');
select tap.session('ann@example.org', 'half') as half \gset
select is(tap.ask('tollgate_signin', 'api.second_page()', :'half') - 'keys', '{"due": true}',
	'C151 after one proof another is due');
select is(tap.ask('tollgate_signin', 'api.second_page()', :'half') #>> '{keys,0,id}', 'cGhvbmU',
	'C151 by one of the user''s passkeys too');
select is(tap.ask('tollgate_signin', 'api.second_page()', b), '{"due": false}', 'F54 of no other browser: ' || b)
from (values (''), ('x'), (:'me')) v (b);
create function pg_temp.second(p_said jsonb, p_bearer text, p_secret text) returns jsonb language plpgsql as $$
begin
	return pg_temp.me(format('second_passkey(%L, %L, ''192.0.2.1'', ''x'', null)', p_said,
		sha256(sha256(p_secret::bytea))), p_bearer);
end
$$;
select pg_temp.add(:'eve_me', 'her phone', 'a4') \g /dev/null
select is(pg_temp.second(pg_temp.said('her phone', 'd1', :'eve'), :'half', 'no'), '{"ok": false, "reason": "user"}',
	'F206 a passkey of another user''s is no second proof');
select is(pg_temp.second(pg_temp.said('phone', 'd2', :'ann'), :'me', 'no'), '{"ok": false, "reason": "over"}',
	'F54 nor is any without a first');
select is(pg_temp.who('no'), null, 'F206 and nobody is signed in');
select is(pg_temp.second(pg_temp.said('phone', 'd3', :'ann') - 'handle', :'half', 'full'),
	'{"ok": true, "next": "/settings/billing", "remember": true}', 'C151 the user''s own is');
select is(pg_temp.second(pg_temp.said('phone', 'd3', :'ann'), :'half', 'full'),
	'{"ok": true, "next": "/settings/billing", "remember": true}', 'F88 the same call again is told the same');
select is(s.amr, '{link,passkey}', 'C151 the session says both') from auth.sessions s join auth.tokens t
	on t.session_id = s.id where t.hash = sha256(sha256('full'));
select is(pg_temp.second(pg_temp.said('phone', 'd4', :'ann'), :'half', 'again'), '{"ok": false, "reason": "over"}',
	'F200 a pending sign-in ends with it');
select tap.session('ann@example.org', 'tried') as tried \gset
select pg_temp.second(pg_temp.said('her phone', 'e' || n, :'eve'), :'tried', 'no')
from generate_series(1, 5) n \g /dev/null
select is(pg_temp.second(pg_temp.said('phone', 'e6', :'ann'), :'tried', 'no'), '{"ok": false, "reason": "over"}',
	'F201 after five wrong ones too');
select tap.session('ann@example.org', 'connects') as connects \gset
insert into auth.pending_identities (request_id, claims) select r.id, '{"provider": "work", "label": "Work",
	"issuer": "https://id.example.org", "subject": "ann-1", "account": "ann"}' from auth.requests r
where r.token_hash = sha256(decode(:'connects', 'hex'));
update auth.pending p set connects = r.id from auth.requests r
where r.token_hash = p.hash and p.hash = sha256(decode(:'connects', 'hex'));
select is(pg_temp.second(pg_temp.said('her phone', 'g1', :'eve'), :'connects', 'no') ->> 'reason', 'user',
	'F60 an identity waits for the second proof');
select is_empty('select from auth.identities', 'F60 and is nobody''s before');
select is(pg_temp.second(pg_temp.said('phone', 'g2', :'ann'), :'connects', 'took') -> 'ok', 'true',
	'F60 a passkey proves it as a code does');
select is(i.user_id, :'ann', 'F60 and the identity is the user''s') from auth.identities i where i.subject = 'ann-1';
select is_empty('select from auth.pending_identities', 'F60 and waits no more');
delete from auth.factors;

-- proving again who one is
create function pg_temp.confirm(p_said jsonb, p_bearer text, p_secret text) returns jsonb language plpgsql as $$
begin
	return pg_temp.me(format('confirm_passkey(%L, %L, ''192.0.2.1'', ''x'')', p_said,
		sha256(sha256(p_secret::bytea))), p_bearer);
end
$$;
select is(tap.ask('tollgate_signin', 'api.confirm_page()', :'me') #>> '{keys,0,id}', 'cGhvbmU',
	'C151 who is asked to prove it again may use a passkey');
select is(pg_temp.confirm(pg_temp.said('her phone', 'f1', :'eve'), :'me', 'renewed') ->> 'reason', 'user',
	'F206 of their own');
select is(pg_temp.confirm(pg_temp.said('phone', 'f2', :'ann'), :'me', 'renewed') -> 'ok', 'true',
	'C151 which makes the session a young one');
select is(pg_temp.confirm(pg_temp.said('phone', 'f2', :'ann'), :'me', 'renewed') -> 'ok', 'true',
	'F88 the same call again is told the same');
select is(array(select unnest(s.amr) order by 1), '{link,passkey}', 'C151 and says so')
from auth.sessions s join auth.tokens t on t.session_id = s.id where t.hash = sha256(sha256('renewed'));

-- who has a passkey or a second factor shows it before one is added or removed
create temp table change (role text, call text);
insert into change values ('tollgate_authn', 'passkeys_page()'), ('tollgate_authn', 'add_passkey(''{}'', ''x'')'),
	('tollgate_authn', format('remove_passkey(%L)', :'phone')), ('tollgate_signin', 'begin_factor(''k'')'),
	('tollgate_signin', 'confirm_factor(''123456'', ''k'')'), ('tollgate_signin', 'renew_codes(''k'')'),
	('tollgate_signin', 'remove_factor()');
select tap.session('ann@example.org', 'mailbox') as mailbox \gset
select is(tap.state_of(c.role, 'select api.' || c.call, :'mailbox'), 'TG40C', 'F206 not by the mailbox: ' || c.call)
from change c;
select is(tap.ask('tollgate_signin', 'api.confirm_page()', :'mailbox') -> 'second_due', 'true',
	'F206 the page that asks for a proof says which');
select set_config('app.bearer', :'mailbox', true),
	auth.renew_session(sha256(sha256('by code')), '{code}', '192.0.2.1', 'x') \g /dev/null
select is(tap.state_of(c.role, 'select api.' || c.call, pg_temp.bearer('by code')), 'TG40C',
	'F206 nor by a mailed code: ' || c.call) from change c;
select is(k.user_id, :'ann', 'F206 and the passkey is there') from auth.passkeys k where k.id = :'phone';
select pg_temp.confirm(pg_temp.said('phone', 'h1', :'ann'), :'mailbox', 'shown') \g /dev/null
select isnt(tap.state_of(c.role, 'select api.' || c.call, pg_temp.bearer('shown')), 'TG40C',
	'F206 who has shown it may: ' || c.call) from change c where c.call !~ 'remove_passkey';
select is(tap.ask('tollgate_signin', 'api.confirm_page()', pg_temp.bearer('shown')) ? 'second_due', false,
	'F206 and is asked no more');
update auth.sessions set second_at = now() - interval '10 min' where 'passkey' = any (amr);
select set_config('app.bearer', pg_temp.bearer('shown'), true),
	auth.renew_session(sha256(sha256('later')), '{code}', '192.0.2.1', 'x') \g /dev/null
select is(tap.state_of(c.role, 'select api.' || c.call, pg_temp.bearer('later')), 'TG40C',
	'F206 a mailed code makes it no younger: ' || c.call) from change c;
select tap.user('kim@example.org') \g /dev/null
select tap.session('kim@example.org', 'kim') as kim \gset
select is(pg_temp.add(:'kim', 'one', 'i1'), '{"ok": true}', 'C150 who has none adds one');
select is(pg_temp.add(:'kim', 'two', 'i2'), '{"ok": true}', 'C150 and then another');

-- what a tenant demands
update app.tenants set demands_factor = true where id = :'tenant';
create function pg_temp.reaches(p_bearer text) returns boolean language plpgsql as $$
begin
	perform set_config('app.bearer', p_bearer, true);
	return cardinality(app.my_tenants()) = 1 and cardinality(app.managed_tenants()) = 1;
end
$$;
select tap.session('ann@example.org', 'by link') as by_link \gset
select is(pg_temp.reaches(:'by_link'), false, 'C151 a link alone does not reach a tenant that demands a second factor');
select is(pg_temp.reaches(pg_temp.bearer('s1')), true, 'C151 a passkey does');
select is(pg_temp.reaches(pg_temp.bearer('renewed')), true, 'C151 also one that came later');
select is(tap.ask('tollgate_account', 'api.security_page()', pg_temp.bearer('s1')) - 'tenant' - 'name',
	'{"factor": false, "may_demand": true, "on": true, "owner": true, "without": 0}',
	'C151 and its member counts as one who has');
select is(tap.state_of('tollgate_account', format('select api.demand_factor(%L, true)', :'tenant'),
	pg_temp.bearer('s1')), '00000', 'C151 and may demand it');

-- what a passkey that is removed leaves
create function pg_temp.ended(p_secret text) returns text language sql as $$
	select s.revoke_reason from auth.sessions s join auth.tokens t on t.session_id = s.id
	where t.hash = sha256(sha256(p_secret::bytea))
$$;
select pg_temp.enter(pg_temp.said('phone', 'j1', :'ann'), 's5'),
	pg_temp.enter(pg_temp.said('phone', 'j2', :'ann'), 's6') \g /dev/null
select is(pg_temp.reaches(pg_temp.bearer('s5')), true, 'C151 a passkey reaches what its user may');
savepoint before_removal;
select pg_temp.me(format('remove_passkey(%L)', :'phone'), pg_temp.bearer('s5')) \g /dev/null
select is(pg_temp.ended('s5'), null, 'F206 who removes it stays signed in');
select is(pg_temp.ended('s6'), 'factor', 'F206 others that came by a passkey do not');
select is(pg_temp.ended('by link'), null, 'F206 but those that came by something else');
select is(auth.has_passkey(:'ann'), false, 'F206 it was the only one');
select is(pg_temp.reaches(pg_temp.bearer('s5')), false, 'C151 which counts for no demand any more');
rollback to before_removal;
insert into auth.factors (user_id, seed, confirmed_at) values (:'ann', '', now());
select is(tap.ask('tollgate_operator', 'ops.remove_factor(''ann@example.org'')'), v.removed,
	'C80 the operator removes all that proves more than the mailbox, ' || v.n || ' time')
from (values (1, '{"removed": true}'::jsonb), (2, '{"removed": false}')) v (n, removed);
select is(array[auth.has_factor(:'ann'), auth.has_passkey(:'ann')], '{false,false}', 'C80 the factor and the passkeys');
select is(pg_temp.ended('s5'), 'factor', 'C80 with the sessions that came by them');
select is(pg_temp.ended('by link'), null, 'C80 and no others');
rollback to before_removal;

-- what goes with an address that is taken back, and with time
select auth.drop_factor_since(:'ann', now() + interval '1 s') \g /dev/null
select is(auth.has_passkey(:'ann'), true, 'F212 a passkey of before a change of address stays');
select auth.drop_factor_since(:'ann', now()) \g /dev/null
select is(auth.has_passkey(:'ann'), false, 'F212 one that was added since goes with it');
update auth.challenges set used_at = now() - interval '25 hours' where hash = sha256('c1');
select auth.apply_retention() \g /dev/null
select is(exists (select from auth.challenges where hash = sha256('c1')), false, 'F205 a used challenge is kept a day');
select is(exists (select from auth.challenges where hash = sha256('c3')), true, 'F205 and not less');
select count(*) from generate_series(1, 100) where pg_temp.me('find_passkey(''x'', ''192.0.2.9'')') is null \g /dev/null
select is(tap.state_of('tollgate_authn', 'select api.find_passkey(''x'', ''192.0.2.9'')'), 'TG429',
	'S02 a network asks for so many');
select is(auth.base64url('\xfbff'), '-_8', 'C150 bytes as a browser takes them');

select * from finish();
rollback;
