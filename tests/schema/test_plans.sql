-- Plans, prices and the portal: fetched, compared, and an alert when they differ.
begin;
select no_plan();

create function pg_temp.price(p_id text, p_more jsonb default '{}') returns jsonb language sql as $$
	select jsonb_build_object('id', p_id, 'object', 'price', 'active', true, 'unit_amount', 1900,
		'currency', 'eur', 'product', 'prod_1',
		'recurring', '{"interval": "month", "interval_count": 1}'::jsonb) || p_more
$$;
create function pg_temp.drift() returns text language sql as $$
	select string_agg(subject || ' ' || (detail - 'plan'), ', ' order by subject)
		from ops.alerts where kind = 'drift' and cleared_at is null
$$;
create function pg_temp.plan(p_id text) returns text
	language sql as $$ select coalesce(price, '-') from billing.plans where id = p_id $$;

select is(tap.sync('price', pg_temp.price('price_starter')), '{"clean": true}', 'C40 a price of ours');
select is(concat_ws(' ', plan, product, active, amount, currency, interval), 'starter prod_1 t 1900 eur month',
	'C40 is written down') from billing.prices where id = 'price_starter';
select is(tap.sync('price', pg_temp.price('price_alien')), '{"clean": true, "orphan": true}',
	'C38 another''s price is not');
select is(tap.sync('price', pg_temp.price('price_starter', '{"unit_amount": 0.5}')) ->> 'dead', 'true',
	'F68 nor one of half a cent');

-- drift
select ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1, "amount": 1900, "currency": "eur",
	"interval": "month"},
	{"id": "growth", "rank": 2, "lookup_key": "growth_monthly"}]') \g /dev/null
select is(pg_temp.drift(), null, 'C24 a price as configured is no drift');
select is(pg_temp.drift(), v.drift, 'C24 ' || v.more::text || ' drifts: ' || coalesce(v.drift, 'no'))
from (values ('{"unit_amount": 2000}'::jsonb, 'price:price_starter {"amount": [1900, 2000]}'),
	('{"active": false}', 'price:price_starter {"active": false}'),
	('{"currency": "usd", "recurring": {"interval": "year"}}',
	'price:price_starter {"currency": ["eur", "usd"], "interval": ["month", "year"]}'), ('{}', null)) v (more, drift)
	cross join lateral (select tap.sync('price', pg_temp.price('price_starter', v.more)) offset 0) s
		where s is not null;
select tap.sync('product', '{"id": "prod_1", "active": false}') \g /dev/null
select is(pg_temp.drift(), 'product:prod_1 {"active": false}', 'C24 a product that is switched off drifts');
select tap.sync('product', '{"id": "prod_1", "active": true}') \g /dev/null
select is(pg_temp.drift(), null, 'C24 until it is back');
select is(tap.sync('product', '{"id": "prod_2", "active": false}'), '{"clean": true, "orphan": true}',
	'C38 another''s product');

-- lookup keys
select is(pg_temp.plan('growth'), '-', 'C40 a plan named by a lookup key has no price at first');
select tap.sync('price', pg_temp.price('price_g1', '{"lookup_key": "growth_monthly"}')) \g /dev/null
select is(pg_temp.plan('growth'), 'price_g1', 'C40 learns it');
select ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1},
	{"id": "growth", "rank": 2, "lookup_key": "growth_monthly"}]') \g /dev/null
select is(pg_temp.plan('growth'), 'price_g1', 'C40 and keeps it while the key is the same');
select tap.sync('price', pg_temp.price('price_g2', '{"lookup_key": "growth_monthly"}')) \g /dev/null
select is(pg_temp.plan('growth') || ' ' || billing.plan_of('price_g1'), 'price_g2 growth',
	'C40 the key moves to the next price, and the old one still means the plan');
select tap.sync('price', pg_temp.price('price_g1')) \g /dev/null
select is(pg_temp.plan('growth'), 'price_g2', 'C40 and is told without it');

-- a subscription fetched before the key moved and stored after
select tap.paid('eve') as eve \gset
create function pg_temp.pays(p_tenant text, p_price jsonb) returns jsonb language sql as $$
	select tap.subscription('eve', p_tenant,
		jsonb_build_object('items',
			jsonb_build_object('data', jsonb_build_array(jsonb_build_object('price', p_price, 'quantity', 1)))))
$$;
select tap.sync('subscription',
	pg_temp.pays(:'eve', pg_temp.price('price_g1', '{"lookup_key": "growth_monthly", "unit_amount": 1}'))) \g /dev/null
