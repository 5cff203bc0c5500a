-- What the database makes of claims that other parties have signed: whose visit it was, whether they are young, whom
-- they name, and what an address proves.
begin;
select no_plan();

create function pg_temp.claims(p_more jsonb default '{}') returns jsonb language sql as $$
	select jsonb_strip_nulls(jsonb_build_object('provider', 'work', 'label', 'Work', 'issuer', 'https://id.example.org',
		'subject', 'ada-1', 'account', 'ada@example.org', 'email', 'ada@example.org', 'verified', true,
		'name', 'Ada Lovelace', 'picture', 'https://pictures.example.org/ada', 'nonce', 'n',
		'exp', floor(extract(epoch from now())) + 300, 'iat', floor(extract(epoch from now()))) || p_more)
$$;
create function pg_temp.begin(p_state text, p_flow text default 'f') returns jsonb language sql as $$
	select tap.ask('tollgate_authn', format('api.begin_flow(%L, %L, %L, %L, %L, %L, true, %L)', 'work',
		sha256(p_state::bytea), sha256(p_flow::bytea), '/settings/billing', '/de', 'de', '192.0.2.1'))
$$;
create function pg_temp.open(p_state text, p_flow text default 'f', p_provider text default 'work',
	p_calls int default 3) returns jsonb language sql as $$
	select tap.ask('tollgate_authn', format('api.open_flow(%L, %L, %L, %s)', p_provider, sha256(p_state::bytea),
		sha256(p_flow::bytea), p_calls))
$$;
create function pg_temp.finish(p_state text, p_secret text, p_claims jsonb default pg_temp.claims(),
	p_flow text default 'f', p_nonce text default 'n', p_bearer text default '', p_provider text default 'work')
	returns jsonb language sql as $$
	select tap.ask('tollgate_authn', format('api.finish_flow(%L, %L, %L, %L, %L, %L, %L, %L, null)', p_provider,
		sha256(p_state::bytea), sha256(p_flow::bytea), p_claims, p_nonce, sha256(sha256(p_secret::bytea)), '192.0.2.1',
		'a browser'), p_bearer)
$$;
create function pg_temp.enter(p_state text, p_secret text, p_claims jsonb default pg_temp.claims()) returns jsonb
	language plpgsql as $$
begin
	perform pg_temp.begin(p_state);
	perform pg_temp.open(p_state);
	return pg_temp.finish(p_state, p_secret, p_claims);
end
$$;
create function pg_temp.users() returns bigint language sql as $$ select count(*) from auth.users $$;
create function pg_temp.whose(p_secret text) returns text language sql as $$
	select u.email from auth.session_of(encode(sha256(p_secret::bytea), 'hex')) s join auth.users u on u.id = s.user_id
$$;

-- a visit
select pg_temp.begin('s1') \g /dev/null
select is(pg_temp.open('s1', 'other'), null, 'F56 a visit is of the browser that began it');
select is(pg_temp.open('s1', 'f', 'partner'), null, 'F58 and to the party that it was begun to');
select is(pg_temp.open('unknown'), null, 'F56 and there is one');
select is(pg_temp.finish('s1', 'x'), '{"ok": false, "why": "flow"}', 'F56 nobody finishes what was not opened');
select pg_temp.begin('s2') \g /dev/null
select is(pg_temp.open('s2'), '{"next": "/settings/billing", "prefix": "/de", "language": "de", "remember": true}',
	'C46 it says where it leads');
select is(pg_temp.open('s2'), null, 'F56 a party is asked once');
select is(pg_temp.finish('s2', 'x', p_flow => 'other'), '{"ok": false, "why": "flow"}',
	'F56 by the browser that began');
