-- Calls to Stripe that browsers wait for: permits, allowances and the pace of all programs; the page of a checkout
-- session that is open; and drafts that wait for a mailed link.
begin;
select no_plan();

create function pg_temp.take(p_holder text, p_calls int default 2, p_ip inet default '192.0.2.1',
	p_flow text default '', p_bearer text default '', p_host text default 'host',
	p_pid int default 7, p_gone int[] default '{}', p_tenant uuid default null) returns text language plpgsql as $$
begin
	return tap.ask('tollgate_signup', format('api.take_call(%L, %s, 1000, %L, %L, %L, %s, %L, %L)', p_host,
		p_calls, p_holder::bytea, p_flow::bytea, p_ip, p_pid, p_gone, p_tenant), p_bearer) ->> 'permitted';
exception when others then
	perform set_config('role', 'none', true);
	return sqlstate;
end
$$;
create function pg_temp.leave(p_holder text) returns void language plpgsql as $$
begin
	perform tap.ask('tollgate_signup', format('api.end_call(%L)', p_holder::bytea));
end
$$;
create function pg_temp.a_second_later() returns void language sql as $$
	update billing.calls set until = until - interval '1001 ms'
$$;

-- permits
select is(pg_temp.take('a'), 'true', 'S02 a call is permitted');
select is(pg_temp.take('b'), 'true', 'S02 and a second');
select is(pg_temp.take('c'), 'false', 'S02 the third is refused while two are in flight');
select is(pg_temp.take('a'), 'true', 'S02 a request that has a permit makes its next call under it');
select is(count(*), 2::bigint, 'S02 which takes no other') from billing.calls where holder is not null;
select is(pg_temp.take('c', p_host => 'other'), 'true', 'S02 another host has permits of its own');
select pg_temp.leave('c'), pg_temp.leave('a') \g /dev/null
select is(pg_temp.take('c'), 'true', 'S02 a permit that ended is free');
select pg_temp.leave('a') \g /dev/null
select is(pg_temp.take('d'), 'false', 'S02 who has ended his permit ends no other');
select is(pg_temp.take('d', 3), 'true', 'S02 a program that may have more gets one more');
select is(pg_temp.take('e', 2), 'false', 'S02 one that may have fewer does not');
select pg_temp.a_second_later() \g /dev/null
select is(pg_temp.take('e', 1), 'true', 'S02 the permit of a killed program ends by itself');
select is(pg_temp.take('f', 1), 'false', 'S02 and is then another''s');

update billing.calls set until = '-infinity';
select is(pg_temp.take('g', 1, p_pid => 11), 'true', 'S02 the call of a process');
select is(pg_temp.take('h', 1, p_pid => 12, p_gone => '{13}'), 'false', 'S02 when another process has ended');
select is(pg_temp.take('h', 1, p_pid => 12, p_gone => '{13, 11}'), 'true', 'S02 and when it has ended itself');
select is(tap.ask('tollgate_signup', $$api.take_call('host', 1, 1000, 'i', null, null, 13, '{}')$$),
	'{"permitted": false, "pids": [12]}', 'S02 who is refused is told which processes call');

-- allowances
select tap.paid('ann') as ann \gset
select tap.paid('bob') as bob \gset
insert into app.members (tenant_id, user_id, role) select :'ann', tap.user('mia@example.org'), 'admin';
select tap.session('ann@example.org', 'a') as a, tap.session('ann@example.org', 'a2') as a2,
	tap.session('mia@example.org', 'm') as m, tap.session('bob@example.org', 'b') as b \gset
create function pg_temp.spend(p_kind text, p_allowed int) returns void language plpgsql as $$
begin
	delete from auth.hits;
	update auth.limits l set allowed = case l.kind when p_kind then p_allowed else 1000 end;
end
$$;
select pg_temp.spend('call_browser', 2) \g /dev/null
select is(pg_temp.take('x', 9, p_flow => 'mine'), v.state, 'S02 ' || v.name)
from (values (1, 'true', 'a browser''s first call'), (2, 'true', 'its second, under the same permit'),
	(3, 'TG429', 'its third is over its allowance')) v (n, state, name);
select is(pg_temp.take('y', 9, p_flow => 'other'), 'true', 'S02 another browser is free');
select is(pg_temp.take('y', 9, p_bearer => :'a'), v.state, 'S02 a session: ' || v.state)
from (values (1, 'true'), (2, 'true'), (3, 'TG429')) v (n, state);
select is(pg_temp.take('y', 9, p_bearer => :'a2'), 'true', 'S02 another session of the user is another browser');
select pg_temp.spend('call_near', 1) \g /dev/null
select is(pg_temp.take('y', 9, v.ip, v.ip::text), v.state, format('S02 network of %s: %s', v.ip, v.state))
from (values ('192.0.2.8'::inet, 'true'), ('192.0.2.8/31', 'TG429'), ('2001:db8::1', 'true'), ('2001:db8::2', 'TG429'),
	('2001:db8:1::1', 'true')) v (ip, state);
