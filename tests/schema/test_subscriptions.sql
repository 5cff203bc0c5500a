-- Subscriptions as Stripe has them now, in the shapes of old and new API versions, and plans.
begin;
select no_plan();

select tap.paid('ann') as ann \gset
-- the row of a document with p_more
create function pg_temp.after(p_tenant text, p_more jsonb, p_plan text default null) returns billing.subscriptions
	language plpgsql as $$
declare
	s billing.subscriptions;
begin
	perform tap.sync('subscription', tap.subscription('ann', p_tenant, p_more));
	select * into s from billing.subscriptions where id = 'sub_ann';
	return s;
end
$$;

select is(count(*), 1::bigint, 'C39 one subscription is one row') from billing.subscriptions;
select is(status || ' ' || plan || ' ' || price || ' ' || quantity, 'active starter price_starter 1',
	'C36 status, plan, price, quantity')
	from billing.subscriptions;
select is(array[period_start, period_end], array[to_timestamp(1767225600), to_timestamp(1800000000)],
	'D9 periods are read from items')
	from billing.subscriptions;
select is(array[period_start, period_end], array[to_timestamp(1700000000), to_timestamp(1702000000)],
	'D9 or from the subscription, in old documents')
	from pg_temp.after(:'ann', '{"current_period_start": 1700000000, "current_period_end": 1702000000,
		"items": {"data": [{"price": {"id": "price_starter"}, "quantity": 1}]}}');
select is(array[period_start, period_end], array[to_timestamp(10), to_timestamp(40)],
	'D9 of several items the whole span')
	from pg_temp.after(:'ann',
		'{"items": {"data": [{"price": "price_starter", "current_period_start": 20, "current_period_end": 30},
			{"price": "price_growth", "current_period_start": 10, "current_period_end": 40}]}}');
select is(plan, 'growth', 'C40 and the highest plan') from billing.subscriptions where id = 'sub_ann';
select is(period_end, null, 'D9 none at all is no failure')
	from pg_temp.after(:'ann', '{"items": {"data": [{"price": "price_starter"}]}}');
select is(price, null, 'D9 nor are no items') from pg_temp.after(:'ann', '{"items": null}');
select is(price, 'price_starter', 'D9 a plan stands for the price in very old documents')
	from pg_temp.after(:'ann', '{"items": {"data": [{"plan": {"id": "price_starter"}}]}}');
select is(customer_id, 'cus_ann', 'D9 an expanded customer is an id')
	from pg_temp.after(:'ann', '{"customer": {"id": "cus_ann", "object": "customer"}}');

select is(cancel_at_period_end, true, 'C45 ends with the period')
	from pg_temp.after(:'ann', '{"cancel_at_period_end": true}');
select is(cancel_at, to_timestamp(1799000000), 'C45 or at a time, as flexible billing says it')
	from pg_temp.after(:'ann', '{"cancel_at": 1799000000}');
select is(cancel_at, null, 'C45 a cancellation taken back is gone') from pg_temp.after(:'ann', '{}');
select is(array[canceled_at, ended_at], array[to_timestamp(5), to_timestamp(6)], 'C36 canceled and ended')
	from pg_temp.after(:'ann', '{"status": "canceled", "canceled_at": 5, "ended_at": 6}');
select is(s.status, v.status, 'C44 stored as it is: ' || v.status)
from (values ('trialing'), ('past_due'), ('unpaid'), ('incomplete'), ('incomplete_expired'), ('paused'), ('active'),
	('some_new_word')) v (status)
	cross join lateral pg_temp.after(:'ann', jsonb_build_object('status', v.status)) s;

select pg_temp.after(:'ann', '{"items": {"data": [{"price": "price_growth"}]}}') \g /dev/null
select is(tap.sync('subscription', tap.subscription('ann', :'ann', '{"items": {"data": [{"price": "price_dear"}]}}')),
	'{"clean": true, "unknown_price": true}', 'D19 an unknown price is reported');
