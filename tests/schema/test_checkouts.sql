-- A signed-in tenant without a subscription buys exactly one.
begin;
select no_plan();

select tap.paid('ann') as ann \gset
select tap.session('ann@example.org', 'a') as a, tap.user('mia@example.org') as mia,
	tap.user('sam@example.org') as sam \gset
insert into app.members (tenant_id, user_id, role) values (:'ann', :'mia', 'member');
select tap.session('mia@example.org', 'm') as m, tap.session('sam@example.org', 's') as s \gset
create function pg_temp.open(p_bearer text, p_key text, p_plan text default 'starter') returns jsonb
	language plpgsql as $$
begin
	return tap.ask('tollgate_billing', format('api.open_checkout(%L, %L, %L)', p_key::bytea, p_plan, 'en'), p_bearer);
end
$$;
create function pg_temp.opened(p_answer jsonb, p_session text) returns void language sql as $$
	select tap.ask('tollgate_billing',
		format('api.checkout_opened(%L, %s, %L)', '\x' || (p_answer ->> 'key'), p_answer ->> 'attempt', p_session))
$$;

select is(pg_temp.open(:'a', 'k'), jsonb_build_object('state', 'portal', 'tenant', :'ann'),
	'C12 who has a subscription is shown the portal');
select is(pg_temp.open(:'a', 'k') ->> 'state', v.state, 'C12 ' || v.status || ': ' || v.state)
from (values ('trialing', 'portal'), ('past_due', 'portal'), ('unpaid', 'portal'), ('paused', 'portal'),
	('incomplete', 'portal'), ('some_new_word', 'portal')) v (status, state)
	cross join lateral (select tap.sync(
		'subscription', tap.subscription('ann', null, jsonb_build_object('status', v.status))) offset 0) s
		where s is not null;
select tap.sync('subscription', tap.subscription('ann', :'ann', '{"status": "canceled"}')) \g /dev/null

select is(tap.state_of('tollgate_billing', format('select api.open_checkout(%L, %L, %L)', 'k'::bytea, v.plan, 'en'),
	v.bearer), v.state, 'D14 ' || v.description)
from (values ('', 'starter', 'TG401', 'nobody buys'), (:'m', 'starter', 'TG403', 'nor does a plain member'),
	(:'s', 'starter', 'TG404', 'nor who has no tenant'),
	(:'a', 'none', 'TG422', 'nor a plan there is not')) v (bearer, plan, state, description);

-- one purchase
select pg_temp.open(:'a', 'k1') as first \gset
select is(:'first'::jsonb - 'key' - 'idempotency' - 'customer_key',
	jsonb_build_object('state', 'open', 'tenant', :'ann', 'email', 'ann@example.org',
		'plan', 'starter', 'price', 'price_starter',
		'language', 'en', 'attempt', 1, 'session', null, 'expire', null, 'url', null, 'customer', 'cus_ann',
		'metered', '[]'::jsonb),
	'C12 a checkout of the tenant''s own customer');
select is(pg_temp.open(:'a', 'k2'), :'first', 'C12 another click is the same checkout');
select pg_temp.opened(:'first', 'cs_1') \g /dev/null
select is(pg_temp.open(:'a', 'k3'), :'first'::jsonb || '{"session": "cs_1"}', 'C12 and the same session');
select is(count(*), 1::bigint, 'C12 one is open') from billing.checkouts where tenant_id = :'ann' and status = 'open';

-- another plan
select pg_temp.open(:'a', 'k4', 'growth') as other \gset
select is(:'other'::jsonb ->> 'plan' || ' ' || (:'other'::jsonb ->> 'attempt') || ' ' || (:'other'::jsonb ->> 'expire'),
	'growth 2 cs_1', 'C12 another plan expires the first session');
select is(pg_temp.open(:'a', 'k5', 'growth'), :'other', 'C12 until that is done');
select is(tap.state_of('tollgate_billing',
	format('select api.checkout_opened(%L, 1, %L)', '\x' || (:'first'::jsonb ->> 'key'), 'cs_late')), 'TG404',
	'C12 a session of the attempt before is refused');