select is(pg_temp.finish('s2', 'x', p_provider => 'partner'), '{"ok": false, "why": "flow"}', 'F58 at that party');
select is(pg_temp.finish('s2', 'one'), '{"ok": true, "next": "/settings/billing"}', 'C46 who is new is let in');
select is(pg_temp.finish('s2', 'one'), '{"ok": true, "next": null}', 'F88 the same call again is told the same');
select is(pg_temp.finish('s2', 'two'), '{"ok": false, "why": "flow"}', 'F56 another one is not');
select is(pg_temp.whose('one'), 'ada@example.org', 'C46 and is the user of the address');
select is(array[p.display_name, p.avatar_url], '{Ada Lovelace,https://pictures.example.org/ada}',
	'C53 with name and picture') from app.profiles p join auth.users u on u.id = p.user_id
	where u.email = 'ada@example.org';
select is(count(*), 1::bigint, 'C53 and owns a tenant') from app.members m join auth.users u on u.id = m.user_id
	where u.email = 'ada@example.org' and m.role = 'owner';
select is(array_agg(e.kind order by e.n), '{identity_added,registered,signed_in}', 'F222 the log has it')
	from audit.entries e join auth.users u on u.id = e.subject_id where u.email = 'ada@example.org';
select is(s.amr, '{identity}', 'C46 what was proven is an identity') from auth.sessions s
	join auth.users u on u.id = s.user_id where u.email = 'ada@example.org';

select pg_temp.begin('s3') \g /dev/null
update auth.flows set created_at = now() - interval '10 min';
select is(pg_temp.open('s3'), null, 'F56 it is over after ten minutes');
select pg_temp.begin('s4') \g /dev/null
select pg_temp.open('s4') \g /dev/null
update auth.flows set created_at = now() - interval '10 min';
select is(pg_temp.finish('s4', 'x'), '{"ok": false, "why": "flow"}', 'F56 also for a party that took its time');
select is_empty($$select from auth.flows where called_at is not null$$, 'F56 what is over is consumed');

delete from auth.flows;
select pg_temp.begin(s) from unnest('{a,b,c}'::text[]) s \g /dev/null
select pg_temp.open(s, p_calls => 2) from unnest('{a,b}'::text[]) s \g /dev/null
select is(tap.state_of('tollgate_authn', format('select api.open_flow(%L, %L, %L, 2)', 'work', sha256('c'),
	sha256('f'))), 'TG503', 'S02 parties are asked about so many at a time');
select tap.ask('tollgate_authn', format('api.close_flow(%L, %L)', sha256('a'), sha256('other'))) \g /dev/null
select is(tap.state_of('tollgate_authn', format('select api.open_flow(%L, %L, %L, 2)', 'work', sha256('c'),
	sha256('f'))), 'TG503', 'S02 another browser ends no visit');
select tap.ask('tollgate_authn', format('api.close_flow(%L, %L)', sha256('a'), sha256('f'))) \g /dev/null
select isnt(pg_temp.open('c', p_calls => 2), null, 'S02 one that has ended makes room');
delete from auth.flows;
select pg_temp.begin(s) from unnest('{a,b,c}'::text[]) s \g /dev/null
create function pg_temp.place(p_verb text, p_state text, p_flow text default 'f') returns text language sql as $$
	select tap.state_of('tollgate_authn', format('select api.%s_place(%L, %L%s)', p_verb, sha256(p_state::bytea),
		sha256(p_flow::bytea), case p_verb when 'take' then ', 1' end))
$$;
select pg_temp.place('take', 'b', 'other') \g /dev/null
select is(array[pg_temp.place('take', 'a'), pg_temp.place('take', 'b')], '{00000,TG503}',
	'S02 descriptions are asked for about so many at a time, for visits of this browser');
select is(tap.state_of('tollgate_authn', format('select api.open_flow(%L, %L, %L, 1)', 'work', sha256('c'),
	sha256('f'))), 'TG503', 'S02 and who comes back waits in the same places');
