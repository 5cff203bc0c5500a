-- Profiles, the members of a tenant and what each role may do, invitations.
begin;
select no_plan();

select tap.paid('ann') as ann \gset
select tap.paid('bob') as bob \gset
create temp table person (who text primary key, id uuid, bearer text);
grant select on person to public;
insert into person select v.who, tap.user(v.who || '@example.org'), tap.session(v.who || '@example.org', v.who)
from unnest('{ann,owen,ada,amir,mia,max,bob}'::text[]) v (who);
insert into app.members (tenant_id, user_id, role)
select :'ann', p.id, v.role from person p join (values ('owen', 'owner'), ('ada', 'admin'), ('amir', 'admin'),
	('mia', 'member'), ('max', 'member')) v (who, role) on v.who = p.who;

-- a call of account by one of these, and what comes of it; it is undone
create function pg_temp.state(p_who text, p_call text) returns text language plpgsql as $$
begin
	return tap.state_of('tollgate_account', 'select ' || p_call, (select p.bearer from person p where p.who = p_who));
end
$$;
create function pg_temp.outcome(p_who text, p_call text) returns text language plpgsql as $$
declare
	was text;
begin
	was := pg_temp.state(p_who, p_call);
	raise exception 'undo' using errcode = 'TG999', detail = was;
exception when sqlstate 'TG999' then
	return was;
end
$$;
create function pg_temp.ask(p_who text, p_call text) returns jsonb language plpgsql as $$
begin
	return tap.ask('tollgate_account', p_call, (select p.bearer from person p where p.who = p_who));
end
$$;
create function pg_temp.id(p_who text) returns uuid language sql as $$ select p.id from person p where p.who = p_who $$;

-- profiles
insert into auth.users (email, email_canonical) values ('jo@example.org', 'jo@example.org');
select is((select p.display_name from app.profiles p where p.user_id = auth.find_user('jo@example.org')),
	'jo@example.org', 'C53 who is two letters before the @ is called by the address');
insert into auth.users (email, email_canonical) values (repeat('x', 64) || '@e.org', repeat('x', 64) || '@e.org');
select is((select p.display_name from app.profiles p where p.user_id = auth.find_user(repeat('x', 64) || '@e.org')),
	repeat('x', 32), 'C53 a long local part is cut to 32');
insert into auth.users (email, email_canonical) values ('WWW.evil.test@e.org', 'www.evil.test@e.org');
select is((select p.display_name from app.profiles p where p.user_id = auth.find_user('www.evil.test@e.org')),
	'WWW-evil.test', 'C53 one that reads like an address of a page is changed');
select is(billing.name_for(gen_random_uuid(), 'www.evil.test@e.org'), 'www-evil.test', 'C56 so it is for a tenant');
select throws_ok(format($$update app.profiles set avatar_url = %L$$, v), '23514', null, 'C53 no avatar is ' || v)
from unnest('{http://example.org/a.png,javascript:alert(1),data:image/png}'::text[]) v;

select is(pg_temp.outcome('mia', format('api.name_user(%L)', v.name)), v.state, 'C54 a name: ' || v.what)
from (values ('abc', '00000', 'three characters'), ('äöü', '00000', 'three characters in six bytes'),
	(repeat('ü', 32), '00000', '32 characters'), ('ab', 'TG422', 'two characters'), (repeat('a', 33), 'TG422', '33'),
	('  a   ', 'TG422', 'one and blanks'), (null, 'TG422', 'none'), (e'a\x01b', 'TG422', 'a control character'),
	(U&'abc\202Edef', 'TG422', 'one that turns the direction'), (U&'a\200B\200Bb', 'TG422', 'what is not seen'),
	('https://x.org', 'TG422', 'an address'), ('www.evil.example', 'TG422', 'an address without a scheme'),
	('WWW.evil.example', 'TG422', 'one in capitals'), (U&'\3164\3164\3164', 'TG422', 'a name that is not seen'),
	(U&'\200D\200C\200D', 'TG422', 'joiners of nothing'), (U&'A\FE0F\200D', 'TG422', 'one character and what joins'),
	(U&'ab\034F', 'TG422', 'a joiner of letters'), (U&'ab\+0E0100', 'TG422', 'a selector of pictures'),
	(U&'ab\FFF9', 'TG422', 'an annotation'), (U&'\+01F469\200D\+01F469\200D\+01F467', '00000', 'a family'),
	(U&'\0645\06cc\200c\062e\0648\0627\0647\0645', '00000', 'a Persian name'),
	(U&'\+01F600\+01F600\+01F600', '00000', 'three of four bytes each')) v (name, state, what);
