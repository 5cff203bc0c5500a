-- A user's change of the own address, and its undoing.
begin;
select no_plan();

create temp table person (who text primary key, id uuid, bearer text);
grant select on person to public;
insert into person select v.who, tap.user(v.who || '@example.org'), tap.session(v.who || '@example.org', v.who)
from unnest('{ann,eve}'::text[]) v (who);
delete from mail.outbox;
create function pg_temp.state(p_call text, p_who text default '') returns text language sql as $$
	select tap.state_of('tollgate_signin', 'select ' || p_call,
		coalesce((select p.bearer from person p where p.who = p_who), '')) $$;
create function pg_temp.ask(p_call text, p_who text default '') returns jsonb language sql as $$
	select tap.ask('tollgate_signin', p_call, coalesce((select p.bearer from person p where p.who = p_who), '')) $$;
create function pg_temp.wants(p_who text, p_email text) returns text language sql as $$
	select pg_temp.state(format('api.ask_address(%L, %L, ''en'')', p_email, sha256('flow')), p_who) $$;
create function pg_temp.takes(p_link bytea, p_code text, p_flow text) returns jsonb language sql as $$
	select pg_temp.ask(format('api.take_address(%L, %L, %L)', p_link, p_code, sha256(p_flow::bytea))) $$;
create function pg_temp.undoes(p_link bytea, p_code text) returns jsonb language sql as $$
	select pg_temp.ask(format('api.undo_address(%L, %L)', p_link, p_code)) $$;
create function pg_temp.looks(p_link bytea, p_flow text, p_purpose text default 'address') returns text
	language sql as $$
	select pg_temp.ask(format('api.address_link(%L, %L, %L)', p_link, sha256(p_flow::bytea), p_purpose)) ->> 'state' $$;
create function pg_temp.live(p_who text) returns bigint language sql as $$
	select count(*) from auth.sessions s join person p on p.id = s.user_id
	where p.who = p_who and s.revoked_at is null $$;
create function pg_temp.address(p_who text) returns text language sql as $$
	select auth.address_of(p.id) from person p where p.who = p_who $$;

-- asking
select is(pg_temp.wants('nobody', 'new@example.org'), 'TG401', 'F55 without a session nothing is asked');
update auth.sessions set auth_at = now() - interval '11 min';
select is(pg_temp.wants('ann', 'new@example.org'), 'TG40C', 'F55 nor with an old proof');
update auth.sessions set auth_at = now();
select is(pg_temp.wants('ann', 'ANN@example.org'), 'TG422', 'F55 the own address is refused');
select is(pg_temp.wants('ann', 'eve@example.org'), '00000', 'F55 another user''s address gets the same answer');
select is(tap.mailed('eve@example.org') ->> 'state', 'void', 'F55 and no mail');
select is(pg_temp.wants('ann', 'Old@example.org'), '00000', 'F55 a new address');
select tap.mailed('Old@example.org') ->> 'hash' as first \gset
select is(pg_temp.wants('ann', 'New@example.org'), '00000', 'F55 and another one');
select tap.mailed('New@example.org') as mail \gset
select :'mail'::jsonb ->> 'hash' as new, :'mail'::jsonb ->> 'code' as code \gset
select is(pg_temp.address('ann'), 'ann@example.org', 'F55 nothing changes by asking');
select is(pg_temp.ask('api.address_page()', 'ann'), '{"email": "ann@example.org", "asked": "New@example.org"}',
	'F55 the page says what is waited for');
select is(pg_temp.looks(:'first', 'flow'), 'gone', 'F55 the earlier link is over');
select is(pg_temp.looks(:'new', 'flow'), 'ready', 'F55 the link, in the browser that asked');
select is(pg_temp.looks(:'new', 'other'), 'code_needed', 'F55 and in another');
select is(pg_temp.looks(:'new', 'flow', 'undo'), 'gone', 'F55 it undoes nothing');
select is(tap.sign_in(:'new', :'code', 'flow', 'x') -> 'ok', 'false', 'F55 and signs nobody in');
update auth.requests set attempts = 0;

-- proving
select is(pg_temp.takes(:'new', null, 'other'), '{"ok": false, "attempts_left": 5}', 'F55 a scanner proves nothing');
select is(pg_temp.takes(:'new', 'WRONG', 'other'), '{"ok": false, "attempts_left": 4}', 'F55 nor does a wrong code');
select tap.user('new@example.org') as thief \gset
select is(pg_temp.state(format('api.take_address(%L, %L, null)', :'new', :'code')), 'TG422',
	'F212 an address that is taken meanwhile is refused');
select is(pg_temp.address('ann'), 'ann@example.org', 'F212 and nothing has changed');
delete from auth.users where id = :'thief';
select is(pg_temp.takes(:'new', :'code', 'other') -> 'ok', 'true', 'F55 the code proves the mailbox');
select is(pg_temp.address('ann'), 'New@example.org', 'F55 the address is the new one');
select is(pg_temp.takes(:'new', :'code', 'flow') -> 'ok', 'false', 'F55 a link is used once');
select is(pg_temp.live('ann'), 1::bigint, 'F55 sessions go on');
select is((select string_agg(concat_ws(' ', e.kind, e.tenant_id, e.detail), ', ') from audit.entries e
	join person p on p.id = e.subject_id and p.who = 'ann' where e.kind !~ 'sign'), 'address_changed {}',
	'F55 it is in the log, without addresses');