select is(concat_ws(' ', pg_temp.plan('growth'), lookup_key, amount), 'price_g2 1900',
	'F73 a subscription''s document moves no plan back to an old price, nor changes one')
	from billing.prices where id = 'price_g1';
select ok(version > clean_version, 'F73 but has it fetched') from sync.objects where kind = 'price' and id = 'price_g1';
select tap.sync('price', pg_temp.price('price_g1')),
	tap.sync('subscription', pg_temp.pays(:'eve', pg_temp.price('price_g1'))) \g /dev/null
select is(version, clean_version, 'F73 and leaves one alone that is as it says')
	from sync.objects where kind = 'price' and id = 'price_g1';
select tap.sync('subscription', pg_temp.pays(:'eve', pg_temp.price('price_g4', '{"lookup_key": "growth_monthly"}')))
	\g /dev/null
select is(pg_temp.plan('growth'), 'price_g2', 'F73 one that nobody knew becomes no plan''s price by it');
select is(concat_ws(' ', amount, currency, interval, product, lookup_key, active, synced_at), '1900 eur month prod_1',
	'C40 of which is known what never changes') from billing.prices where id = 'price_g4';
select ok(version > clean_version, 'C40 and the rest is fetched')
	from sync.objects where kind = 'price' and id = 'price_g4';
update billing.plans set price = 'price_g1' where id = 'growth';
select tap.sync('price', pg_temp.price('price_g2', '{"lookup_key": "growth_monthly"}')) \g /dev/null
select is(pg_temp.plan('growth'), 'price_g2', 'F73 a price that has not changed mends its plan all the same');

-- plans that get a key
select ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1}, {"id": "growth", "rank": 2}]'),
	ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1},
		{"id": "growth", "rank": 2, "lookup_key": "growth_monthly"}]') \g /dev/null
select is(pg_temp.plan('growth'), 'price_g2', 'C40 a plan is given the price with its key that is known already');
select ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1},
	{"id": "growth", "rank": 2, "price": "price_g1", "lookup_key": "growth_monthly"}]'),
	tap.sync('price', pg_temp.price('price_g2', '{"lookup_key": "growth_monthly"}')) \g /dev/null
select is(pg_temp.plan('growth'), 'price_g1', 'C40 and the one that is named, whatever its key');
select ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1},
	{"id": "growth", "rank": 2, "lookup_key": "other"}]') \g /dev/null
select is(pg_temp.plan('growth'), '-', 'C40 another key, another price');
select is(tap.ask('tollgate_operator', format('ops.put_price(%L, %L)', 'growth', pg_temp.price('price_g3'))),
	'{"plan": "growth", "price": "price_g3"}', 'C40 the operator says which');
select ok(version > clean_version, 'F73 and it is fetched: what the operator saw may be old by now')
	from sync.objects where kind = 'price' and id = 'price_g3';
select is(tap.state_of('tollgate_operator', format('select ops.put_price(%L, %L)', v.plan, v.price)), v.state,
	'C40 put_price: ' || v.description)
from (values ('none', '{"id": "price_x"}', 'TG404', 'no such plan'), ('growth', '{}', 'TG422', 'no price'),
	('growth', '{"id": "price_x", "unit_amount": 1.5}', 'TG422', 'no money')) v (plan, price, state, description);
select is(tap.state_of('none', format('select ops.put_plans(%L)', v.plans)), 'TG422', 'F68 refused: ' || v.plans)
from (values ('[{"id": "a", "rank": 1, "amount": 19.5}]'), ('[{"id": "a", "rank": 1, "amount": -1}]'),
	('[{"id": "a", "rank": 1, "grace_days": 1.5}]'),
	('[{"id": "a", "rank": 1, "currency": "EUR"}]')) v (plans);

-- a price that becomes known
select tap.paid('ann') as ann \gset
select tap.sync('subscription',
	tap.subscription('ann', :'ann', jsonb_build_object('items', jsonb_build_object('data', jsonb_build_array(
	jsonb_build_object('price', pg_temp.price('price_late'), 'quantity', 1)))))) \g /dev/null
select is(amount, 1900::bigint, 'C40 a price is learned from a subscription''s items')
	from billing.prices where id = 'price_late';