select pg_temp.ask('mia', format('api.name_user(%L)', U&'  Mi\0061\0308  \00a0Maus ')) \g /dev/null
select is(pg_temp.ask('mia', 'api.profile()') - 'id', jsonb_build_object('email', 'mia@example.org', 'display_name',
	U&'Mi\00e4 Maus', 'initials', 'MM', 'avatar_url', null), 'C54 it is kept composed and without blanks around it');
select is(count(*), 6::bigint, 'C54 and nobody else''s is changed') from app.profiles p
	join person q on q.id = p.user_id
where p.display_name = q.who;
select is(tap.state_of('tollgate_account', 'select api.name_user(''abc'')'), 'TG401', 'C54 without a session: TG401');
select is(pg_temp.state('mia', format('count(*) from app.profiles where user_id = %L', pg_temp.id('ann'))), '00000',
	'C54 reading another profile fails in no way');
select is(tap.ask('tollgate_account', format('(select to_jsonb(count(*)) from app.profiles where user_id = %L)',
	pg_temp.id('ann')), (select bearer from person where who = 'mia')), '0', 'C54 and shows nothing');

-- role x verb: the table, and what comes of each act with each role
select set_eq($$select role, verb from app.role_verbs$$, $$values
	('owner', 'see'), ('owner', 'leave'), ('owner', 'bill'), ('owner', 'name'), ('owner', 'invite'),
	('owner', 'appoint'), ('owner', 'remove'), ('owner', 'hand_over'), ('owner', 'audit'), ('owner', 'keys'),
	('owner', 'usage'), ('admin', 'usage'),
	('admin', 'see'), ('admin', 'leave'), ('admin', 'bill'), ('admin', 'name'), ('admin', 'invite'),
	('admin', 'appoint'), ('admin', 'remove'), ('member', 'see'), ('member', 'leave')$$, 'C56 who may do what');
select is(pg_temp.outcome(p.who, format(v.call, :'ann', pg_temp.id('max'))), v.states[p.n],
	format('C56 %s: %s', v.what, p.role))
from (values ('owen', 'owner', 1), ('ada', 'admin', 2), ('mia', 'member', 3), ('bob', 'stranger', 4)) p (who, role, n)
	cross join (values
	('see', 'api.team_page(%L)', '{00000,00000,00000,TG404}'::text[]),
	('name', 'api.name_tenant(%L, ''New'')', '{00000,00000,TG403,TG404}'),
	('appoint', 'api.set_role(%L, %L, ''admin'')', '{00000,00000,TG403,TG404}'),
	('remove', 'api.remove_member(%L, %L)', '{00000,00000,TG403,TG404}'),
	('hand over', 'api.hand_over(%L, %L)', '{00000,TG403,TG403,TG404}'),
	('invite', 'api.invite(%L, ''new@example.org'', ''member'', ''en'')', '{00000,00000,TG403,TG404}'),
	('leave', 'api.leave_tenant(%L)', '{00000,00000,00000,TG404}'),
	('audit', 'api.audit_page(%L)', '{00000,TG403,TG403,TG404}')) v (what, call, states);
select is(tap.ask('tollgate_billing', 'to_jsonb(app.managed_tenants())', p.bearer) ? :'ann',
	app.may(app.role_in(:'ann', p.id), 'bill'), 'C56 billing: ' || p.who)
from person p where p.who in ('ann', 'ada', 'mia', 'bob');

-- never one's own, never above one's own
select is(pg_temp.outcome(v.who, format('api.set_role(%L, %L, %L)', :'ann', pg_temp.id(v.whom), v.role)), v.state,
	format('C55 %s makes %s %s: %s', v.who, v.whom, v.role, v.state))
from (values ('owen', 'owen', 'member', 'TG403'), ('ada', 'ada', 'owner', 'TG403'), ('mia', 'mia', 'owner', 'TG403'),
	('ada', 'owen', 'member', 'TG403'), ('ada', 'mia', 'owner', 'TG403'), ('ada', 'amir', 'member', '00000'),
	('ada', 'mia', 'admin', '00000'), ('owen', 'ann', 'member', '00000'), ('owen', 'mia', 'owner', '00000'),
	('owen', 'mia', 'king', 'TG422'), ('owen', 'mia', '', 'TG422'), ('owen', 'bob', 'member', 'TG404'))
	v (who, whom, role, state);
