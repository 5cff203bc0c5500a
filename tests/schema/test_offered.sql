-- What is for sale, as pages show it.
begin;
select no_plan();
create function pg_temp.offered() returns jsonb language sql as $$
	select tap.ask('tollgate_signup', 'api.offered_plans(null)')
$$;
create function pg_temp.costs() returns text language sql as $$
	select string_agg(concat_ws(' ', o ->> 'id', o #>> '{amount,minor}', o #>> '{amount,currency}', o ->> 'period',
		o ->> 'interval_count', case when o -> 'pair' = 'true' then 'pair' end), ', ' order by n)
	from jsonb_array_elements(pg_temp.offered()) with ordinality p (o, n)
$$;
create function pg_temp.price(p_id text, p_product text, p_amount int, p_interval text, p_more jsonb default '{}')
	returns void language sql as $$
	select tap.sync('price', jsonb_build_object('id', p_id, 'object', 'price', 'active', true, 'product', p_product,
		'unit_amount', p_amount, 'currency', 'usd', 'recurring',
		jsonb_build_object('interval', p_interval, 'interval_count', 1)) || p_more)
$$;

select ops.put_plans('[{"id": "solo", "price": "price_solo", "rank": 1, "features": ["chat", "mail"]},
	{"id": "team", "lookup_key": "team", "amount": 9900, "currency": "eur", "interval": "month", "rank": 2}]')
	\g /dev/null
select is(pg_temp.costs(), 'solo 1, team 9900 eur period_month 1',
	'C17 before a price is fetched only a configured amount is known');
select is(o.version > o.clean_version, true, 'C17 the price of a configured plan is fetched without a subscription')
from sync.objects o where (o.kind, o.id) = ('price', 'price_solo');
select pg_temp.price('price_solo', 'prod_1', 1900, 'month') \g /dev/null
select pg_temp.price('price_team', 'prod_2', 9500, 'year', '{"lookup_key": "team"}') \g /dev/null
select is(pg_temp.costs(), 'solo 1900 usd period_month 1, team 9500 usd period_year 1',
	'C17 the fetched price goes before the configured amount');
select ops.put_plans('[{"id": "solo", "price": "price_solo", "rank": 1},
	{"id": "team", "lookup_key": "team", "amount": 9500, "currency": "eur", "interval": "month", "rank": 2}]')
	\g /dev/null
select is(o.version > o.clean_version, false, 'C17 a fetched price is not fetched again for the same plans')
from sync.objects o where (o.kind, o.id) = ('price', 'price_solo');

select ops.put_plans('[{"id": "solo", "price": "price_solo", "rank": 1}, {"id": "team", "price": "price_t", "rank": 2},
	{"id": "solo_yearly", "price": "price_solo_y", "rank": 3}, {"id": "rare", "price": "price_r", "rank": 4}]')
	\g /dev/null
select pg_temp.price('price_t', 'prod_2', null, 'month') \g /dev/null
select pg_temp.price('price_solo_y', 'prod_1', 19000, 'year') \g /dev/null
select pg_temp.price('price_r', 'prod_3', 500, 'month', '{"recurring": {"interval": "month", "interval_count": 3}}')
	\g /dev/null
select is(pg_temp.costs(), 'solo 1900 usd period_month 1 pair, solo_yearly 19000 usd period_year 1, '
	|| 'team period_month 1, rare 500 usd period_months 3',
	'C17 yearly stands beside monthly; a price may have no amount');
select is(pg_temp.offered() -> 0 -> 'label', '"plan_solo"', 'C17 with the name of its text');
select ops.put_plans('[{"id": "solo", "price": "price_solo", "rank": 1, "features": ["chat", "mail"]}]') \g /dev/null
select is(pg_temp.costs(), 'solo 1900 usd period_month 1', 'C17 what is not for sale any more is not shown');
select is(pg_temp.offered() #> '{0,features}', '["chat", "mail"]', 'C17 with the features in order');

-- a trial is given once for a tenant and for an address
select ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1}]') \g /dev/null
select tap.paid('ann') as ann \gset
select tap.session('ann@example.org', 'a') as a \gset
create function pg_temp.had_trial(p_email text) returns text language sql as $$
	select tap.open_draft('of ' || p_email, p_email) ->> 'had_trial'
$$;
select is(pg_temp.had_trial('eve@example.org'), null, 'C17 a first trial, for an address that had none');
update billing.subscriptions set status = 'canceled', trial_end = now() where id = 'sub_ann';
select is(pg_temp.had_trial(v.email), v.had, format('C17 a trial once for an address: %s, %s', v.email, v.whose))
from (values ('Ann@Example.org', 'true', 'who asked for it'), ('ann@stripe.test', 'true', 'who paid'),
	('bob@example.org', null, 'another')) v (email, had, whose);
select tap.user('mia@example.org') as mia \gset
insert into app.members (tenant_id, user_id, role) values (:'ann', :'mia', 'member');
select is(pg_temp.had_trial('mia@example.org'), null, 'C17 a trial once for an address: not a member''s');
update app.members set role = 'owner' where user_id = :'mia';
select is(pg_temp.had_trial('mia@example.org'), 'true', 'C17 but an owner''s');
select is(tap.ask('tollgate_billing', format('api.offered_plans(%L)', :'ann'), :'a') #> '{0,had_trial}', 'true',
	'C17 the page of its tenant offers none');
select is(tap.ask('tollgate_billing', $$api.open_checkout('\x02', 'starter', 'en')$$, :'a') -> 'had_trial', 'true',
	'C17 and its checkout has none');
select is(tap.state_of('tollgate_billing', format('select api.offered_plans(%L)', gen_random_uuid()), :'a'), 'TG404',
	'C17 another tenant tells nothing');

select * from finish();
rollback;
