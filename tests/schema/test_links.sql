-- Sign-in links: what proves a mailbox, the limits, and what the answers reveal to others.
begin;
select no_plan();

select tap.paid('ann') as tenant \gset
create function pg_temp.fresh() returns jsonb language plpgsql as $$
begin
	update auth.hits set spent_until = now();
	update auth.requests set created_at = created_at - interval '1 s';
	perform tap.request('ann@example.org', 'mine');
	return tap.mailed('ann@example.org');
end
$$;
create function pg_temp.state(p_hash text, p_flow text) returns text language plpgsql as $$
begin
	return tap.ask('tollgate_signin',
		format('api.link_state(%L, %L)', p_hash::bytea, sha256(p_flow::bytea))) ->> 'state';
end
$$;

-- the mail
select m ->> 'hash' as hash, m ->> 'code' as code from pg_temp.fresh() m \gset
select matches(tap.mailed('ann@example.org') ->> 'token', '^[A-Za-z0-9_-]{43}$',
	'F52 the token in the mail is 32 bytes in base64url');
select pg_temp.fresh() ->> 'code' as code \gset
select matches(:'code'::text, '^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$',
	'F52 the code is two groups of Crockford''s alphabet');
select is(pg_temp.fresh() ->> 'next', '/settings/billing', 'F52 and the way back travels with it');
select m ->> 'hash' as hash, m ->> 'code' as code from pg_temp.fresh() m \gset
update auth.requests set email = 'ANN@example.org';
select is(tap.mailed('ann@example.org') ->> 'recipient', 'ann@example.org', 'F52 it goes to the address on file');
select tap.mailed('ann@example.org') as mail \gset
select is_empty(format($$select t from (select l::text from auth.links l union all select r::text from auth.requests r
		union all select o::text from mail.outbox o) v (t)
	where t like '%%%s%%' or t like '%%%s%%'$$, :'mail'::jsonb ->> 'token', :'mail'::jsonb ->> 'code'),
	'F43 of token and code only digests are stored');

-- GET
select is(pg_temp.state(:'hash', 'mine'), 'usable', 'F52 the asking browser may use the link');
select is(pg_temp.state(:'hash', 'other'), 'code_needed', 'F52 another browser needs the code');
select is(pg_temp.state('\x00', 'mine'), 'unusable', 'F52 an unknown link is unusable');
select is(tap.ask('tollgate_signin', format('api.link_state(%L, null)', :'hash')) ->> 'state', 'code_needed',
	'F52 a browser without a cookie too');
select l::text || r as before from auth.links l join auth.requests r on r.id = l.request_id
	where l.hash = sha256(:'hash') \gset
select pg_temp.state(:'hash', 'mine'), pg_temp.state(:'hash', 'other') \g /dev/null
select is(l::text || r, :'before', 'F52 looking changes nothing')
	from auth.links l join auth.requests r on r.id = l.request_id where l.hash = sha256(:'hash');

-- proofs
select is(tap.sign_in(:'hash', null, 'other', 'x'), '{"ok": false, "attempts_left": 5}',
	'F52 the link alone is no proof, and costs no attempt');
select is(tap.sign_in(null, null, 'mine', 'x'), '{"ok": false, "attempts_left": null}',
	'F52 the browser alone is no proof');
select is(tap.sign_in(null, :'code', 'other', 'x'), '{"ok": false, "attempts_left": null}',
	'F52 the code alone is no proof');
select is(tap.sign_in(:'hash', 'AAAA-AAAA', 'other', 'x'), '{"ok": false, "attempts_left": 4}',
	'F52 a wrong code costs an attempt');
select is(tap.sign_in(null, 'AAAA-AAAA', 'mine', 'x'), '{"ok": false, "attempts_left": 3}',
	'F52 also in the asking browser');
select is(tap.sign_in(:'hash', null, 'mine', 'one'), '{"ok": true, "next": "/settings/billing"}',
	'F52 link and browser are proof');
select is(amr, '{link}', 'F52 the session says how it was proved') from auth.sessions;
select is(tap.sign_in(:'hash', null, 'mine', 'two'), '{"ok": false, "attempts_left": null}', 'F53 a link works once');
select is(tap.sign_in(:'hash', null, 'mine', 'one'), '{"ok": true, "next": "/settings/billing"}',
	'F88 the same call again, its answer lost, is told the same');
select is(count(*), 1::bigint, 'F88 and there is one session') from auth.sessions;
select is(pg_temp.state(:'hash', 'mine'), 'unusable', 'F53 a used link is unusable');

select m ->> 'hash' as hash, m ->> 'code' as code from pg_temp.fresh() m \gset
select is(tap.sign_in(:'hash', :'code', 'other', 'three') -> 'ok', 'true',
	'F52 link and code are proof in another browser');
select m ->> 'hash' as hash, m ->> 'code' as code from pg_temp.fresh() m \gset
select is(tap.sign_in(null, ' ' || lower(replace(:'code', '-', ' ')), 'mine', 'four') -> 'ok', 'true',
	'F52 browser and code are proof, however the code is typed');