select is(plan, 'starter', 'D19 unknown, it changes no plan') from billing.subscriptions where id = 'sub_ann';
select ops.put_price('growth', pg_temp.price('price_late')) \g /dev/null
select is(count(*), 0::bigint, 'D19 known, its alert is over')
	from ops.alerts where kind = 'unknown_price' and subject = 'price_late' and cleared_at is null;
select ok(version > clean_version, 'D19 and who pays it is looked at again') from sync.objects where id = 'sub_ann';

-- an unknown price, until no live subscription has it
create function pg_temp.unknown() returns text language sql as $$
	select string_agg(subject, ' ' order by subject) from ops.alerts where kind = 'unknown_price' and cleared_at is null
$$;
select is(pg_temp.unknown(), 'price_g4', 'D19 an unknown price is told');
select tap.sync('subscription', pg_temp.pays(:'eve', pg_temp.price('price_g5'))) \g /dev/null
select is(pg_temp.unknown(), 'price_g5', 'D19 until who had it has another');
select tap.sync('subscription', pg_temp.pays(:'eve', pg_temp.price('price_g5')) || '{"id": "sub_eve2"}'),
	tap.sync('subscription', pg_temp.pays(:'eve', pg_temp.price('price_g5')) || '{"status": "canceled"}') \g /dev/null
select is(pg_temp.unknown(), 'price_g5', 'D19 not while another has it');
select tap.sync('subscription', pg_temp.pays(:'eve', pg_temp.price('price_g5'))
	|| '{"id": "sub_eve2", "status": "canceled"}') \g /dev/null
select is(pg_temp.unknown(), null, 'D19 nor when the last is canceled');
select tap.sync('subscription', pg_temp.pays(:'eve', pg_temp.price('price_g5')) || '{"status": "canceled"}')
	\g /dev/null
select is(pg_temp.unknown(), null, 'D19 and one that is canceled tells it no more');
select tap.sync('subscription', pg_temp.pays(:'eve', '"price_bare"')) \g /dev/null
select is(pg_temp.unknown(), 'price_bare', 'D19 told also of a price of which nothing but its id is known');

-- drift whose cause is gone
select ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1, "amount": 1, "currency": "eur"},
	{"id": "growth", "price": "price_g1", "rank": 2}]') \g /dev/null
select tap.sync('product', '{"id": "prod_1", "active": false}') \g /dev/null
select is(pg_temp.drift(), 'price:price_starter {"amount": [1, 1900]}, product:prod_1 {"active": false}',
	'C24 a price and a product drift');
select ops.put_plans('[{"id": "starter", "price": "price_dear", "rank": 1, "amount": 1, "currency": "eur"},
	{"id": "growth", "price": "price_g1", "rank": 2}]') \g /dev/null
select is(pg_temp.drift(), 'product:prod_1 {"active": false}', 'C24 the price not once the plan has another');
select ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1, "amount": 1, "currency": "eur"},
	{"id": "growth", "price": "price_g1", "rank": 2}]') \g /dev/null
select is(pg_temp.drift(), 'price:price_starter {"amount": [1, 1900]}, product:prod_1 {"active": false}',
	'C24 and again when it is back');
select ops.put_plans('[{"id": "growth", "price": "price_g1", "rank": 2}]') \g /dev/null
select is(pg_temp.drift(), 'product:prod_1 {"active": false}', 'C24 nor of a plan that is offered no more');
select tap.sync('price', pg_temp.price('price_g1', '{"product": "prod_2"}')) \g /dev/null
select is(pg_temp.drift(), null, 'C24 nor the product once all we sell is another''s');
select ok(version > clean_version, 'C24 which is fetched: it may be switched off')
	from sync.objects where kind = 'product' and id = 'prod_2';
select tap.sync('product', '{"id": "prod_2", "active": false}') \g /dev/null
select is(pg_temp.drift(), 'product:prod_2 {"active": false}', 'C24 and then it is told');
select ops.put_plans('[{"id": "growth", "price": "price_g2", "rank": 2}]') \g /dev/null
select is(pg_temp.drift(), null, 'C24 until the plan has a price of another product');
select ok(version > clean_version, 'C24 which is looked at in turn')
	from sync.objects where kind = 'product' and id = 'prod_1';
select ops.put_plans('[]') \g /dev/null
select is(pg_temp.drift(), null, 'C24 what is not offered is no drift');

-- portal
select is(tap.sync('portal_configuration', '{"id": "bpc_1"}'), '{"clean": true, "orphan": true}',
	'C24 a configuration nobody asked for');