select pg_temp.place('leave', 'a', 'other') \g /dev/null
select is(pg_temp.place('take', 'b'), 'TG503', 'S02 which another browser does not leave');
select pg_temp.place('leave', 'a') \g /dev/null
select is(pg_temp.place('take', 'b'), '00000', 'S02 who has an answer makes room');
update auth.asking set until = now() - interval '1 s' where flow is not null;
select is(pg_temp.place('take', 'c'), '00000', 'S02 so does who was killed');
delete from auth.flows;

-- claims
select is(pg_temp.enter('c' || row_number() over (), 'x', pg_temp.claims(v.more)) ->> 'why', v.why, 'F59 ' || v.what)
from (values
	('another nonce', '{"nonce": "m"}'::jsonb, 'nonce'), ('no nonce', '{"nonce": null}', 'nonce'),
	('no exp', '{"exp": null}', 'exp'), ('no iat', '{"iat": null}', 'iat'),
	('an empty subject', '{"subject": ""}', 'sub'), ('no subject', '{"subject": null}', 'sub'),
	('256 bytes of subject', jsonb_build_object('subject', repeat('x', 256)), 'sub'),
	('a minute after its end', jsonb_build_object('exp', floor(extract(epoch from now())) - 61), 'exp'),
	('eleven minutes old', jsonb_build_object('iat', floor(extract(epoch from now())) - 662), 'iat'),
	('a minute ahead', jsonb_build_object('iat', ceil(extract(epoch from now())) + 61), 'iat'),
	('not yet', jsonb_build_object('nbf', ceil(extract(epoch from now())) + 61), 'nbf')) v (what, more, why);
select is(pg_temp.enter('d' || row_number() over (), 'y' || v.what, pg_temp.claims(v.more)) -> 'ok', 'true',
	'F59 ' || v.what)
from (values
	('clocks may be nearly a minute apart', jsonb_build_object('exp', ceil(extract(epoch from now())) - 58)),
	('or as much ahead', jsonb_build_object('iat', floor(extract(epoch from now())) + 59)),
	('nearly', jsonb_build_object('nbf', floor(extract(epoch from now())) + 59)),
	('a token may wait', jsonb_build_object('iat', ceil(extract(epoch from now())) - 658)),
	('255 bytes are a subject', jsonb_build_object('subject', repeat('x', 255), 'email', 'long@example.org')))
	v (what, more);