select is(auth.code_hash('\x00', 'O1IL-0o'), auth.code_hash('\x00', '01110O'), 'F52 O is 0, I and L are 1');
select m ->> 'hash' as hash, m ->> 'code' as code from pg_temp.fresh() m \gset
select tap.sign_in(:'hash', 'AAAA-AAAA', 'other', 'x') from generate_series(1, 4) \g /dev/null
select is(tap.sign_in(:'hash', 'AAAA-AAAA', 'other', 'x'), '{"ok": false, "attempts_left": 0}', 'F52 five attempts');
select is(tap.sign_in(:'hash', :'code', 'mine', 'x'), '{"ok": false, "attempts_left": null}',
	'F52 then the link is dead, the right code too');
select is(pg_temp.state(:'hash', 'mine'), 'unusable', 'F52 and says so');

-- when a link ends
select m ->> 'hash' as hash from pg_temp.fresh() m \gset
update auth.links set expires_at = now() where hash = sha256(:'hash');
select is(tap.sign_in(:'hash', null, 'mine', 'x') -> 'ok', 'false', 'F53 after ten minutes it is over');
select m ->> 'hash' as hash from pg_temp.fresh() m \gset
select is(expires_at, now() + interval '10 min', 'F53 ten minutes by the database''s clock')
	from auth.links where hash = sha256(:'hash');
select m ->> 'hash' as older from pg_temp.fresh() m \gset
select m ->> 'hash' as newer from pg_temp.fresh() m \gset
select is(tap.sign_in(:'older', null, 'mine', 'x') -> 'ok', 'false', 'F53 a newer link ends the older');
update auth.users set disabled_at = now() where email_canonical = 'ann@example.org';
select is(tap.sign_in(:'newer', null, 'mine', 'x') -> 'ok', 'false', 'F53 a user disabled meanwhile stays outside');
select is(count(*), 3::bigint, 'F53 three sign-ins made three sessions') from auth.sessions;

-- answers reveal nothing
select is(tap.request('nobody@example.org', 'his'), tap.request('ann@example.org', 'his'),
	'F50 unknown and disabled: the same answer');
select is(count(*), 2::bigint, 'F50 and the same rows')
	from auth.requests r join mail.outbox o on o.data = jsonb_build_object('request', r.id, 'next', r.next)
	where r.flow_hash = sha256(sha256('his')) and r.user_id is null and o.state = 'pending';
select is(tap.sign_in(null, 'AAAA-AAAA', 'his', 'x'), '{"ok": false, "attempts_left": 4}',
	'F50 guessing at one of them looks the same');
select is(tap.mailed(m) ->> 'state', 'void', 'F50 the mailer finds nobody to write to: ' || m)
	from unnest('{nobody,ann}'::text[]) n cross join lateral (select n || '@example.org') a (m);
select is(count(*), 0::bigint, 'F50 and no link is made') from auth.links l join auth.requests r on r.id = l.request_id
	where r.flow_hash = sha256(sha256('his'));
select is(count(*), 0::bigint, 'F50 asking makes no user') from auth.users where email_canonical = 'nobody@example.org';
update auth.users set disabled_at = null;

-- limits
update auth.hits set spent_until = now();
delete from mail.outbox;
select tap.request('ann@example.org', 'mine', format('198.51.100.%s', n)::inet)
	from generate_series(1, 5) n \g /dev/null
select tap.mailed('ann@example.org') ->> 'hash' as fifth \gset
select is(tap.request('ann@example.org', 'mine', '198.51.100.6'), null,
	'F51 the sixth for an address gets the same answer');
select is(count(*) filter (where state = 'pending'), 5::bigint, 'F51 and no mail') from mail.outbox;
select is(tap.sign_in(:'fifth', null, 'mine', 'five') -> 'ok', 'true', 'F51 the fifth link still works');
update auth.hits set spent_until = spent_until - interval '12 min';
update auth.requests set created_at = created_at - interval '1 s';
select tap.request('ann@example.org', 'mine', '198.51.100.6') \g /dev/null
select is(count(*) filter (where state = 'pending'), 6::bigint, 'F51 a twelfth of an hour later there is one more')
	from mail.outbox;

select is_empty($$select from auth.hits where encode(subject, 'escape') ~ 'example'$$,
	'D25 addresses are counted by digest');

-- what no proof is, whatever is null
delete from mail.outbox;
select m ->> 'hash' as hash, m ->> 'code' as code from pg_temp.fresh() m \gset
update auth.requests set flow_hash = null;
create function pg_temp.no_flow(p_hash text, p_code text) returns jsonb language sql as $$
	select tap.ask('tollgate_signin', format('api.sign_in(%L, %L, null, %L, null, null)', p_hash::bytea, p_code,
		sha256('no flow')))
$$;
select is(pg_temp.no_flow(:'hash', null) -> 'ok', 'false', 'F52 two browsers without a cookie are not the same');
select is(tap.ask('tollgate_signin', format('api.link_state(%L, null)', :'hash')) ->> 'state', 'code_needed',
	'F52 nor does the page say so');