-- undoing
select tap.mailed('ann@example.org') as mail \gset
select is(:'mail'::jsonb - 'hash' - 'token' - 'code', jsonb_build_object('state', 'pending', 'template',
	'address_changed', 'recipient', 'ann@example.org', 'was', 'ann@example.org', 'new', 'New@example.org'),
	'F55 the earlier address is told');
select :'mail'::jsonb ->> 'hash' as undo, :'mail'::jsonb ->> 'code' as code \gset
select is(extract(epoch from l.expires_at - now())::int, 7 * 86400, 'F55 with a link for seven days')
from auth.links l where l.hash = sha256(:'undo'::bytea);
select is(pg_temp.wants('ann', 'third@example.org'), '00000', 'F212 who has the account goes on');
select tap.mailed('third@example.org') ->> 'hash' as third \gset
select is(pg_temp.takes(:'third', null, 'flow') -> 'ok', 'true', 'F212 and changes it once more');
select tap.mailed('New@example.org') as mail \gset
select :'mail'::jsonb ->> 'hash' as undo2, :'mail'::jsonb ->> 'code' as code2 \gset
select is(pg_temp.wants('ann', 'fourth@example.org'), '00000', 'F212 and wants to again');
select tap.mailed('fourth@example.org') ->> 'hash' as fourth \gset
select is(pg_temp.looks(:'undo', 'flow', 'undo'), 'code_needed', 'F212 the first mailbox undoes it by its code');
select is(pg_temp.undoes(:'undo', null), '{"ok": false, "attempts_left": 5}', 'F212 a scanner undoes nothing');
select is(pg_temp.undoes(:'undo', :'code2'), '{"ok": false, "attempts_left": 4}', 'F212 nor does another mail''s code');
insert into auth.factors (user_id, seed, confirmed_at) select p.id, 'x', now() from person p;
update auth.factors f set confirmed_at = now() - interval '1 day'
from person p where p.id = f.user_id and p.who = 'eve';
insert into auth.pending (hash, user_id, amr)
select sha256(convert_to(p.who, 'UTF8')), p.id, '{password}' from person p;
insert into auth.passwords (user_id, salt, cost, stored_key)
select p.id, sha256('salt'), '{1,1,1}', sha256('key') from person p;
select is(pg_temp.undoes(:'undo', :'code') -> 'ok', 'true', 'F212 the code does');
select is(array(select p.who from auth.passwords a join person p on p.id = a.user_id), '{eve}',
	'F212 a password that the thief may know ends');
select is(array(select p.who from auth.factors f join person p on p.id = f.user_id), '{eve}',
	'F212 so does a second factor that was added since');
select is(array(select p.who from auth.pending q join person p on p.id = q.user_id), '{eve}',
	'F212 and a sign-in with one proof of two');
select is(pg_temp.address('ann'), 'ann@example.org', 'F212 the address is the first one');
select is(pg_temp.live('ann'), 0::bigint, 'F212 all sessions end');
select is(pg_temp.live('eve'), 1::bigint, 'F212 and nobody else''s');
select is(pg_temp.undoes(:'undo2', :'code2') -> 'ok', 'false',
	'F212 the later change is not undone to its earlier one');
select is(pg_temp.takes(:'fourth', null, 'flow') -> 'ok', 'false', 'F212 and what was asked for is over');
select is(pg_temp.undoes(:'undo', :'code') -> 'ok', 'false', 'F212 an undo is used once');

-- what was asked for ends with the sessions
select is(pg_temp.wants('eve', 'thief@example.org'), '00000', 'F55 who has a session asks');
select tap.mailed('thief@example.org') ->> 'hash' as stolen \gset
select is(pg_temp.looks(:'stolen', 'flow'), 'ready', 'F55 and may prove it');
select auth.revoke_sessions(p.id, 'password', s.id) from person p join auth.sessions s on s.user_id = p.id
where p.who = 'eve' \g /dev/null
select is(pg_temp.takes(:'stolen', null, 'flow') -> 'ok', 'false', 'F55 until the password is changed');

-- an earlier address that is another user's by now
select is(pg_temp.wants('eve', 'eve2@example.org'), '00000', 'F212 a thief changes the address');
select is(pg_temp.takes((tap.mailed('eve2@example.org') ->> 'hash')::bytea, null, 'flow') -> 'ok', 'true',
	'F212 and has it');
select tap.user('eve@example.org') \g /dev/null
select tap.mailed('eve@example.org') as mail \gset
select is(pg_temp.undoes((:'mail'::jsonb ->> 'hash')::bytea, :'mail'::jsonb ->> 'code'),
	'{"ok": true, "taken": true}', 'F212 the undo says that the address is taken');
select is(pg_temp.live('eve') || ' ' || pg_temp.address('eve'), '0 eve2@example.org',
	'F212 and ends the sessions all the same');
delete from auth.users u where u.email = 'eve@example.org';
delete from auth.factors;
update person set bearer = tap.session('eve2@example.org', 'again') where who = 'eve';

-- limits, as data
delete from auth.hits;
select is(array(select auth.allow('address_change', 'x') from generate_series(1, 6)), '{t,t,t,t,t,f}',
	'F55 a user asks five times at once');
update auth.hits set spent_until = spent_until - interval '18000 s';
select is(auth.allow('address_change', 'x'), true, 'F55 and once more after the time that Retry-After names');
update auth.limits set allowed = 2 where kind = 'address_change';
delete from auth.hits;
select is(array[pg_temp.wants('eve', 'a@example.org'), pg_temp.wants('eve', 'b@example.org'),
	pg_temp.wants('eve', 'c@example.org')], '{00000,00000,TG429}', 'F55 a user changes it a few times a day');

select * from finish();
rollback;