select pg_temp.spend('call_tenant', 2) \g /dev/null
select is(pg_temp.take('y', 9, p_bearer => v.bearer, p_tenant => v.tenant), v.state, 'S02 ' || v.name)
from (values (:'a', :'ann'::uuid, 'true', 'a tenant''s owner calls'),
	(:'b', :'ann', 'true', 'who does not manage it'), (:'b', :'ann', 'true', 'takes nothing of its allowance'),
	(:'m', :'ann', 'true', 'and its admin calls'), (:'a2', :'ann', 'TG429', 'and then it is over its allowance'),
	(:'b', :'bob', 'true', 'another tenant is not'))
	v (bearer, tenant, state, name);
update billing.calls set until = '-infinity', holder = null;
select pg_temp.spend('call_browser', 1), pg_temp.take('one', 1) \g /dev/null
select is(pg_temp.take('two', 1, p_flow => 'mine'), 'false', 'S02 what is refused for want of a permit');
select pg_temp.leave('one') \g /dev/null
select is(pg_temp.take('two', 1, p_flow => 'mine'), 'true', 'S02 costs no allowance');
select pg_temp.leave('two') \g /dev/null
select is(pg_temp.take('three', 1, p_flow => 'mine'), 'TG429', 'S02 what an allowance refuses');
select is(pg_temp.take('four', 1, p_flow => 'new'), 'true', 'S02 takes no permit');

-- the pace
create function pg_temp.turn(p_rate int) returns int language sql as $$
	select tap.ask('tollgate_jobs', format('api.take_turn(%s)', p_rate))::int
$$;
select is(array(select pg_temp.turn(3) from generate_series(1, 3)), array[0, 0, 0], 'S02 a second''s worth at once');
select cmp_ok(pg_temp.turn(3), '>', 0, 'S02 the next waits');
select cmp_ok(pg_temp.turn(3), '<=', 334, 'S02 for its turn');
select is(tap.ask('tollgate_signup', 'api.take_turn(3)')::int > 0, true, 'S02 another program too: the rate is one');
update billing.pace set full_at = full_at - interval '334 ms';
select is(pg_temp.turn(3), 0, 'S02 then it has its turn');
update billing.pace set full_at = '-infinity';
select tap.ask('tollgate_billing', 'api.pause_calls(5000)') \g /dev/null
select cmp_ok(pg_temp.turn(3), '>', 4000, 'F100 a pause that one program was asked for holds for all');
select tap.ask('tollgate_jobs', 'api.pause_calls(10)') \g /dev/null
select cmp_ok(pg_temp.turn(3), '>', 4000, 'F100 a shorter one does not end it');
update billing.pace set paused_until = '-infinity', full_at = full_at - interval '5 s';
select is(pg_temp.turn(1) > 0, true, 'F100 after it there is no burst');
select tap.ask('tollgate_jobs', 'api.pause_calls(2000000000)') \g /dev/null
select cmp_ok(pg_temp.turn(3), '<=', 61000, 'F100 no program pauses all for more than a minute');
update billing.pace set full_at = now() + interval '1 hour', paused_until = now() + interval '1 hour';
select is(pg_temp.turn(3), 0, 'F119 times that a wrong clock wrote are none');

-- the page of a checkout session that is open
select pg_temp.spend('none', 1) \g /dev/null
create function pg_temp.opened(p_key text, p_attempt int, p_session text, p_url text) returns text language sql as $$
	select tap.state_of('tollgate_signup',
		format('select api.checkout_opened(%L, %s, %L, %L)', p_key::bytea, p_attempt, p_session, p_url))
$$;
create function pg_temp.url(p_key text) returns text language sql as $$
	select tap.open_draft(p_key, 'url@example.org') ->> 'url'