select is(pg_temp.outcome(v.who, format('api.remove_member(%L, %L)', :'ann', pg_temp.id(v.whom))), v.state,
	format('C55 %s removes %s: %s', v.who, v.whom, v.state))
from (values ('owen', 'owen', 'TG403'), ('ada', 'owen', 'TG403'), ('ada', 'amir', '00000'), ('owen', 'ann', '00000'),
	('ada', 'bob', 'TG404')) v (who, whom, state);
select is(pg_temp.outcome('ada', format('api.invite(%L, ''new@example.org'', %L, ''en'')', :'ann', v.role)), v.state,
	format('C55 an admin invites as %s: %s', v.role, v.state))
from (values ('owner', 'TG403'), ('admin', '00000'), ('king', 'TG422')) v (role, state);

-- what a page shows
select is(array(select m ->> 'name' from jsonb_array_elements(d -> 'members') m where (m -> 'removable')::boolean
	order by 1), v.names, format('C56 the page lets %s change those who are not above', v.who))
from (values ('owen', '{Miä Maus,ada,amir,ann,max}'::text[]), ('ada', '{Miä Maus,amir,max}'), ('max', '{}'))
	v (who, names) cross join lateral pg_temp.ask(v.who, format('api.team_page(%L)', :'ann')) d;
select is(jsonb_path_query_array(pg_temp.ask('max', 'api.team_page()'), '$.members[*].email'),
	'[null, null, null, null, null, null]', 'C56 a member sees names, and no address');
select ok(pg_temp.ask('ada', 'api.team_page()') -> 'members' @> '[{"email": "ann@example.org"}]',
	'C56 an admin sees them');

-- the last owner who can sign in
update auth.users set disabled_at = now() where id = pg_temp.id('owen');
select is(pg_temp.outcome('ann', format('api.leave_tenant(%L)', :'ann')), 'TG409',
	'F210 an owner stays while the other one is kept out');
select is(pg_temp.outcome('ann', format('api.hand_over(%L, %L)', :'ann', pg_temp.id('mia'))), '00000',
	'F210 but hands over');
select is(pg_temp.outcome('ann', format('api.remove_member(%L, %L)', :'ann', pg_temp.id('owen'))), '00000',
	'F210 or removes who is kept out');
update auth.users set disabled_at = now() where id = pg_temp.id('ann');
select is(pg_temp.outcome(v.who, format(v.call, :'ann', pg_temp.id('max'))), '00000',
	'F210 while no owner can sign in the others go on: ' || v.call)
from (values ('ada', 'api.remove_member(%L, %L)'), ('ada', 'api.set_role(%L, %L, ''admin'')'),
	('mia', 'api.leave_tenant(%L)')) v (who, call);
update auth.users set disabled_at = null where id in (pg_temp.id('ann'), pg_temp.id('owen'));

-- the last owner
select is(pg_temp.state('ann', format('api.leave_tenant(%L)', :'ann')), '00000', 'F210 one of two owners leaves');
select is(pg_temp.state('owen', format('api.leave_tenant(%L)', :'ann')), 'TG409', 'F210 the last one does not');
select is((select p.tenant_id from app.profiles p where p.user_id = pg_temp.id('ann')), null,
	'F208 the pages of who has left do not choose the tenant any more');
select is(pg_temp.ask('ann', 'api.team_page()'), '{"nobody": true}', 'F208 they show no team');
select is(pg_temp.state('ann', format('api.team_page(%L)', :'ann')), 'TG404', 'F208 nor by its address');
select is(pg_temp.state('owen', format('api.hand_over(%L, %L)', :'ann', pg_temp.id('mia'))), '00000',
	'F210 the last owner hands over');
select is(array[app.role_in(:'ann', pg_temp.id('owen')), app.role_in(:'ann', pg_temp.id('mia'))], '{admin,owner}',
	'F210 and is an admin then');
update auth.users set disabled_at = now() where id = pg_temp.id('max');
select is(pg_temp.state('mia', format('api.hand_over(%L, %L)', :'ann', pg_temp.id('max'))), 'TG409',
	'F210 nobody hands over to who is kept out');