select pg_temp.opened(:'other', 'cs_2') \g /dev/null
select is(pg_temp.open(:'a', 'k6', 'growth') -> 'expire', 'null', 'C12 and then there is nothing to expire');

-- expired at Stripe, and past its day
select tap.ask('tollgate_billing', format('api.checkout_expired(%L, %s)', '\x' || (:'other'::jsonb ->> 'key'), n))
	from generate_series(2, 2) n, generate_series(1, 2) \g /dev/null
select is(pg_temp.open(:'a', 'k7', 'growth') ->> 'attempt', '3',
	'C12 an expired session begins the next attempt, once');
update billing.checkouts set opened_at = now() - interval '24 hours', session_id = 'cs_3' where status = 'open';
select is(a ->> 'attempt' || (a ->> 'expire'), '4cs_3', 'C12 and so does one past its day')
	from pg_temp.open(:'a', 'k8', 'growth') a;

-- paid
select pg_temp.opened(pg_temp.open(:'a', 'k9', 'growth'), 'cs_4') \g /dev/null
select tap.sync('checkout', tap.checkout('4', :'ann', '{"customer": "cus_ann"}')) \g /dev/null
select is(pg_temp.open(:'a', 'k10') ->> 'state', 'processing', 'C12 paid, and the subscription is on its way');
select tap.sync('subscription', tap.subscription('4', :'ann', '{"customer": "cus_ann"}')) \g /dev/null
select is(pg_temp.open(:'a', 'k11') ->> 'state', 'portal', 'C12 and then it is here');
select tap.sync('subscription', tap.subscription('4', :'ann', '{"customer": "cus_ann", "status": "canceled"}'))
	\g /dev/null
select is(a ->> 'state' || (a ->> 'attempt') || ((a ->> 'key') <> (:'first'::jsonb ->> 'key')), 'open1true',
	'C12 ended, the next is a new one, also from the same button')
	from pg_temp.open(:'a', 'k1') a;

-- the customer that pays
select tap.sync('customer', '{"id": "cus_ann", "deleted": true}') \g /dev/null
select pg_temp.open(:'a', 'k1') as bare \gset
select is(:'bare'::jsonb ->> 'customer' , null, 'C15 a deleted customer pays nothing');
select is(:'bare'::jsonb ->> 'customer_key', 'customer:' || (:'bare'::jsonb ->> 'key') || ':2',
	'C15 the next one is made under a key of its own');
select tap.ask('tollgate_billing',
	format('api.customer_spent(%L, %L)', '\x' || (:'bare'::jsonb ->> 'key'), :'bare'::jsonb ->> 'customer_key'), :'a')
	from generate_series(1, 3) \g /dev/null
select is(pg_temp.open(:'a', 'k1') - 'customer_key', :'bare'::jsonb - 'customer_key',
	'F98 a key that is spent changes nothing else');
select is(pg_temp.open(:'a', 'k1') ->> 'customer_key', 'customer:' || (:'bare'::jsonb ->> 'key') || ':3',
	'F98 and is followed by one other, however often it is told');
select is(tap.state_of('tollgate_billing',
	format('select api.customer_spent(%L, %L)', '\x' || (:'bare'::jsonb ->> 'key'), 'x'), v.bearer), v.state,
	'D11 not by others: ' || v.state)
from (values ('', 'TG401'), (:'m', 'TG403'), (:'s', 'TG404')) v (bearer, state);
select is(tap.ask('tollgate_billing',
	format('api.checkout_customer(%L, %L)', '\x' || (:'bare'::jsonb ->> 'key'), v.customer), :'a'),
	'{"customer": "cus_next"}', 'C15 ' || v.description)
from (values ('cus_next', 'the first one made is kept'), ('cus_again', 'whoever comes later'))
	v (customer, description);
select is(pg_temp.open(:'a', 'k1') ->> 'customer', 'cus_next', 'C15 and is used from then on');
select is(tap.state_of('tollgate_billing',
	format('select api.checkout_customer(%L, %L)', '\x' || (:'bare'::jsonb ->> 'key'), 'cus_evil'), v.bearer), v.state,
	'D11 ' || v.state)
