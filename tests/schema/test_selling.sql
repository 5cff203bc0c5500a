-- What is sold by a meter, beside a plan: its price, who pays it, and what pages say of it.
begin;
select no_plan();

create function pg_temp.configure(p_more jsonb default '{}') returns void language plpgsql as $$
begin
	perform ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1, "currency": "eur"}]'),
		ops.put_usage(jsonb_build_object('meters', '["tokens", "mails"]'::jsonb, 'quotas', jsonb_build_array(
			'{"plan": "starter", "meter": "tokens", "included": 1000, "sold": true, "lookup_key": "st_tokens",
				"unit_amount": "0.25"}'::jsonb || p_more,
			'{"plan": "starter", "meter": "mails", "included": 5, "sold": false, "most": 5}'::jsonb),
			'rates', '[]'::jsonb, 'caps', '[]'::jsonb, 'costs', '[]'::jsonb));
end
$$;
create function pg_temp.price(p_id text, p_more jsonb default '{}') returns jsonb language sql as $$
	select jsonb_build_object('id', p_id, 'object', 'price', 'active', true, 'unit_amount', null, 'currency', 'eur',
		'product', 'prod_1', 'lookup_key', 'st_tokens', 'billing_scheme', 'tiered', 'tiers_mode', 'graduated',
		'recurring', '{"interval": "month", "interval_count": 1, "usage_type": "metered", "meter": "mtr_1"}'::jsonb,
		'tiers', '[{"up_to": 1000, "unit_amount": 0, "unit_amount_decimal": "0", "flat_amount": null},
			{"up_to": null, "unit_amount": null, "unit_amount_decimal": "0.25", "flat_amount": null}]'::jsonb) || p_more
$$;
create function pg_temp.item(p_price jsonb, p_more jsonb default '{}') returns jsonb language sql as $$
	select jsonb_build_object('price', p_price - 'tiers',
		'current_period_start', extract(epoch from now())::bigint - 86400,
		'current_period_end', extract(epoch from now())::bigint + 86400 * 28) || p_more
$$;
create function pg_temp.bought(p_name text, p_tenant text, p_items jsonb, p_more jsonb default '{}') returns jsonb
	language sql as $$
	select tap.sync('subscription', tap.subscription(p_name, p_tenant, jsonb_build_object('currency', 'eur', 'items',
		jsonb_build_object('data', p_items)) || p_more))
$$;
create function pg_temp.plain() returns jsonb language sql as $$
	select pg_temp.item('{"id": "price_starter", "unit_amount": 1900, "currency": "eur",
		"recurring": {"interval": "month", "interval_count": 1}}', '{"quantity": 1}')
$$;
create function pg_temp.reserve(p_tenant text, p_units int, p_request text) returns jsonb language sql as $$
	select usage.reserve(p_tenant::uuid, null, null, 'tokens', jsonb_build_object('unit', p_units),
		'[{"provider": "", "model": "tokens"}]', p_request, 60)
$$;
create function pg_temp.drift() returns text language sql as $$
	select string_agg(a.subject || ' ' || a.detail, ', ' order by a.subject) from ops.alerts a
	where a.kind = 'drift' and a.cleared_at is null
$$;

-- the price becomes known
select pg_temp.configure() \g /dev/null
select is(tap.open_draft('ann', 'ann@example.org') -> 'metered', 'null', 'C76 no checkout before each price is known');
select is(m ->> 'meter' || ' ' || concat_ws(' ', m #> '{included,figure}', m #> '{cost,minor}', m #> '{per,figure}'),
	'tokens 1000 250 1000', 'C76 pages say what the configuration does')
from jsonb_path_query(tap.ask('tollgate_signup', 'api.offered_plans(null)'), '$[*].meters[*]') m;
select ops.put_metered_price('starter', 'tokens', pg_temp.price('price_m1')) \g /dev/null
select is(ops.plan_prices(), '{"starter": "price_starter", "starter/tokens": "price_m1"}', 'C76 the price is kept');
select is(tap.open_draft('ann', 'ann@example.org') -> 'metered', '["price_m1"]', 'C76 and bought with the plan');
select pg_temp.configure() \g /dev/null
select is(ops.plan_prices() ->> 'starter/tokens', 'price_m1', 'C76 it stays while its key does');
select is(pg_temp.drift(), null, 'C24 a metered price as configured is no drift');
select is(pg_temp.drift(), v.drift, 'C24 one that is not: ' || coalesce(v.drift, 'none'))
from (values ('{"active": false}'::jsonb, 'price:price_m1 {"plan": "starter", "meter": "tokens", "active": false}'),
	('{"tiers": [{"up_to": 900, "unit_amount_decimal": "0"}, {"up_to": null, "unit_amount_decimal": "0.25"}]}',
		'price:price_m1 {"plan": "starter", "meter": "tokens", "included": [1000, 900]}'),
	('{"tiers": [{"up_to": 1000, "unit_amount_decimal": "0"}, {"up_to": null, "unit_amount_decimal": "0.5"}]}',
		'price:price_m1 {"plan": "starter", "meter": "tokens", "amount": [0.25, 0.5]}'),
	('{"tiers": [{"up_to": 1000, "unit_amount_decimal": "0"}, {"up_to": null, "unit_amount_decimal": "0.25",
			"flat_amount_decimal": "100"}]}',
		'price:price_m1 {"plan": "starter", "meter": "tokens", "amount": [0.25, null], "included": [1000, null]}'),
	('{}', null)) v (more, drift)
	cross join lateral (select tap.sync('price', pg_temp.price('price_m1', v.more)) offset 0) s