update auth.users set disabled_at = null where id = pg_temp.id('max');
select is(pg_temp.state('mia', format('api.hand_over(%L, %L)', :'ann', pg_temp.id('mia'))), 'TG403',
	'F210 nobody hands over to themselves');
update app.members m set role = 'admin' where m.tenant_id = :'ann' and m.user_id = pg_temp.id('mia');
select throws_ok(format('select app.require_owner(%L)', :'ann'), 'TG409', null,
	'F210 whatever would leave none is refused');
update app.members m set role = 'owner' where m.tenant_id = :'ann' and m.user_id = pg_temp.id('mia');
select is(pg_temp.state('mia', format('api.remove_member(%L, %L)', :'bob', pg_temp.id('bob'))), 'TG404',
	'C56 another tenant''s members are not there');

-- names of tenants
select is(pg_temp.outcome('mia', format('api.name_tenant(%L, %L)', :'ann', v.name)), v.state, 'C56 a tenant is called '
	|| v.what)
from (values ('A', '00000', 'by one letter'), (repeat('ü', 64), '00000', 'by 64'), (repeat('a', 65), 'TG422', 'by 65'),
	('  ', 'TG422', 'by blanks'), (null, 'TG422', 'nothing')) v (name, state, what);

-- invitations
delete from mail.outbox;
create function pg_temp.invite(p_who text, p_email text, p_role text) returns text language sql as $$
	select pg_temp.state(p_who, format('api.invite(%L, %L, %L, ''de'')',
		(select t.tenant_id from app.members t where t.user_id = pg_temp.id(p_who)), p_email, p_role)) $$;
create function pg_temp.link(p_email text) returns bytea language sql as $$
	select (tap.mailed(p_email) ->> 'hash')::bytea $$;
-- by somebody, or a visitor
create function pg_temp.accept(p_who text, p_link bytea) returns text language sql as $$
	select tap.ask('tollgate_account', format('api.accept_invitation(%L, %L, ''de'')', p_link, sha256('flow')),
		coalesce((select p.bearer from person p where p.who = p_who), '')) ->> 'state' $$;
create function pg_temp.looks(p_who text, p_link bytea) returns text language sql as $$
	select tap.ask('tollgate_account', format('api.invitation(%L)', p_link),
		coalesce((select p.bearer from person p where p.who = p_who), '')) ->> 'state' $$;

select is(pg_temp.invite('mia', 'Bob@Example.org', 'admin'), '00000', 'F209 a known address is invited');
select is(tap.mailed('Bob@Example.org') - 'hash' - 'token' - 'code', jsonb_build_object('state', 'pending',
	'template', 'invitation', 'recipient', 'Bob@Example.org', 'tenant', 'ann', 'inviter', U&'Mi\00e4 Maus',
	'role', 'mail_role_admin'), 'F209 its mail says who invites, and into what');
select is(count(*), 0::bigint, 'F209 no table holds the token') from mail.outbox o where o.data ? 'token';
select is(pg_temp.invite('mia', 'bob@example.org', 'admin'), '00000', 'F209 a second click');
select is(count(*), 1::bigint, 'F209 mails nothing') from mail.outbox o where o.template = 'invitation';
select pg_temp.link('Bob@Example.org') as bobs \gset
select is(pg_temp.looks('bob', :'bobs'), 'ready', 'F209 the invited user may accept');
select is(pg_temp.looks(null, :'bobs'), 'ready', 'F209 so may whoever reads the mail and is not signed in');
select is(tap.ask('tollgate_account', format('api.invitation(%L)', :'bobs'),
	coalesce((select p.bearer from person p where p.who = v.who), '')) - '{email,role,state,as,tenant,inviter}'::text[],
	v.said, 'F209 whether somebody is signed in, by a name that the head of the page does not read: ' || v.who)
from (values ('bob', '{"known": true}'::jsonb), ('nobody', '{"known": false}')) v (who, said);
select is(pg_temp.looks('max', :'bobs'), 'other', 'F209 who is signed in as another is told so');
select is(pg_temp.accept('max', :'bobs'), 'other', 'F209 and does not accept');
select is(app.role_in(:'ann', pg_temp.id('max')), 'member', 'F209 nor gets the role');
select is(pg_temp.looks('bob', sha256('x')), 'gone', 'F209 another token leads nowhere');
select is(tap.sign_in(:'bobs', tap.mailed('Bob@Example.org') ->> 'code', 'flow', 'stolen') -> 'ok', 'false',
	'F209 the link of an invitation signs nobody in');