from (values ('', 'TG401'), (:'m', 'TG403'), (:'s', 'TG404')) v (bearer, state);
select is(tap.state_of('tollgate_billing', 'select api.portal_customer()', :'a'), 'TG400',
	'D11 it opens no portal before it has paid');

-- a deleted customer does not pay again
select pg_temp.opened(:'bare', 'cs_next') \g /dev/null
select tap.sync('customer', '{"id": "cus_next", "deleted": true}') \g /dev/null
select is(concat_ws(' ', a -> 'customer', a ->> 'attempt', a ->> 'expire'), 'null 3 cs_next',
	'F102 one made for a click begins a new attempt, by nobody yet')
	from pg_temp.open(:'a', 'k1') a;
create table pg_temp.me as select :'a'::text as bearer;
create function pg_temp.told(p_customer text) returns jsonb language sql as $$
	select tap.ask('tollgate_billing', format('api.checkout_customer(%L, %L)', key, p_customer),
		(select bearer from pg_temp.me)) from billing.checkouts where status = 'open'
$$;
create function pg_temp.gone(p_customer text) returns jsonb language sql as $$
	select tap.ask('tollgate_billing', format('api.customer_gone(%L, %L)', key, p_customer),
		(select bearer from pg_temp.me)) from billing.checkouts where status = 'open'
$$;
select is(pg_temp.told('cus_next'), '{"customer": null}', 'F102 who comes late with it is told so');
select pg_temp.open(:'a', 'k1') \g /dev/null
select is(pg_temp.told('cus_new'), '{"customer": "cus_new"}', 'F102 the next is another');
select pg_temp.gone('cus_other') \g /dev/null
select is(pg_temp.open(:'a', 'k1') ->> 'customer', 'cus_new', 'F102 nobody else''s end is taken from a refusal');
select pg_temp.open(:'a', 'k1') as third \gset
select pg_temp.gone('cus_new'), pg_temp.gone('cus_new') \g /dev/null
select is(pg_temp.open(:'a', 'k1') -> 'customer', 'null', 'F102 its own is');
select is(array_agg(id order by id), '{cus_ann,cus_new,cus_next}', 'F102 each is known to be gone')
	from billing.customers where tenant_id = :'ann' and deleted;

-- a bound customer, while a checkout is open
select billing.bind_customer(:'ann', 'cus_bound') \g /dev/null
select pg_temp.open(:'a', 'k1') as bound \gset
select is(:'bound'::jsonb ->> 'customer', 'cus_bound', 'C15 one that is bound pays');
select pg_temp.opened(:'bound', 'cs_bound') \g /dev/null
select pg_temp.gone('cus_bound') \g /dev/null
select is(pg_temp.open(:'a', 'k1') - 'expire', :'bound'::jsonb - 'expire' || '{"session": "cs_bound"}',
	'F102 a refusal alone does not unbind it');
select ok(version > clean_version, 'F102 but jobs will look')
	from sync.objects where kind = 'customer' and id = 'cus_bound';
select tap.write(tap.claim('customer', 'cus_bound'), '{"id": "cus_bound", "deleted": true}') \g /dev/null
select is((a ->> 'attempt')::int - (:'bound'::jsonb ->> 'attempt')::int || (a ->> 'expire'), '1cs_bound',
	'F102 and when it is gone another attempt begins') from pg_temp.open(:'a', 'k1') a;

select tap.paid('bob') as bob \gset
select is(tap.state_of('tollgate_billing',
	format('select api.checkout_customer(%L, %L)', '\x' || (:'bare'::jsonb ->> 'key'), 'cus_evil'),
	tap.session('bob@example.org', 'b')), 'TG404',
	'D11 another tenant''s checkout is not there');
select is(tap.state_of('tollgate_billing',
	format('select api.open_checkout(%L, %L, %L)', 'x'::bytea, case n % 2 when 1 then 'growth' else 'starter' end,
		'en'), :'a'),
	case when n <= 10 then '00000' else 'TG429' end, 'C5 change of mind no. ' || n)
from generate_series(1, 11) n;