select is(pg_temp.no_flow(null, :'code') -> 'ok', 'false', 'F52 and a code needs a browser or its link');
select is(pg_temp.no_flow(null, null) -> 'ok', 'false', 'F52 nothing is no proof');
select is(tap.ask('tollgate_signin', format('api.sign_in(%L, null, null, null, null, null)', :'hash')) -> 'ok', 'false',
	'F53 a link that was not used has made no session, whoever asks for none');
select is(pg_temp.no_flow(:'hash', :'code') -> 'ok', 'true', 'F52 link and code are proof without a cookie');

-- a code is of one link
update auth.links set expires_at = now();
select isnt(auth.code_hash('\x00', 'ABCD-EFGH'), auth.code_hash('\x01', 'ABCD-EFGH'),
	'F43 equal codes of two links are kept as different digests');
select m ->> 'hash' as old, m ->> 'code' as code from pg_temp.fresh() m \gset
select m ->> 'hash' as hash from pg_temp.fresh() m \gset
select is(tap.sign_in(:'hash', :'code', 'other', 'x') -> 'ok', 'false', 'F52 the code of an earlier mail is none');
update auth.links set expires_at = now() where hash = sha256(:'hash');
select is(tap.sign_in(:'hash', null, 'mine', 'x'), '{"ok": false, "attempts_left": null}', 'F53 a link that is over');
select is(pg_temp.state(:'hash', 'mine'), 'unusable', 'F53 is shown as such');
select auth.mint_link(r.id) from auth.requests r where r.purpose = 'welcome' \g /dev/null
select is(array_agg(distinct l.expires_at - now() order by l.expires_at - now()), '{00:10:00,24:00:00}'::interval[],
	'F53 a link lasts ten minutes, that of a welcome a day')
	from auth.links l join auth.requests r on r.id = l.request_id where l.expires_at > now();

-- whose request it is
select pg_temp.fresh() ->> 'hash' as hash \gset
update auth.users set email_canonical = 'anna@example.org' where email_canonical = 'ann@example.org';
select is(tap.sign_in(:'hash', null, 'mine', 'x') -> 'ok', 'false', 'F53 a link for an address that changed is none');
update auth.users set email_canonical = 'ann@example.org' where email_canonical = 'anna@example.org';
select tap.request('ann@example.org', 'flow of ann'), tap.mailed('ann@example.org') \g /dev/null
update auth.requests set created_at = created_at - interval '1 min', flow_hash = sha256(sha256('flow of ann'))
	where purpose = 'welcome';
select sha256(decode(translate(m ->> 'token', '-_', '+/') || '=', 'base64')) as hash, m ->> 'code' as code
	from auth.mint_link((select r.id from auth.requests r where r.purpose = 'welcome')) m \gset
select is(tap.sign_in(:'hash', :'code', 'other', 'w') -> 'ok', 'true', 'F53 a sign-in ends no welcome link');

-- a mail that is tried again
select pg_temp.fresh() ->> 'hash' as first \gset
select tap.mailed('ann@example.org') ->> 'hash' as again \gset
select isnt(:'first'::text, :'again', 'S14 a mail that is tried again has a link of its own');
select is(pg_temp.state(:'first', 'mine'), 'usable', 'S14 and a copy that had arrived still works');
select is(tap.sign_in(:'again', null, 'mine', 's14') -> 'ok', 'true', 'S14 so does the other');
select is(pg_temp.state(:'first', 'mine'), 'unusable', 'S14 one use spends both');

-- what a reader of the tables knows
select pg_temp.fresh() as mailed \gset
select l.hash as stored, r.flow_hash as flow_stored from auth.links l join auth.requests r on r.id = l.request_id
	where l.hash = sha256((:'mailed'::jsonb ->> 'hash')::bytea) \gset
select is(tap.ask('tollgate_signin', format('api.link_state(%L, %L)', :'stored', :'flow_stored')),
	'{"state": "unusable"}', 'S10 the stored digest of a link is no link');
select is(tap.ask('tollgate_signin', format('api.sign_in(%L, %L, %L, %L, ''192.0.2.1'', ''x'')', v.link, v.code, v.flow,
	sha256('s10')))
	-> 'ok', 'false', 'S10 nor does it sign in with ' || v.what)
from (values (:'stored'::bytea, null::text, :'flow_stored'::bytea, 'the stored browser'),
		(:'stored', :'mailed'::jsonb ->> 'code', null, 'the code'),
		(null, :'mailed'::jsonb ->> 'code', :'flow_stored', 'its code and the stored browser'),
		((:'mailed'::jsonb ->> 'hash')::bytea, null, :'flow_stored', 'the link and the stored browser'))
		v (link, code, flow, what);
select is(tap.sign_in(:'mailed'::jsonb ->> 'hash', null, 'mine', 's10') -> 'ok', 'true', 'S10 what was mailed does');

select * from finish();
rollback;