-- the rule is checked again
update app.members m set role = 'member' where m.tenant_id = :'ann' and m.user_id = pg_temp.id('mia');
select is(pg_temp.accept('bob', :'bobs'), 'gone', 'F209 who has invited may not any more');
delete from app.members m where m.tenant_id = :'ann' and m.user_id = pg_temp.id('mia');
select is(pg_temp.accept('bob', :'bobs'), 'gone', 'F209 or is gone');
insert into app.members (tenant_id, user_id, role) values (:'ann', pg_temp.id('mia'), 'owner');
update app.invitations set role = 'owner';
update app.members m set role = 'admin' where m.tenant_id = :'ann' and m.user_id = pg_temp.id('mia');
select is(pg_temp.accept('bob', :'bobs'), 'gone', 'F209 or is below the role by now');
update app.members m set role = 'owner' where m.tenant_id = :'ann' and m.user_id = pg_temp.id('mia');
update auth.users set disabled_at = now() where id = pg_temp.id('mia');
select is(pg_temp.accept('bob', :'bobs'), 'gone', 'F209 or is kept out');
update auth.users set disabled_at = null where id = pg_temp.id('mia');
update app.invitations set role = 'admin', expires_at = now() - interval '1 s';
select is(pg_temp.accept('bob', :'bobs'), 'gone', 'F209 after seven days it is over');
update mail.outbox set key = key || ' earlier';
select is(pg_temp.state('max', format('api.invite_again(%L, %L, ''en'')', :'ann', i.id)), 'TG403',
	'F209 a member sends none again') from app.invitations i;
select is(pg_temp.state('bob', format('api.revoke_invitation(%L, %L)', :'bob', i.id)), 'TG404',
	'F209 another tenant''s is not there') from app.invitations i;
select pg_temp.ask('mia', format('api.invite_again(%L, %L, ''en'')', :'ann', i.id)) from app.invitations i \g /dev/null
select is(expires_at, now() + interval '168 hours', 'F209 sent again, it is open for seven days') from app.invitations;
select is(count(*), 1::bigint, 'F209 it is the same invitation') from app.invitations;
select (tap.mailed('Bob@Example.org') ->> 'hash')::bytea as again \gset
select is(pg_temp.accept('bob', :'bobs'), 'gone', 'F209 the earlier link is over');
update auth.sessions s set auth_at = now() - interval '1 hour' where s.user_id = pg_temp.id('bob');
select is(tap.ask('tollgate_account', format('api.accept_invitation(%L, %L, ''de'', %L)', :'again', sha256('flow'),
	sha256(sha256('of a member'))), (select p.bearer from person p where p.who = 'bob')) ->> 'state', 'accepted',
	'F209 the newer one is accepted');
select is(concat_ws(' ', s.auth_at = o.auth_at, s.amr = o.amr, s.replaces is not null), 't t t',
	'F36 a session with the new role takes the place of the one that accepts, and has proven no more')
	from auth.tokens t join auth.sessions s on s.id = t.session_id join auth.sessions o on o.id = s.replaces
	where t.hash = sha256(sha256('of a member'));
select is(app.role_in(:'ann', pg_temp.id('bob')), 'admin', 'F209 with its role');
select is((select p.tenant_id from app.profiles p where p.user_id = pg_temp.id('bob'))::text, :'ann',
	'F209 and shown from then on');
select is(pg_temp.accept('bob', :'again'), 'accepted', 'F209 a call whose answer was lost is told the same');
select is(pg_temp.accept(null, :'again'), 'gone', 'F209 nobody else accepts it twice');
select is(pg_temp.invite('ada', 'bob@example.org', 'member'), 'TG409', 'F209 a member is not invited');
delete from app.members m where m.tenant_id = :'ann' and m.user_id = pg_temp.id('bob');
select is(pg_temp.accept('bob', :'again'), 'gone', 'F209 who was removed later does not come back by it');

-- an unknown address
select is(pg_temp.invite('ada', 'new@example.org', 'member'), '00000', 'F209 an unknown address is invited');
select is(auth.find_user('new@example.org'), null, 'F209 and no user by that');
select pg_temp.link('new@example.org') as news \gset
select is(pg_temp.looks('max', :'news'), 'other', 'F209 who is signed in is somebody else');
select is(pg_temp.accept(null, :'news'), 'mailed', 'F209 the reader of the mail accepts');
select is(app.role_in(:'ann', auth.find_user('new@example.org')), 'member', 'F209 as a user with the role');
select is((select p.language from app.profiles p where p.user_id = auth.find_user('new@example.org')), 'de',
	'F209 whose language is that of the page');