select is(plan || ' ' || price, 'growth price_dear', 'D19 and changes no plan')
	from billing.subscriptions where id = 'sub_ann';

-- the tenant
select is(tap.sync('subscription', tap.subscription('bare', null, '{"metadata": {}, "customer": "cus_ann"}')),
	'{"clean": true}', 'C9 without our id');
select is(tenant_id, :'ann', 'C9 the customer tells the tenant') from billing.subscriptions where id = 'sub_bare';
select is(tap.sync('subscription',
	tap.subscription('alien', null, '{"metadata": {"org_id": "7"}, "customer": "cus_alien"}')),
	'{"clean": true, "orphan": true}', 'C38 nobody''s');
select tap.paid('bob') as bob \gset
select tap.sync('subscription', tap.subscription('ann', :'bob')) \g /dev/null
select is(tenant_id, :'ann', 'C9 a subscription never changes its tenant')
	from billing.subscriptions where id = 'sub_ann';

-- plans
create function pg_temp.plans() returns text language sql as $$
	select string_agg(format('%s=%s%s', id, coalesce(price, '-'), case when offered then '' else '!' end),
		' ' order by id) from billing.plans
$$;
select ops.put_plans('[{"id": "starter", "price": "price_growth", "rank": 1},
	{"id": "growth", "price": "price_starter", "rank": 2}]') \g /dev/null
select is(pg_temp.plans(), 'growth=price_starter starter=price_growth', 'C40 prices may change places');
select ops.put_plans('[{"id": "solo", "price": "price_growth", "rank": 1}]') \g /dev/null
select is(pg_temp.plans(), 'growth=price_starter! solo=price_growth starter=-!',
	'C40 a plan that is gone stays, its price may move on');
select ops.put_plans('[{"id": "solo", "price": "price_growth", "rank": 1}]') \g /dev/null
select is(pg_temp.plans(), 'growth=price_starter! solo=price_growth starter=-!', 'C40 again: the same');

-- the operator is told of a second subscription
select ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1},
	{"id": "growth", "price": "price_growth", "rank": 2}]') \g /dev/null
create function pg_temp.second(p_tenant text) returns text language sql as $$
	select string_agg(tenant_id || ' ' || detail, ', ') from ops.alerts
	where kind = 'second_subscription' and subject = p_tenant and cleared_at is null
$$;
delete from auth.hits;
select tap.paid('two') as two \gset
select is(pg_temp.second(:'two'), null, 'C39 one subscription is no alert');
create function pg_temp.also(p_tenant text, p_status text) returns text language plpgsql as $$
begin
	perform tap.sync('subscription',
		tap.subscription('two2', p_tenant, jsonb_build_object('customer', 'cus_two', 'status', p_status)));
	return pg_temp.second(p_tenant);
end
$$;
select is(pg_temp.also(:'two', v.status),
	case when v.told then :'two' || ' {"subscriptions": ["sub_two", "sub_two2"]}' end,
	format('C39 a second one that is %s is %s', v.status, case when v.told then 'told' else 'not told' end))
from (values ('incomplete', false), ('active', true), ('past_due', true), ('canceled', false), ('trialing', true),
	('incomplete_expired', false)) v (status, told);

-- what is fetched again with it
select tap.sync('invoice', tap.invoice('two', '{"id": "in_other", "currency": "usd", "parent": null}')) \g /dev/null
select version as was from sync.objects where id = 'in_other' \gset
select version as session from sync.objects where id = 'cs_two' \gset
select tap.sync('subscription', tap.subscription('two', :'two', '{"currency": "eur", "status": "canceled"}'))
	\g /dev/null
select is((select version from sync.objects where id = 'in_other'), :was::bigint,
	'F68 an invoice of no subscription is not looked at again for a currency');
select is((select version from sync.objects where id = 'cs_two'), :session::bigint,
	'F82 nor is a checkout that was paid, when its subscription ends');

select * from finish();
rollback;