-- whose checkout
delete from auth.hits;
select tap.sync('subscription', tap.subscription('bob', :'bob', '{"status": "canceled"}')) \g /dev/null
select tap.session('bob@example.org', 'b2') as b \gset
select pg_temp.open(:'b', 'kb') as bobs \gset
select is(:'bobs'::jsonb ->> 'customer_key', 'customer:' || (:'bobs'::jsonb ->> 'key') || ':1',
	'C15 a customer that is bound uses up no key');
select pg_temp.open(:'a', 'k1') as anns \gset
select tap.ask('tollgate_billing', format('api.customer_spent(%L, %L)', '\x' || (:'bobs'::jsonb ->> 'key'),
		:'bobs'::jsonb ->> 'customer_key'), :'a'),
	tap.ask('tollgate_billing',
		format('api.customer_gone(%L, %L)', '\x' || (:'bobs'::jsonb ->> 'key'), 'cus_bob'), :'a')
	\g /dev/null
select is(pg_temp.open(:'b', 'kb'), :'bobs', 'D11 nobody spends a key or gives up a customer of another tenant');
select is((select version = clean_version from sync.objects where kind = 'customer' and id = 'cus_bob'), true,
	'D11 nor has it fetched');

-- two changes of mind before the first session is closed
select pg_temp.opened(:'bobs', 'cs_b1'), pg_temp.open(:'b', 'kb', 'growth') \g /dev/null
select is(pg_temp.open(:'b', 'kb') ->> 'expire', 'cs_b1', 'C12 however often the plan changes, the session is closed');

-- bought before: told again, or without a subscription, or unpaid
delete from auth.hits;
select tap.paid('cat') as cat \gset
select tap.sync('subscription', tap.subscription('cat', :'cat', '{"status": "canceled"}')) \g /dev/null
select tap.session('cat@example.org', 'c') as c \gset
select pg_temp.open(:'c', 'kc') \g /dev/null
select tap.sync('checkout', tap.checkout('cat', :'cat')) \g /dev/null
select is(pg_temp.open(:'c', 'kc') -> 'session', 'null', 'C35 the first purchase told again is not the second one');
select pg_temp.opened(pg_temp.open(:'c', 'kc'), 'cs_cat2') \g /dev/null
select tap.sync('checkout', tap.checkout('cat2', :'cat', '{"customer": "cus_cat", "payment_status": "unpaid"}'))
	\g /dev/null
select is(pg_temp.open(:'c', 'kc') ->> 'state', 'processing', 'C12 who is paying buys no other');
update billing.checkouts set subscription_id = null where session_id = 'cs_cat2';
select is(pg_temp.open(:'c', 'kc') ->> 'state', 'open', 'C12 what made no subscription keeps nobody from buying one');

-- a sign-up's own page is closed when its tenant buys
delete from auth.hits;
select tap.open_draft('dan', 'dan@example.org') ->> 'tenant' as dan \gset
select tap.ask('tollgate_signup', $$api.checkout_opened('dan', 1, 'cs_dan')$$),
	tap.sync('subscription', tap.subscription('dan', :'dan')),
	tap.sync('subscription', tap.subscription('dan', :'dan', '{"status": "canceled"}')) \g /dev/null
select is(d ->> 'attempt' || (d ->> 'expire'), '2cs_dan', 'C12 the session of a sign-up that is still open is closed')
	from pg_temp.open(tap.session('dan@example.org', 'd'), 'kd') d;
update billing.plans set offered = false where id = 'growth';
select is(tap.state_of('tollgate_billing', $$select api.open_checkout('x', 'growth', 'en')$$, :'c'), 'TG422',
	'C6 a plan that is offered no more is not bought');
select is(tap.state_of('none', format($$insert into billing.checkouts (key, tenant_id, email, email_canonical, plan,
	language) values ('y', %L, 'x', 'x', 'starter', 'en')$$, :'dan')), '23505', 'C12 a tenant has one open checkout');
select is(tap.state_of('none', format($$insert into billing.customers (id, tenant_id) values ('cus_y', %L)$$, :'cat')),
	'23505', 'C15 and one customer');

select * from finish();
rollback;