select pg_temp.begin('g') \g /dev/null
select pg_temp.open('g') \g /dev/null
select is(pg_temp.finish('g', 'gh', pg_temp.claims('{"nonce": null, "exp": null, "iat": null, "subject": "583231",
	"issuer": "https://github.com", "email": "octo@example.org"}'), p_nonce => null) -> 'ok', 'true',
	'F216 who signs nothing has no times');

-- whose address
select pg_temp.users() as before \gset
select is(pg_temp.enter('e1', 'again', pg_temp.claims('{"email": "moved@example.org"}')) -> 'ok', 'true',
	'F60 who is known has another address by now');
select is(pg_temp.whose('again'), 'ada@example.org', 'F60 and is the same user');
select is(pg_temp.enter('e2', 'x', pg_temp.claims('{"issuer": "https://other.example.org"}')),
	'{"ok": true, "mailed": "ada@example.org"}', 'F60 of another issuer the same subject is another');
select is(pg_temp.enter('e3', 'x', pg_temp.claims('{"subject": "ada-2"}')),
	'{"ok": true, "mailed": "ada@example.org"}', 'F60 an address that is somebody''s signs nobody in');
select is(pg_temp.enter('e4', 'x', pg_temp.claims('{"subject": "u-1", "email": "un@example.org", "verified": null}')),
	'{"ok": true, "mailed": "un@example.org"}', 'F60 nor does one that is not verified');
select is(pg_temp.enter('e5', 'x', pg_temp.claims('{"subject": "u-2", "email": null, "verified": null}')),
	'{"ok": false, "why": "address"}', 'F216 without one there is nobody');
select is(pg_temp.users(), :before::bigint, 'F60 none of these has made a user');
select is(pg_temp.enter('e6', 'odd', pg_temp.claims('{"subject": "o-1", "email": "odd@example.org", "name": "x\u0007y",
	"picture": "javascript:alert(1)"}')) -> 'ok', 'true', 'C53 an odd name keeps nobody out');
select is(array[p.display_name, p.avatar_url], '{odd,null}'::text[], 'C53 and is not taken') from app.profiles p
	join auth.users u on u.id = p.user_id where u.email = 'odd@example.org';
select is(pg_temp.enter('e' || n, 'nameless' || n, pg_temp.claims(jsonb_build_object('subject', 'n-' || n,
	'email', 'nameless' || n || '@example.org', 'name', name))) -> 'ok', 'true', 'C53 nor does ' || what)
from (values (7, null, 'the lack of one'), (8, 'x', 'a short one')) v (n, name, what);
select is(array_agg(p.avatar_url), array_fill('https://pictures.example.org/ada'::text, '{2}'),
	'C53 where the picture is taken all the same') from app.profiles p join auth.users u on u.id = p.user_id
	where u.email like 'nameless_@example.org';

-- the mailbox
update auth.hits set spent_until = now();
select pg_temp.enter('m1', 'x', pg_temp.claims('{"subject": "ada-3"}')) \g /dev/null
select tap.mailed('ada@example.org') as m \gset
select is(:'m'::jsonb ->> 'template', 'connect', 'F60 the mailbox is asked');
select is(array[:'m'::jsonb ->> 'provider', :'m'::jsonb ->> 'known_as'], '{Work,ada@example.org}',
	'F60 and told by what');
create function pg_temp.connect(p_hash text, p_code text, p_flow text, p_secret text) returns jsonb language sql as $$
	select tap.ask('tollgate_authn', format('api.connect_by_link(%L, %L, %L, %L, %L, %L, null)', p_hash::bytea, p_code,
		sha256(p_flow::bytea), sha256(sha256(p_secret::bytea)), '192.0.2.1', 'a browser'))
$$;
select is(tap.sign_in(:'m'::jsonb ->> 'hash', :'m'::jsonb ->> 'code', 'f', 'x') -> 'ok', 'false',
	'F60 its link is for this page alone');
select is(pg_temp.connect(:'m'::jsonb ->> 'hash', null, 'other', 'x'), '{"ok": false, "attempts_left": 5}',
	'F52 the link alone is no proof');
select is(pg_temp.connect(:'m'::jsonb ->> 'hash', null, 'f', 'm1'), '{"ok": true, "next": "/settings/billing"}',
	'F60 link and browser are');
select is(pg_temp.connect(:'m'::jsonb ->> 'hash', null, 'f', 'm1') -> 'ok', 'true', 'F88 told the same again');
select is(pg_temp.connect(:'m'::jsonb ->> 'hash', null, 'f', 'm2') -> 'ok', 'false', 'F56 and once');
select is(pg_temp.whose('m1'), 'ada@example.org', 'F60 as the user of the mailbox');
select is(pg_temp.enter('m3', 'm3', pg_temp.claims('{"subject": "ada-3"}')) -> 'ok', 'true', 'F60 from then on by it');
select is(pg_temp.whose('m3'), 'ada@example.org', 'F60 the same user');
update auth.hits set spent_until = now();
select pg_temp.enter('m4', 'x', pg_temp.claims('{"subject": "u-1", "email": "un@example.org", "verified": null}'))
	\g /dev/null
select tap.mailed('un@example.org') as m \gset
select is(pg_temp.connect(:'m'::jsonb ->> 'hash', :'m'::jsonb ->> 'code', 'other', 'un') -> 'ok', 'true',
	'F60 a mailbox that is nobody''s makes a user, in any browser with the code');
select is(pg_temp.whose('un'), 'un@example.org', 'F60 of that address');

select is(pg_temp.enter('m5', 'm5', pg_temp.claims('{"subject": "u-1", "email": null, "verified": null}')),
	'{"ok": false, "why": "address"}', 'F60 what waited for the mailbox is not connected in another browser');
select is_empty($$select from auth.pending_identities w join auth.requests r on r.id = w.request_id
	where w.claims ->> 'subject' = 'u-1' and r.used_at is not null$$,
	'F60 and waits no more');
select is(array[p.display_name, p.avatar_url], '{un@example.org,null}'::text[], 'F60 nor is the user called as it says')
	from app.profiles p where p.user_id = auth.find_user('un@example.org');
select is(count(*), 1::bigint, 'F60 who owns a tenant all the same') from app.members m
	where m.user_id = auth.find_user('un@example.org') and m.role = 'owner';
update auth.hits set spent_until = now();
select pg_temp.enter('m6', 'x', pg_temp.claims('{"subject": "evil", "email": "un@example.org", "verified": null}'))
	\g /dev/null
select tap.mailed('un@example.org') as m \gset
select is(tap.ask('tollgate_authn', format('api.proof_state(%L, %L, %L)', 'connect', (:'m'::jsonb ->> 'hash')::bytea,
	sha256('f'))) - 'email', '{"state": "usable", "provider": "Work", "known_as": "ada@example.org"}',
	'F60 the page says which account elsewhere it is');
select is(pg_temp.connect(:'m'::jsonb ->> 'hash', :'m'::jsonb ->> 'code', 'other', 'm6') -> 'ok', 'true',
	'F60 who types a stranger''s code signs in');
select is(pg_temp.whose('m6'), 'un@example.org', 'F60 as the user of the mailbox');
select is_empty($$select from auth.identities where subject in ('evil', 'u-1')$$, 'F60 and connects nothing');
select is(pg_temp.enter('m7', 'm7', pg_temp.claims('{"subject": "evil", "email": null, "verified": null}')),
	'{"ok": false, "why": "address"}', 'F60 so that the stranger stays out');
update auth.hits set spent_until = now();
select pg_temp.enter('m8', 'x', pg_temp.claims('{"subject": "u-8", "email": "new@example.org", "verified": null}'))
	\g /dev/null
select tap.mailed('new@example.org') as m \gset
select is(pg_temp.connect(:'m'::jsonb ->> 'hash', null, 'f', 'm8') -> 'ok', 'true',
	'F60 a mailbox that is nobody''s makes a user in the browser that began, too');
select is(i.vouches, false, 'F60 whose mailbox is proven') from auth.identities i
	where i.subject = 'u-8' and i.user_id = auth.find_user('new@example.org');

-- connecting
select tap.user('zoe@example.org') \g /dev/null
select tap.session('zoe@example.org', 'zoe') as zoe \gset
create function pg_temp.join_(p_state text, p_bearer text) returns text language sql as $$
	select tap.state_of('tollgate_authn', format('select api.begin_connection(%L, %L, %L, null, %L, %L)', 'work',
		sha256(p_state::bytea), sha256('f'), '', 'en'), p_bearer)
$$;
select is(pg_temp.join_('j0', ''), 'TG401', 'F60 nobody connects without a session');
select is(pg_temp.join_('j1', :'zoe'), '00000', 'F60 a user connects');
select pg_temp.open('j1') \g /dev/null
select is(pg_temp.finish('j1', 'x', pg_temp.claims('{"subject": "zoe-1", "email": "z@example.net"}'),
	p_bearer => :'zoe'), '{"ok": true, "why": null, "connected": true}', 'F60 an identity whose address is another');
select is(auth.find_user('z@example.net'), null, 'F60 which makes no user');
select is(pg_temp.enter('j2', 'by work', pg_temp.claims('{"subject": "zoe-1", "email": "z@example.net"}')) -> 'ok',
	'true', 'F60 it signs in');
select is(pg_temp.whose('by work'), 'zoe@example.org', 'F60 who has connected it');
select pg_temp.join_('j3', :'zoe') \g /dev/null
select pg_temp.open('j3') \g /dev/null
select is(pg_temp.finish('j3', 'x', p_bearer => :'zoe'), '{"ok": false, "why": "taken", "connected": false}',
	'F60 another''s identity does not move');
select pg_temp.join_('j4', :'zoe') \g /dev/null
select pg_temp.open('j4') \g /dev/null
select is(pg_temp.finish('j4', 'x', pg_temp.claims('{"subject": "zoe-2"}')),
	'{"ok": false, "why": "session", "connected": false}', 'F60 who is not signed in any more connects nothing');
select pg_temp.join_('j5', :'zoe') \g /dev/null
select pg_temp.open('j5') \g /dev/null
select is(pg_temp.finish('j5', 'x', pg_temp.claims('{"subject": "zoe-2"}'), p_bearer => encode(sha256('m1'), 'hex')),
	'{"ok": false, "why": "session", "connected": false}', 'F60 nor who is signed in as another');
update auth.sessions s set auth_at = now() - interval '11 min' from auth.users u
	where u.id = s.user_id and u.email = 'zoe@example.org';
select is(pg_temp.join_('j6', :'zoe'), 'TG40C', 'F36 a young proof is asked for');
select is(tap.state_of('tollgate_authn', 'select api.' || call, :'zoe'), 'TG40C', 'F36 also for ' || call)
	from unnest('{connections_page(),disconnect(gen_random_uuid())}'::text[]) call;
update auth.sessions set auth_at = now();

select is(jsonb_path_query_array(auth.export_user(auth.find_user('zoe@example.org'), '{}'),
	'$.identities[*].subject'), '["zoe-1"]', 'C57 and it is in the copy of the own data');

-- disconnecting
create function pg_temp.part(p_subject text, p_bearer text) returns text language sql as $$
	select tap.state_of('tollgate_authn', format('select api.disconnect(%L)', i.id), p_bearer)
	from auth.identities i where i.subject = p_subject $$;
select is(jsonb_array_length(tap.ask('tollgate_authn', 'api.connections_page()', :'zoe') -> 'identities'), 1,
	'C46 a user sees what is connected');
select is(pg_temp.part('ada-1', :'zoe'), 'TG404', 'F60 nobody disconnects another''s');
select is(pg_temp.part('zoe-1', :'zoe'), '00000', 'F60 who has another way in disconnects');
select is(pg_temp.enter('p1', 'px', pg_temp.claims('{"subject": "lone", "email": "lone@example.org"}')) -> 'ok', 'true',
	'F60 one who came by an identity alone');
select is(pg_temp.part('lone', encode(sha256('px'), 'hex')), 'TG409', 'F60 keeps the last way in');
insert into auth.passwords (user_id, salt, cost, stored_key)
	values (auth.find_user('lone@example.org'), sha256('s'), '{19456,2,1}', sha256('k'));
select is(pg_temp.part('lone', encode(sha256('px'), 'hex')), '00000', 'F60 until there is another');

select pg_temp.enter('p2', 'py', pg_temp.claims('{"subject": "key", "email": "key@example.org"}')) \g /dev/null
select is(pg_temp.part('key', encode(sha256('py'), 'hex')), 'TG409', 'F60 the same for another');
insert into auth.passkeys (user_id, credential, key, counter, eligible, backed_up, transports, name)
	values (auth.find_user('key@example.org'), sha256('c'), sha256('k'), 0, false, false, '{}', 'a key');
select auth.drop_factor_since(auth.find_user('key@example.org'), now() + interval '1 s') \g /dev/null
select isnt_empty($$select from auth.identities where subject = 'key'$$,
	'F212 what was there before an address changed stays');
select is(pg_temp.part('key', encode(sha256('py'), 'hex')), '00000', 'F60 a passkey is a way in');
select auth.drop_factor_since(auth.find_user('ada@example.org'), now()) \g /dev/null
select is_empty($$select from auth.identities i where i.user_id = auth.find_user('ada@example.org')$$,
	'F212 what was connected since a change of the address goes when it is undone');

-- neither goes by connecting another one, nor by a passkey
create function pg_temp.way(p_email text, p_secret text, p_more jsonb) returns text language plpgsql as $$
declare
	claims jsonb := pg_temp.claims(p_more || jsonb_build_object('email', p_email));
begin
	perform pg_temp.enter(p_secret, p_secret, claims);
	return encode(sha256(p_secret::bytea), 'hex');
end
$$;
select pg_temp.way('two@example.org', 'w1', '{"subject": "two-1"}') as two,
	pg_temp.way('dev@example.org', 'w2', '{"subject": "dev-1"}') as dev \gset
select pg_temp.join_('w3', :'two'), pg_temp.open('w3'),
	pg_temp.finish('w3', 'x', pg_temp.claims('{"subject": "two-2"}'), p_bearer => :'two') \g /dev/null
select is(pg_temp.part('two-1', :'two'), '00000', 'F60 who came by one identity and has another disconnects the first');
select is(pg_temp.part('two-2', :'two'), 'TG409', 'F60 and not the other');
insert into auth.passkeys (user_id, credential, key, counter, eligible, backed_up, transports, name)
	values (auth.find_user('dev@example.org'), sha256('d'), sha256('k'), 0, false, false, '{}', 'a key');
select is(pg_temp.part('dev-1', :'dev'), '00000', 'F60 or has a passkey');
update auth.sessions s set second_at = now() from auth.users u where u.id = s.user_id and u.email = 'dev@example.org';
create function pg_temp.unkey(p_bearer text) returns text language sql as $$
	select tap.state_of('tollgate_authn', format('select api.remove_passkey(%L)', k.id), p_bearer)
	from auth.passkeys k where k.user_id = auth.find_user('dev@example.org') $$;
select is(pg_temp.unkey(:'dev'), 'TG409', 'F60 which then is the last way in');
select isnt_empty($$select from auth.passkeys k where k.user_id = auth.find_user('dev@example.org')$$,
	'F60 and stays');
update auth.sessions s set amr = s.amr || '{code}' from auth.users u
	where u.id = s.user_id and u.email = 'dev@example.org';
select is(pg_temp.unkey(:'dev'), '00000', 'F60 until the mailbox is proven');

-- those who are kept out
update auth.users set disabled_at = now() where email = 'odd@example.org';
select is(pg_temp.enter('k1', 'x', pg_temp.claims('{"subject": "o-1", "email": "odd@example.org"}')),
	'{"ok": false, "why": "disabled"}', 'F60 who is disabled stays out');
update auth.limits set allowed = 1 where kind = 'flow_near';
delete from auth.hits;
select pg_temp.begin('l1') \g /dev/null
select is(tap.state_of('tollgate_authn', format('select api.begin_flow(%L, %L, %L, null, %L, %L, false, %L)', 'work',
	sha256('l2'), sha256('f'), '', 'en', '192.0.2.1')), 'TG429', 'S08 a network begins so many');
select is_empty($$select from auth.flows where hash = sha256(sha256('l2'))$$, 'S08 what is refused leaves no row');

select is(pg_temp.join_('l3', :'zoe'), '00000', 'S08 a user has an allowance of the own');
select is(pg_temp.join_('l4', :'zoe'), 'TG429', 'S08 which ends');

update auth.flows set created_at = now() - interval '2 hours';
select auth.apply_retention() \g /dev/null
select is_empty('select from auth.flows', 'C46 visits are deleted soon');

select * from finish();
rollback;
