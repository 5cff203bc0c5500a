-- Two live subscriptions of one tenant: what pages and programs say is of the one that grants.
begin;
select no_plan();

select ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1},
	{"id": "growth", "price": "price_growth", "rank": 2}]') \g /dev/null
create function pg_temp.price(p_id text, p_interval text, p_count int default 1) returns void language sql as $$
	select tap.sync('price', jsonb_build_object('id', p_id, 'object', 'price', 'active', true, 'product', 'prod_1',
		'type', 'recurring', 'unit_amount', 1900, 'currency', 'eur',
		'recurring', jsonb_build_object('interval', p_interval, 'interval_count', p_count)))
$$;
select pg_temp.price('price_starter', 'month'), pg_temp.price('price_growth', 'year') \g /dev/null
select tap.paid('ann') as ann \gset
select tap.session('ann@example.org', 'a') as a \gset

-- The older one, of the better plan.
create function pg_temp.growth(p_more jsonb) returns jsonb language sql as $$
	select tap.sync('subscription', tap.subscription('old', current_setting('test.ann'), '{"customer": "cus_ann",
		"created": 1700000000, "items": {"data": [{"price": {"id": "price_growth", "unit_amount": 19000,
			"currency": "eur"}, "quantity": 1, "current_period_start": 1790000000, "current_period_end": 1810000000}]}}'
		|| p_more))
$$;
create function pg_temp.plan(p_bearer text) returns jsonb
	language sql as $$ select tap.ask('tollgate_billing', 'api.my_plan()', p_bearer) $$;
select set_config('test.ann', :'ann', true) \g /dev/null
select is(pg_temp.plan(:'a'), '{"plan": "starter", "paid": true, "interval": "month",
	"interval_count": 1, "canceled": false, "period_end": "2027-01-15T08:00:00Z"}', 'C18 of one subscription');
select pg_temp.growth('{"cancel_at_period_end": true}') \g /dev/null
select is(pg_temp.plan(:'a'), '{"plan": "growth", "paid": true, "interval": "year", "interval_count": 1,
	"canceled": true, "period_end": "2027-05-11T01:46:40Z"}',
	'C18 of two, all of the answer is of the one that grants most');

-- the pages
select pg_temp.growth('{"status": "past_due"}') \g /dev/null
select is(jsonb_build_array(p #> '{account,plan}', p #> '{account,status}', p #> '{others,0,plan}',
	p #> '{others,0,status}'), '["plan_growth", "status_past_due", "plan_starter", "status_active"]',
	'C44 the billing page shows the badge beside its own plan, and the other one below with its own')
	from tap.ask('tollgate_billing', 'api.billing_page()', :'a') p;
select is(jsonb_build_array(t -> 'plan', t -> 'status'), '["plan_growth", "status_past_due"]',
	'C44 and so does the workspace')
	from tap.ask('tollgate_account', 'api.workspace_page()', :'a') p cross join jsonb_array_elements(p -> 'tenants') t;
select pg_temp.growth('{"status": "unpaid"}') \g /dev/null
select is(pg_temp.plan(:'a') - 'period_end',
	'{"plan": "starter", "paid": true, "interval": "month", "interval_count": 1, "canceled": false}',
	'C18 what grants nothing is not told');

-- a plan that no subscription is of
select pg_temp.growth('{"status": "canceled"}'), ops.put_override(:'ann', true, 'growth', null, 'a test', 'tests')
	\g /dev/null
select is(pg_temp.plan(:'a'), '{"plan": "growth", "paid": false, "interval": null,
	"interval_count": null, "canceled": false, "period_end": null}',
	'C18 the operator''s plan has no interval and no period');

-- no period is later than the end of its subscription
create function pg_temp.ends(p_bearer text, p_more jsonb) returns text language plpgsql as $$
begin
	perform tap.sync('subscription', tap.subscription('bob', null, p_more));
	return (select concat_ws(' ', d -> 'canceled', d ->> 'period_end') from pg_temp.plan(p_bearer) d);
end
$$;
select tap.paid('bob') as bob \gset
select tap.session('bob@example.org', 'b') as b \gset
select is(pg_temp.ends(:'b', v.more), v.said, 'C18 its period ends ' || v.description)
from (values ('{"status": "canceled", "ended_at": 1790000000}'::jsonb, 'true 2026-09-21T14:13:20Z',
		'with a cancellation at once'),
	('{"cancel_at": 1799000000}', 'true 2027-01-03T18:13:20Z', 'with an end that is set within it'),
	('{"cancel_at": 1810000000}', 'true 2027-01-15T08:00:00Z', 'before one that is set for later'))
	v (more, said, description);
select pg_temp.price('price_starter', 'month', 3), tap.sync('subscription', tap.subscription('bob', :'bob'))
	\g /dev/null
select is(d ->> 'interval' || ' ' || (d ->> 'interval_count'), 'month 3', 'C18 three months are not one')
	from pg_temp.plan(:'b') d;

select * from finish();
rollback;