$$;
create temp table page as select 'https://checkout.stripe.com/c/pay/cs_1#fid%2F' as url;
select is(pg_temp.url('u'), null, 'S02 a draft without a session has no page');
select is(pg_temp.opened('u', 1, 'cs_u1', url), '00000', 'S02 the page is recorded with the session') from page;
select is(pg_temp.url('u'), url, 'S02 and given again, to the letter') from page;
select is(pg_temp.opened('u', 1, 'cs_u1', url || '2'), '00000', 'S02 another page for the session') from page;
select is(pg_temp.url('u'), url, 'S02 does not replace it') from page;
update billing.checkouts set opened_at = now() - interval '22 hours' where session_id = 'cs_u1';
select is(pg_temp.url('u'), url, 'S02 within its day it is given') from page;
update billing.checkouts set opened_at = now() - interval '24 hours' where session_id = 'cs_u1';
select is(pg_temp.url('u'), null, 'S02 past its day it is not');
select is(pg_temp.opened('u', 2, 'cs_u2', null), '00000', 'S02 a session without a page');
select is(pg_temp.url('u'), null, 'S02 the page of the attempt before is not given');
select is(pg_temp.opened('u', 2, 'cs_u2', url), '00000', 'S02 its page may come later') from page;
select is(pg_temp.url('u'), url, 'S02 and is given then') from page;
select tap.ask('tollgate_signup', $$api.checkout_expired('u', 2)$$) \g /dev/null
select is(pg_temp.url('u'), null, 'S02 what has expired has no page');
select is(pg_temp.opened('u', 3, 'cs_u3', url), '00000', 'S02 the third attempt') from page;
update billing.checkouts set status = 'complete' where session_id = 'cs_u3';
select is(pg_temp.url('u'), null, 'S02 what is paid has no page');

update meta.stamp set environment = 'production';
select tap.open_draft('h ' || u, 'url@example.org'), pg_temp.opened('h ' || u, 1, 'cs_' || md5(u), u)
from (values ('http://checkout.stripe.com/'), ('https://stripe.com.evil.example/'),
	('https://evil.example/stripe.com/'), ('javascript:alert(1)'), ('https://checkout.stripe.com/"x'),
	('http://localhost:9/'), ('http://evil.example/')) v (u) \g /dev/null
select is_empty($$select url from billing.checkouts where session_id like 'cs\_%' and key <> 'u' and url is not null$$,
	'S13 an address on another host is not kept, nor one on this machine in production');
select throws_ok($$update billing.checkouts set url = 'https://evil.example/' where key = 'u'$$, '23514', null,
	'S13 nor can it be');
update meta.stamp set environment = 'development';
select pg_temp.opened('h http://localhost:9/', 1, 'cs_' || md5('http://localhost:9/'), 'http://localhost:9/x')
	\g /dev/null
select is(pg_temp.url('h http://localhost:9/'), 'http://localhost:9/x', 'S13 a test''s Stripe is on this machine');

-- drafts over an allowance
delete from mail.outbox;
select pg_temp.spend('draft_address', 1) \g /dev/null
select is(tap.open_draft('w1', 'wanda@example.org') ->> 'state', 'open', 'S03 a draft of the address');
select is(tap.open_draft('w2', ' Wanda@example.org', '192.0.2.2') ->> 'state', 'waits', 'S03 the next one waits');
select is(tap.open_draft('w2', 'wanda@example.org', '192.0.2.2') ->> 'state', 'waits', 'S03 also when sent again');
select is(count(*), 1::bigint, 'S03 and is mailed once') from mail.outbox where template = 'checkout';
select is(tap.mailed('Wanda@example.org') ->> 'recipient', 'Wanda@example.org', 'S03 to the address as typed');
select tap.mailed('Wanda@example.org') ->> 'hash' as link \gset
create function pg_temp.looked(p_link text) returns jsonb language sql as $$
	select tap.ask('tollgate_signup', format('api.waiting_draft(%L)', p_link))
$$;
create function pg_temp.went_on(p_link text) returns jsonb language sql as $$
	select tap.ask('tollgate_signup', format('api.continue_draft(%L)', p_link))
$$;
select is(pg_temp.looked(:'link'), '{"state": "waits", "plan": "plan_starter"}', 'S03 the link tells the plan');
select is(pg_temp.looked(:'link') ->> 'state', 'waits', 'F52 looking changes nothing');
select is(pg_temp.looked('\x00'), null, 'S03 an unknown link tells nothing');
select is(tap.state_of('tollgate_signup', $$select api.continue_draft('\x00')$$), 'TG404', 'S03 and leads nowhere');
select tap.user('wanda@example.org') \g /dev/null
select is(tap.sign_in(:'link', null, 'flow of w2', 'x') ->> 'ok', 'false', 'S03 the link signs nobody in');
select tap.ask('tollgate_mailer', 'service.claim_mail(60)') \g /dev/null
select is_empty($$select l.user_id from auth.links l join auth.requests r on r.id = l.request_id
	where r.purpose = 'checkout' and l.user_id is not null$$, 'S03 and names no user');
select is(pg_temp.went_on(:'link') - 'tenant', '{"key": "7732", "email": "Wanda@example.org", "plan": "starter",
	"price": "price_starter", "metered": [], "language": "en", "attempt": 1, "state": "open", "session": null,
	"expire": null, "url": null}', 'S03 pressing the button lets the draft go on');