select ops.put_portal_configuration('bpc_1', '{"features": {"invoice_history": {"enabled": true}}}') \g /dev/null
select ok(version > clean_version, 'C24 one that is asked for is fetched') from sync.objects where id = 'bpc_1';
select is(pg_temp.drift(), v.drift, 'C24 portal ' || v.doc::text)
from (values ('{"id": "bpc_1", "features": {"invoice_history": {"enabled": false}}}'::jsonb,
	'portal_configuration:bpc_1 {}'),
	('{"id": "bpc_1", "active": true, "features": {"invoice_history": {"enabled": true}, "customer_update": {}}}',
		null)) v (doc, drift)
	cross join lateral (select tap.sync('portal_configuration', v.doc) offset 0) s where s is not null;

-- lists compare as sets: the same elements in any order; an element may have members that are not desired
select ops.put_portal_configuration('bpc_1',
	'{"active": true, "features": {"customer_update": {"enabled": true, "allowed_updates": ["email", "name"]},
	"subscription_update": {"enabled": true, "products": [{"product": "prod_1", "prices": ["price_a", "price_b"]},
		{"product": "prod_2", "prices": ["price_c"]}]}}}') \g /dev/null
create function pg_temp.portal(p_updates jsonb, p_products jsonb) returns text language plpgsql as $$
begin
	perform tap.sync('portal_configuration',
		jsonb_build_object('id', 'bpc_1', 'active', true, 'name', 'ours', 'features', jsonb_build_object(
		'customer_update', jsonb_build_object('enabled', true, 'allowed_updates', p_updates),
		'subscription_update', jsonb_build_object('enabled', true, 'proration_behavior', 'none')
			|| coalesce(jsonb_build_object('products', p_products), '{}'))));
	return pg_temp.drift();
end
$$;
select is(pg_temp.portal(v.updates, v.products), case when v.drifts then 'portal_configuration:bpc_1 {}' end,
	'C24 portal lists: ' || v.description)
from (values ('["name", "email"]'::jsonb,
	'[{"product": "prod_2", "prices": ["price_c"], "adjustable_quantity": {"enabled": false}},
		{"product": "prod_1", "prices": ["price_b", "price_a"], "adjustable_quantity": {"enabled": false}}]'::jsonb,
		false, 'the same in another order'),
	('["name", "email", "address"]',
		'[{"product": "prod_2", "prices": ["price_c"]}, {"product": "prod_1", "prices": ["price_b", "price_a"]}]', true,
		'an update more'),
	('["email"]', '[{"product": "prod_2", "prices": ["price_c"]},
		{"product": "prod_1", "prices": ["price_b", "price_a"]}]', true, 'an update less'),
	('["name", "email"]', '[{"product": "prod_2", "prices": ["price_c", "price_d"]},
		{"product": "prod_1", "prices": ["price_b", "price_a"]}]', true, 'a price more'),
	('["name", "email"]', '[{"product": "prod_2", "prices": ["price_c"]},
		{"product": "prod_1", "prices": ["price_a"]}]', true, 'a price less'),
	('["name", "email"]', '[{"product": "prod_2", "prices": ["price_c"]},
		{"product": "prod_1", "prices": ["price_b", "price_a"]}, {"product": "prod_3", "prices": []}]',
		true, 'a product more'),
	('["name", "email"]', '[{"product": "prod_1", "prices": ["price_b", "price_a"]}]', true, 'a product less'),
	('["name", "email"]', null, true, 'no products'),
	('["email", "name"]', '[{"product": "prod_1", "prices": ["price_a", "price_b"]},
		{"product": "prod_2", "prices": ["price_c"]}]', false, 'as they were asked for'))
	v (updates, products, drifts, description);

select tap.sync('portal_configuration', '{"id": "bpc_1"}') \g /dev/null
select ops.put_portal_configuration('bpc_2', '{"active": true}') \g /dev/null
select is(pg_temp.drift(), null, 'C24 once another is configured, the first may be what it likes');
select is(tap.sync('portal_configuration', '{"id": "bpc_1"}'), '{"clean": true, "orphan": true}',
	'C24 also when it changes');
select tap.sync('portal_configuration', '{"id": "bpc_2", "active": false}') \g /dev/null
select ops.put_portal_configuration('bpc_2', '{"active": true}') \g /dev/null
select is(pg_temp.drift(), 'portal_configuration:bpc_2 {}', 'C24 the same again keeps its drift');

select * from finish();
rollback;
