-- Drafts and the welcome page: one row for each sign-up; reading grants nothing.
begin;
select no_plan();
create function pg_temp.opened(p_key text, p_attempt int, p_session text) returns text language sql as $$
	select tap.state_of('tollgate_signup',
		format('select api.checkout_opened(%L, %s, %L)', p_key::bytea, p_attempt, p_session))
$$;
create function pg_temp.welcome(p_session text) returns jsonb language sql as $$
	select tap.ask('tollgate_signup', format('api.welcome(%L)', p_session))
$$;

select tap.open_draft('k', ' Dora@Example.org ', '192.0.2.1', 'growth') as first \gset
select is(:'first'::jsonb - 'tenant',
	'{"key": "6b", "email": "Dora@Example.org", "plan": "growth", "price": "price_growth", "language": "en",
	"attempt": 1, "state": "open", "metered": [], "session": null, "expire": null, "url": null}', 'C5 a draft is made');
select is(status, 'draft', 'C5 its tenant is a draft') from app.tenants where id::text = :'first'::jsonb ->> 'tenant';
select is(email_canonical, 'dora@example.org', 'C5 with the address in canonical form') from billing.checkouts;
select is(count(*), 0::bigint, 'C5 and makes no user') from auth.users;
select is(tap.open_draft('k', 'Dora@Example.org', '192.0.2.1', 'growth'),
	:'first', 'C16 the same wish again answers the same');
select is(count(*), 1::bigint, 'C16 there is one tenant') from app.tenants;

select is(tap.state_of('tollgate_signup', $$select api.open_draft('\x02', 'a@b.c', 'gold', 'en', null, null)$$),
	'TG422', 'C6 unknown plan');
select ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1}]') \g /dev/null
select is(tap.state_of('tollgate_signup', $$select api.open_draft('\x02', 'a@b.c', 'growth', 'en', null, null)$$),
	'TG422',
	'C6 a plan no longer offered');
select ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1},
	{"id": "growth", "price": "price_growth", "rank": 2}]') \g /dev/null
select is(count(*), 1::bigint, 'C4 refusals leave no row') from app.tenants;

-- the session
select is(pg_temp.opened('k', 1, 'cs_1'), '00000', 'F98 the session is recorded');
select is(pg_temp.opened('k', 1, 'cs_1'), '00000', 'F98 and may be again');
select is(pg_temp.opened('k', 1, 'cs_2'), 'TG409', 'F99 another for the same attempt is refused');
select is(pg_temp.opened('k', 2, 'cs_2'), 'TG404', 'F99 an attempt that was not made is unknown');
select is(pg_temp.opened('nothing', 1, 'cs_2'), 'TG404', 'F99 and so is a key');
select is(tap.open_draft('k', 'Dora@Example.org') ->> 'session', 'cs_1', 'C16 the next click is told the session');

-- the welcome page
select is(pg_temp.welcome('cs_1'), '{"state": "processing", "plan": "plan_growth", "refresh": 2}',
	'F82 back before the webhook: processing');