where s is not null;

-- a subscription of two items, whichever comes first
select tap.paid('ann') as ann, tap.paid('bob') as bob, tap.session('ann@example.org', 'a') as a \gset
create function pg_temp.stored() returns text language sql as $$
	select concat_ws(' ', plan, price, quantity, amount, metered, previewed) from billing.subscriptions
	where id = 'sub_ann'
$$;
select pg_temp.bought('ann', :'ann', jsonb_build_array(pg_temp.item(pg_temp.price('price_m1')), pg_temp.plain()))
	\g /dev/null
select is(pg_temp.stored(), 'starter price_starter 1 1900 {mtr_1} f', 'C76 the plan''s item is found behind another');
select pg_temp.bought('ann', :'ann', jsonb_build_array(pg_temp.item(pg_temp.price('price_m9', '{"lookup_key": null}')),
	pg_temp.item('{"id": "price_alien", "unit_amount": 5, "currency": "eur"}', '{"quantity": 2}'))) \g /dev/null
select is(pg_temp.stored(), 'starter price_alien 2 {mtr_1} t',
	'C76 of two that name no plan it is the one that is not metered');
select pg_temp.bought('ann', :'ann', jsonb_build_array(pg_temp.plain(), pg_temp.item(pg_temp.price('price_m1'))))
	\g /dev/null
update billing.subscriptions set previewed = false where id = 'sub_ann';	-- as in its next period
select is(n #>> '{amount,minor}' || ' ' || (n #>> '{amount,usage}'), '1900 true',
	'C97 the next payment is the plan''s and what will have been used')
from (select tap.ask('tollgate_billing', 'api.billing_page()', :'a') #> '{account,next}' as n) p;
select is(billing.mail_facts(jsonb_populate_record(null::billing.notifications, jsonb_build_object('tenant_id', :'ann',
	'payload', '{}'::jsonb))) -> 'price', '{"minor": 1900, "currency": "eur", "usage": true}', 'C97 so does a mail');
select is(exists (select from sync.objects o where (o.kind, o.id) = ('preview', 'sub_ann')), false,
	'C97 no preview is asked of what is metered');

-- who pays by the meter may use more, and Stripe is told; nobody else
select is(pg_temp.reserve(:'ann', 1500, 'a') -> 'ok', 'true',
	'C76 more than is included, by a subscription that pays it');
select is(pg_temp.reserve(:'bob', 1001, 'b') ->> 'code', 'quota', 'C76 and not by one without the metered item');
select usage.record(t::uuid, null, null, 'tokens', '{"unit": 7}', '[{"provider": "", "model": "tokens"}]', 'r')
from unnest(array[:'ann', :'bob']) t \g /dev/null
select is((select array_agg(o.tenant_id = :'ann'::uuid) from usage.outbox o), '{t}',
	'C76 Stripe is told of who pays by the meter');
select is((
	select array_agg(m -> 'sold' || (m -> 'most') order by t)
	from unnest(array[:'ann', :'bob']) with ordinality t (id, t)
	cross join lateral jsonb_path_query(usage.summary(t.id::uuid), '$.meters[*] ? (@.meter == "tokens")') m),
	array['[true, null]', '[false, 1000]']::jsonb[], 'C76 and each sees which it is');
select is(usage.faults(), '[]', 'C76 the books are true');

-- a trial
savepoint before_trial;
update billing.subscriptions set status = 'trialing' where id = 'sub_ann';
select is(pg_temp.reserve(:'ann', 1000, 'trial') ->> 'code', 'quota',
	'C76 in a trial, of which Stripe bills nothing, what is beyond is refused');
select is(jsonb_path_query_array(usage.summary(:'ann'), '$.meters[*].in_trial'), '[true]', 'C97 which a page says');
rollback to before_trial;
select is(jsonb_path_exists(usage.summary(:'ann'), '$.meters[*].in_trial'), false, 'C97 and says no more after it');

-- the key moves to a new price; the former is paid on
select tap.sync('price', pg_temp.price('price_m2')) \g /dev/null
select is(ops.plan_prices() ->> 'starter/tokens', 'price_m2', 'C76 the key moves to the next price');
select is(pg_temp.reserve(:'ann', 1, 'former') -> 'ok', 'true', 'C76 who bought by the former pays by the same meter');

-- an invoice
create function pg_temp.line(p_price text, p_units int, p_amount int) returns jsonb language sql as $$
	select jsonb_build_object('quantity', p_units, 'amount', p_amount, 'pricing', jsonb_build_object('price_details',
		jsonb_build_object('price', p_price)))
$$;
select tap.sync('invoice', tap.invoice('ann', jsonb_build_object('total', 2027, 'lines', jsonb_build_object('data',
	jsonb_build_array(pg_temp.line('price_m1', 1000, 0), pg_temp.line('price_m1', 506, 127),
		pg_temp.line('price_starter', 1, 1900)))))) \g /dev/null
select is(i -> 'metered',
	'[{"meter": "tokens", "units": {"figure": 1506}, "amount": {"minor": 127, "currency": "eur"}}]',
	'C97 an invoice says what was used, as Stripe''s does')
from jsonb_path_query(tap.ask('tollgate_billing', 'api.billing_page()', :'a'), '$.invoices[0]') i;

select * from finish();
rollback;