select is(tap.mailed('new@example.org') ->> 'template', 'signin', 'F209 a link to sign in is on its way');
select is(tap.sign_in(null, tap.mailed('new@example.org') ->> 'code', 'flow', 'first') ->> 'next', '/workspace',
	'F209 which the browser that accepted needs the code of only');

-- an invitation to a higher role than one's own
select is(pg_temp.invite('mia', 'own@example.org', 'owner'), '00000', 'F209 an owner invites an owner');
select is(pg_temp.invite('ada', 'own@example.org', 'member'), 'TG403', 'F209 an admin makes no less of that');
select is(pg_temp.state('ada', format('api.revoke_invitation(%L, %L)', :'ann', i.id)), 'TG403',
	'F209 and does not revoke it') from app.invitations i where i.email = 'own@example.org';
select is(pg_temp.state('mia', format('api.revoke_invitation(%L, %L)', :'ann', i.id)), '00000',
	'F209 the owner does') from app.invitations i where i.email = 'own@example.org';

-- revoked
select is(pg_temp.invite('ada', 'rev@example.org', 'member'), '00000', 'F209 one more');
select pg_temp.link('rev@example.org') as revs \gset
select is(pg_temp.state('max', format('api.revoke_invitation(%L, %L)', :'ann', i.id)), 'TG403',
	'F209 a member revokes none') from app.invitations i where i.email = 'rev@example.org';
select is(pg_temp.state('ada', format('api.revoke_invitation(%L, %L)', :'ann', i.id)), '00000',
	'F209 an admin does') from app.invitations i where i.email = 'rev@example.org';
select is(pg_temp.accept(null, :'revs'), 'gone', 'F209 a revoked one is over');
select is(auth.find_user('rev@example.org'), null, 'F209 and makes no user');
select is(pg_temp.state('ada', format('api.invite_again(%L, %L, ''en'')', :'ann', i.id)), 'TG404',
	'F209 it is not sent again') from app.invitations i where i.email = 'rev@example.org';
select is(pg_temp.invite('ada', 'rev@example.org', 'member'), '00000', 'F209 but a new one may be');
select is(tap.mailed('rev@example.org') ->> 'state', 'pending', 'F209 with a mail of its own');
select is(array(select i ->> 'email' from jsonb_array_elements(pg_temp.ask('ada', 'api.team_page()') -> 'invitations')
	i order by 1), '{rev@example.org}', 'F209 the page shows those that are open');
select is(pg_temp.ask('max', 'api.team_page()') -> 'invitations', '[]', 'F209 and to a member none');

-- limits, as data
delete from auth.hits;
select is(array(select auth.allow('invite_address', 'x') from generate_series(1, 6)), '{t,t,t,t,t,f}',
	'F209 an address gets five mails of a tenant at once');
update auth.hits set spent_until = spent_until - interval '18000 s';
select is(auth.allow('invite_address', 'x'), true, 'F209 and one more after the time that Retry-After names');
update auth.limits set allowed = 1 where kind = 'invite_address';
delete from auth.hits;
select is(array[pg_temp.invite('ada', 'lim@example.org', 'member'), pg_temp.invite('ada', 'lim@example.org', 'admin')],
	'{00000,TG429}', 'F209 an address gets a few mails of a tenant');
update auth.limits set allowed = 1 where kind = 'invite_tenant';
update auth.limits set allowed = 9 where kind = 'invite_address';
delete from auth.hits;
select is(array[pg_temp.invite('ada', 'li1@example.org', 'member'), pg_temp.invite('ada', 'li2@example.org', 'member')],
	'{00000,TG429}', 'F209 and a tenant sends a few');
select is(count(*), 0::bigint, 'F209 what is refused leaves no invitation') from app.invitations i
where i.email = 'li2@example.org';

-- what is over is forgotten
update app.invitations set expires_at = now() - interval '31 days', created_at = now() - interval '38 days';
select is(app.drop_addresses() > 0, true, 'F209 invitations are forgotten a month after their end');
select is(array(select email from app.invitations), '{}', 'F209 all of them');

select * from finish();
rollback;