update billing.checkouts set returned_at = now() - interval '61 s';
select is(pg_temp.welcome('cs_1') -> 'refresh', '10', 'F82 after a minute it asks less often');
update billing.checkouts set returned_at = now() - interval '11 min';
select is(pg_temp.welcome('cs_1') -> 'refresh', 'null', 'F82 after ten it stops');
select is(pg_temp.welcome(s), '{"state": "unknown", "plan": null, "refresh": null}',
	format('C13 garbage is unknown: %L', left(s, 30)))
	from (values (''), ('cs_2'), ('{CHECKOUT_SESSION_ID}'), (repeat('x', 5000)), ('cs_1 '), (''';--')) v (s);
select is(pg_temp.welcome(null) ->> 'state', 'unknown', 'C13 so is nothing');
select is(status, 'draft', 'C13 looking grants nothing') from app.tenants;

update billing.checkouts set status = 'unpaid';
select is(pg_temp.welcome('cs_1') ->> 'state', 'unpaid', 'C13 unpaid');
select is(tap.open_draft('k', 'Dora@Example.org') ->> 'state', 'complete', 'C16 paying under way is no open checkout');
update billing.checkouts set status = 'complete';
select is(pg_temp.welcome('cs_1') ->> 'state', 'processing', 'C13 paid is not ready before the tenant is active');
update app.tenants set status = 'active';
select is(pg_temp.welcome('cs_1'), '{"state": "ready", "plan": "plan_growth", "refresh": null}',
	'C13 then it is ready');
update billing.checkouts set status = 'open';
select is(tap.open_draft('k', 'Dora@Example.org') ->> 'state', 'complete',
	'C16 paid as the subscription told it is no open checkout either');
update app.tenants set status = 'draft';

-- the next attempt
select is(tap.sync('checkout',
	tap.checkout('1', :'first'::jsonb ->> 'tenant', '{"status": "expired", "payment_status": "unpaid"}')),
	'{"clean": true}', 'C36 Stripe says expired');
select is(pg_temp.welcome('cs_1') ->> 'state', 'expired', 'C13 expired');
select is(tap.open_draft('k', 'Dora@Example.org'), :'first'::jsonb || '{"attempt": 2}',
	'C16 the next click begins the second attempt');
select is(tap.open_draft('k', 'Dora@Example.org'), :'first'::jsonb || '{"attempt": 2}',
	'C16 which is one however often');
select tap.sync('checkout',
	tap.checkout('1', :'first'::jsonb ->> 'tenant', '{"status": "expired", "payment_status": "unpaid"}')) \g /dev/null
select is(tap.open_draft('k', 'Dora@Example.org') - 'tenant', :'first'::jsonb - 'tenant' || '{"attempt": 2}',
	'C35 the first one''s end told again does not touch it');
select is(pg_temp.opened('k', 1, 'cs_1'), 'TG404', 'F99 a late record of the first attempt is refused');
select is(pg_temp.opened('k', 2, 'cs_3'), '00000', 'F98 the second has its own session');

-- past its day, and no event has reported its end
update billing.checkouts set opened_at = now() - interval '22 hours';
select is(tap.open_draft('k', 'Dora@Example.org') ->> 'session', 'cs_3', 'F99 within its day it is the same');
update billing.checkouts set opened_at = now() - interval '24 hours';
select is(tap.open_draft('k', 'Dora@Example.org'), :'first'::jsonb || '{"attempt": 3, "expire": "cs_3"}',
	'F99 past it, the next one closes it first');
select is(tap.open_draft('k', 'Dora@Example.org'), :'first'::jsonb || '{"attempt": 3, "expire": "cs_3"}',
	'F99 however often');
select is(pg_temp.welcome('cs_3'), '{"state": "processing", "plan": "plan_growth", "refresh": 2}',
	'F99 who comes back from it is known');
select tap.write(tap.claim('checkout', 'cs_3'),
	tap.checkout('3', :'first'::jsonb ->> 'tenant', '{"status": "open", "payment_status": "unpaid"}')) \g /dev/null
select is(tap.open_draft('k', 'Dora@Example.org') ->> 'expire', 'cs_3',
	'F99 jobs looks too, and an open one changes nothing');
select is(pg_temp.opened('k', 3, 'cs_4'), '00000', 'F99 the next is recorded');
select is(tap.open_draft('k', 'Dora@Example.org') -> 'expire', 'null', 'F99 and then there is nothing to close');
update billing.checkouts set opened_at = now() - interval '24 hours';
select tap.open_draft('k', 'Dora@Example.org') \g /dev/null
select tap.write(tap.claim('checkout', 'cs_4'),
	tap.checkout('4', :'first'::jsonb ->> 'tenant', '{"payment_status": "unpaid"}')) \g /dev/null
select is(tap.open_draft('k', 'Dora@Example.org') - 'tenant', :'first'::jsonb - 'tenant'
	|| '{"attempt": 4, "state": "complete", "session": "cs_4"}',
	'F99 one whose payment is under way is taken back');
update billing.checkouts set status = 'open';

-- limits
delete from auth.hits;
select tap.open_draft('many ' || n, 'flood@example.org', format('198.51.100.%s', n)::inet)
	from generate_series(1, 10) n \g /dev/null
select is(tap.ask('tollgate_signup',
	$$api.open_draft('\x0b', 'Flood@example.org', 'starter', 'en', null, '198.51.100.99')$$) ->> 'state',
	'waits', 'D24 an eleventh draft for an address within the hour waits');
select is(tap.open_draft('many 1', 'flood@example.org') ->> 'attempt', '1',
	'D24 known drafts are answered all the same');
select tap.open_draft('ip ' || n, n || '@example.org', '203.0.113.5') from generate_series(1, 30) n \g /dev/null
select is(tap.state_of('tollgate_signup',
	$$select api.open_draft('\x0c', 'new@example.org', 'starter', 'en', null, '203.0.113.5')$$),
	'TG429', 'D24 a thirty-first from one place');
select is(count(*), 42::bigint, 'D24 refused ones leave no tenant') from app.tenants;
update auth.limits set allowed = 1 where kind = 'draft_global';
delete from auth.hits;
select tap.open_draft('global 1', 'g1@example.org', '203.0.113.6') \g /dev/null
select is(tap.open_draft('global 2', 'g2@example.org', '203.0.113.7') ->> 'state', 'waits', 'D24 a ceiling over all');
set constraints all immediate;

-- what is paid is not begun again, and a session that was never recorded is found
set constraints all deferred;
delete from auth.hits;
update auth.limits set allowed = 2000 where kind = 'draft_global';
select tap.open_draft('done', 'done@example.org') ->> 'tenant' as done \gset
select pg_temp.opened('done', 1, 'cs_done'), tap.sync('checkout', tap.checkout('done', :'done')) \g /dev/null
select tap.ask('tollgate_signup', $$api.checkout_expired('done', 1)$$) \g /dev/null
select is((select status || attempt || session_id from billing.checkouts where key = 'done'), 'complete1cs_done',
	'C16 a checkout that is paid cannot expire');
select tap.open_draft('found', 'found@example.org') ->> 'tenant' as found \gset
select tap.sync('checkout', tap.checkout('found', :'found', '{"status": "open", "payment_status": "unpaid"}'))
	\g /dev/null
select is(tap.open_draft('found', 'found@example.org') ->> 'session', 'cs_found',
	'F103 an open session that was never recorded is the next click''s');
select tap.sync('checkout', tap.checkout('found', :'found', '{"payment_status": "unpaid"}')) \g /dev/null
select ok(exists (select from sync.objects where kind = 'subscription' and id = 'sub_found'),
	'C13 the subscription of an unpaid checkout is fetched');
select tap.sync('checkout', tap.checkout('found', :'found', '{"payment_status": "unpaid", "subscription": null}'))
	\g /dev/null
select is((select subscription_id from billing.checkouts where key = 'found'), 'sub_found',
	'C13 and stays known when a document does not name it');

select * from finish();
rollback;