select is(pg_temp.opened('w2', 1, 'cs_w2', url), '00000', 'S03 to a session') from page;
select is(pg_temp.went_on(:'link') ->> 'url', url, 'S03 which is the same when pressed again') from page;
select is(tap.open_draft('w2', 'wanda@example.org') ->> 'url', url, 'S03 and in the browser that began') from page;
update auth.links set expires_at = now();
select is(pg_temp.looked(:'link'), null, 'S03 a link of yesterday tells nothing');
select is(tap.state_of('tollgate_signup', format('select api.continue_draft(%L)', :'link')), 'TG404',
	'S03 and leads nowhere');

delete from mail.outbox;
select pg_temp.spend('draft_mail', 2) \g /dev/null
update auth.limits set allowed = 1 where kind = 'draft_address';
select tap.open_draft('m' || n, 'max@example.org', '198.51.100.1')
	from generate_series(1, 6) n, generate_series(1, 2) \g /dev/null
select is(count(*), 2::bigint, 'S03 an address gets only so many mails for a network')
	from mail.outbox where template = 'checkout';
select tap.open_draft('m7', 'max@example.org', '198.51.100.2') \g /dev/null
select is(count(*), 3::bigint, 'S03 another network has mails of its own') from mail.outbox where template = 'checkout';
update auth.limits set allowed = 2 where kind = 'draft_mailbox';
select tap.open_draft('m8', 'max@example.org', '198.51.100.3') \g /dev/null
select is(count(*), 4::bigint, 'S03 and a mailbox so many in all') from mail.outbox where template = 'checkout';
select tap.open_draft('m9', 'max@example.org', '198.51.100.4') \g /dev/null
select is(count(*), 4::bigint, 'S03 beyond them none is queued') from mail.outbox where template = 'checkout';
update mail.outbox set key = 'earlier ' || key;
delete from auth.hits;
select tap.open_draft('m9', 'max@example.org', '198.51.100.4') \g /dev/null
select is(count(*), 5::bigint, 'S03 a later hour''s press has it mailed') from mail.outbox where template = 'checkout';
update mail.outbox set created_at = created_at - interval '1 s';
select tap.mailed('max@example.org') ->> 'hash' as mailed \gset
select is(tap.ask('tollgate_signup', format('api.continue_draft(%L, %L)', :'mailed', sha256('flow of m8'))) ->> 'key',
	encode('m8', 'hex'), 'S03 a link mailed for any draft of the address continues that of its browser');
select tap.open_draft(k, 'ola@example.org', '198.51.100.9') from unnest('{o1,o2}'::text[]) k \g /dev/null
select isnt(tap.ask('tollgate_signup', format('api.continue_draft(%L, %L)', :'mailed', sha256('flow of o2'))) ->> 'key',
	encode('o2', 'hex'), 'S03 but no draft of another address');
select pg_temp.spend('link_global', 1) \g /dev/null
update auth.limits set allowed = 1 where kind = 'draft_address';
select tap.open_draft('r' || n, format('r%s@example.org', (n + 1) / 2), format('203.0.113.%s', n)::inet)
	from generate_series(1, 4) n \g /dev/null
select is(array_agg(o.rank order by o.recipient), '{0,1}', 'S03 above the ceiling for strangers they are mailed last')
	from mail.outbox o where o.recipient like 'r_@%' and o.template = 'checkout';
update auth.limits set allowed = 1000;
select is(tap.open_draft('m6', 'max@example.org') ->> 'state', 'waits', 'S03 and the answer is the same');
select is(tap.open_draft('z', 'zoe@example.org') ->> 'state', 'open', 'S03 other addresses are free');

select pg_temp.spend('draft_global', 1) \g /dev/null
select is(tap.open_draft('g' || n, format('g%s@example.org', n), format('2001:db8:%s::1', n)::inet) ->> 'state', s,
	format('S04 draft %s of all: %s', n, s)) from (values (1, 'open'), (2, 'waits'), (3, 'waits')) v (n, s);
select is(tap.open_draft('g1', 'g1@example.org') ->> 'state', 'open', 'S04 an earlier one goes on');
select pg_temp.spend('draft_near', 1) \g /dev/null
select tap.open_draft('n1', 'n1@example.org', '203.0.113.5') \g /dev/null
select count(*) as before from billing.checkouts \gset
select is(tap.state_of('tollgate_signup',
	$$select api.open_draft('n2', 'n2@example.org', 'starter', 'en', null, '203.0.113.5')$$), 'TG429',
	'S03 what the network''s allowance refuses');
select is(count(*), :'before'::bigint, 'S03 ends without a row') from billing.checkouts;
select is(tap.open_draft('n1', 'n1@example.org', '203.0.113.5') ->> 'state', 'open',
	'S03 a known draft costs nothing');

select * from finish();
rollback;
