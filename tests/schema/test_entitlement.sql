-- Entitlements: statuses, grace, plan, override, dispute, and the same at any earlier time.
begin;
select no_plan();

select ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1, "features": ["chat"], "grace_days": 3},
	{"id": "growth", "price": "price_growth", "rank": 2, "features": ["chat", "api"]}]') \g /dev/null
select tap.paid('ann') as ann \gset

create function pg_temp.state(p_tenant text, p_more jsonb) returns jsonb language plpgsql as $$
begin
	perform tap.sync('subscription', tap.subscription('ann', p_tenant, p_more));
	return billing.entitlement(p_tenant::uuid);
end
$$;
-- "allowed plan reason"
create function pg_temp.brief(e jsonb) returns text language sql as $$
	select concat_ws(' ', case when e -> 'allowed' = 'true' then 'yes' else 'no' end,
		e ->> 'plan', e ->> 'reason', nullif(e ->> 'features', '[]'))
$$;

select is(billing.entitlement(:'ann'),
	'{"allowed": true, "plan": "starter", "features": ["chat"], "reason": "active", "until": null,
	"subscription": "sub_ann", "status": "active"}', 'C44 an entitlement');
select is(billing.entitlement(gen_random_uuid()),
	'{"allowed": false, "plan": null, "features": [], "reason": "no_subscription",
	"until": null, "subscription": null, "status": null}', 'C44 without a subscription');

-- the eight statuses and an unknown one, within grace and after it, on either plan, with and without an override
create temp table rule (status text, fresh text, late text);
insert into rule values ('active', 'yes active', 'yes active'), ('trialing', 'yes trialing', 'yes trialing'),
	('past_due', 'yes past_due_grace', 'no grace_over'), ('unpaid', 'no unpaid', 'no unpaid'),
	('canceled', 'no canceled', 'no canceled'),
	('incomplete', 'no incomplete', 'no incomplete'),
	('incomplete_expired', 'no incomplete_expired', 'no incomplete_expired'),
	('paused', 'no paused', 'no paused'), ('some_new_word', 'no unknown_status', 'no unknown_status');
create function pg_temp.answer(p_tenant uuid, p_status text, p_plan text, p_late boolean, p_word boolean) returns text
	language plpgsql as $$
declare
	e jsonb;
begin
	update billing.overrides set until = now() - interval '1 s';
	perform ops.put_override(p_tenant, p_word, null, null, 'a test', 'tests') where p_word is not null;
	update billing.subscriptions set status = p_status, plan = p_plan, plans = array[p_plan], past_due_since = now()
		- case when p_late then interval '8 days' else interval '1 day' end where id = 'sub_ann';
	e := billing.entitlement(p_tenant);
	return concat_ws(' ', case when e -> 'allowed' = 'true' then 'yes' else 'no' end, e ->> 'reason', e ->> 'plan',
		jsonb_array_length(e -> 'features'));
end
$$;
select is(pg_temp.answer(:'ann', r.status, p.plan, g.late, w.word),
	concat_ws(' ', case when w.word is null then case when g.late then r.late else r.fresh end
		else case when w.word then 'yes override' else 'no override' end end, p.plan,
		case when coalesce(w.word, (case when g.late then r.late else r.fresh end) like 'yes%') then case p.plan
			when 'starter' then 1 else 2 end else 0 end),
	format('C44 %s on %s, %s grace, %s', r.status, p.plan, case when g.late then 'after' else 'in' end,
		coalesce('override ' || w.word, 'no override')))
from rule r cross join (values ('starter'), ('growth')) p (plan) cross join (values (false), (true)) g (late)
	cross join (values (null), (true), (false)) w (word);

-- ends
update billing.overrides set until = now() - interval '1 s';
select is(pg_temp.brief(e) || ' ' || (e ->> 'until'), 'yes starter active ["chat"] 2027-01-15T08:00:00Z',
	'C45 until the end of the period')
	from pg_temp.state(:'ann', '{"cancel_at_period_end": true}') e;
select is(pg_temp.brief(e) || ' ' || (e ->> 'until'), 'yes starter active ["chat"] 2027-01-03T18:13:20Z',
	'C45 until the time that flexible billing says')
	from pg_temp.state(:'ann', '{"cancel_at": 1799000000}') e;
select is(pg_temp.brief(billing.entitlement(:'ann', to_timestamp(v.at))), v.brief, 'C45 at its end it is over: '
	|| v.at)
	from (values (1798999999, 'yes starter active ["chat"]'), (1799000000, 'no starter ended')) v (at, brief);

-- prices
select is(pg_temp.brief(pg_temp.state(:'ann', '{"items": {"data": [{"price": "price_dear", "quantity": 1}]}}')),
	'yes starter active ["chat"]',
	'D19 an unknown price keeps what was');
select is(detail, '{"subscription": "sub_ann"}', 'D19 and raises an alert')
	from ops.alerts where kind = 'unknown_price' and subject = 'price_dear';
select pg_temp.state(:'ann', '{"items": {"data": [{"price": "price_dear", "quantity": 1}]}}') \g /dev/null
select is(count(*), 1::bigint, 'D19 one, however often it is seen') from ops.alerts where kind = 'unknown_price';
select tap.paid('new') as new \gset
update billing.subscriptions set plan = null where id = 'sub_new';
select is(pg_temp.brief(billing.entitlement(:'new')), 'no unknown_price', 'D19 who never had a plan gets none by it');
select is(pg_temp.brief(pg_temp.state(:'ann', '{"status": "some_new_word"}')), 'no starter unknown_status',
	'C44 a status nobody knows grants nothing');
select is(count(*), 1::bigint, 'C44 and raises an alert')
	from ops.alerts where kind = 'unknown_status' and subject = 'sub_ann' and cleared_at is null;
select is(pg_temp.brief(pg_temp.state(:'ann', '{}')), 'yes starter active ["chat"]',
	'C44 until it is one of the known again');
select is(count(*), 0::bigint, 'C44 which ends the alert')
	from ops.alerts where kind = 'unknown_status' and cleared_at is null;

-- several subscriptions
select tap.sync('subscription',
	tap.subscription('two', :'ann', '{"customer": "cus_ann", "items": {"data": [{"price": "price_growth"}]}}'))
	\g /dev/null
select is(pg_temp.brief(billing.entitlement(:'ann')), 'yes growth active ["chat", "api"]',
	'C44 of two the one that grants most');
select is(detail, '{"subscriptions": ["sub_ann", "sub_two"]}', 'C44 and the operator is told') from ops.alerts
	where kind = 'second_subscription' and subject = :'ann' and cleared_at is null;
select tap.sync('subscription', tap.subscription('two', :'ann', '{"customer": "cus_ann", "status": "canceled"}'))
	\g /dev/null
select is(pg_temp.brief(billing.entitlement(:'ann')), 'yes starter active ["chat"]', 'C44 then the other');
select is(count(*), 0::bigint, 'C44 and no alert any more')
	from ops.alerts where kind = 'second_subscription' and cleared_at is null;

-- grace counts from when past due was first seen
select is(pg_temp.brief(e) || ' ' || (e ->> 'until'), 'yes starter past_due_grace ["chat"] '
	|| (api.date_document(now() + interval '3 days') ->> 'iso'),
	'C41 grace is the plan''s own') from pg_temp.state(:'ann', '{"status": "past_due"}') e;
update billing.subscriptions set past_due_since = now() - interval '2 days' where id = 'sub_ann';
select pg_temp.state(:'ann', '{"status": "past_due", "quantity": 2}') \g /dev/null
select is(past_due_since, now() - interval '2 days', 'C41 and is not counted anew')
	from billing.subscriptions where id = 'sub_ann';
select pg_temp.state(:'ann', '{"status": "unpaid"}') \g /dev/null
select is(past_due_since, now() - interval '2 days', 'C41 nor forgotten while it stays unpaid')
	from billing.subscriptions where id = 'sub_ann';
select pg_temp.state(:'ann', '{}') \g /dev/null
select is(past_due_since, null, 'C41 until it is paid') from billing.subscriptions where id = 'sub_ann';

-- a day of grace has 24 hours in every time zone of the session
create function pg_temp.graced_in(p_zone text) returns timestamptz language plpgsql as $$
begin
	perform set_config('timezone', p_zone, true);
	return billing.grace_end('starter', '2026-03-27T12:00:00Z');
end
$$;
select is(pg_temp.graced_in(zone), '2026-03-30T12:00:00Z'::timestamptz, 'C41 grace ends at one instant, asked from '
	|| zone)
	from unnest('{UTC,Europe/Berlin,America/New_York}'::text[]) zone;
set local timezone = 'UTC';

-- overrides end by themselves and by hand
select is(pg_temp.brief(ops.put_override(:'ann', true, 'growth', now() + interval '1 day', 'a gift', 'ops')),
	'yes growth override ["chat", "api"]',
	'C44 an override may name the plan');
select is(pg_temp.brief(billing.entitlement(:'ann', now() + v.after)), v.brief, 'C44 an override ' || v.description)
	from (values (interval '1 day' - interval '1 us', 'yes growth override ["chat", "api"]', 'holds until its end'),
		(interval '1 day', 'yes starter active ["chat"]', 'does not hold at its end')) v (after, brief, description);
select is(pg_temp.brief(ops.end_override(:'ann', 'ops')), 'yes starter active ["chat"]',
	'C44 an override is ended by hand');
select is(tap.state_of('tollgate_operator', $$select ops.put_override(gen_random_uuid(), true, null, null, 'x', 'y')$$),
	'TG404', 'C44 for tenants there are');
select is(tap.state_of('tollgate_operator',
	format($$select ops.put_override(%L, true, 'none', null, 'x', 'y')$$, :'ann')), 'TG422', 'C44 and plans there are');

-- features are those of every subscription that grants, and of every item
select ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1, "features": ["chat", "mail"],
	"grace_days": 3},
	{"id": "growth", "price": "price_growth", "rank": 2, "features": ["chat", "api"]},
	{"id": "seats", "price": "price_seats", "rank": 0, "features": ["seats", "api"]}]') \g /dev/null
select tap.paid('sum') as sum \gset
create function pg_temp.item(p_price text) returns jsonb
	language sql as $$ select jsonb_build_object('price', jsonb_build_object('id', p_price), 'quantity', 1) $$;
create function pg_temp.with_two(p_tenant text, p_one jsonb, p_two jsonb) returns text language plpgsql as $$
begin
	perform tap.sync('subscription', tap.subscription('sum', p_tenant, p_one));
	perform tap.sync('subscription',
		tap.subscription('sum2', p_tenant, jsonb_build_object('customer', 'cus_sum', 'items', jsonb_build_object(
		'data', jsonb_build_array(pg_temp.item('price_growth'), pg_temp.item('price_alien'),
			pg_temp.item('price_seats')))) || p_two));
	return pg_temp.brief(billing.entitlement(p_tenant::uuid));
end
$$;
select is(pg_temp.with_two(:'sum', v.one, v.two), v.brief, 'C44 features ' || v.description)
from (values ('{}'::jsonb, '{}'::jsonb, 'yes growth active ["chat", "api", "mail", "seats"]',
	'of both, the best plan''s first, each once'),
	('{"status": "past_due"}', '{}', 'yes growth active ["chat", "api", "mail", "seats"]', 'of one within grace too'),
	('{"status": "unpaid"}', '{}', 'yes growth active ["chat", "api", "seats"]', 'of none that grants nothing'),
	('{}', '{"status": "canceled"}', 'yes starter active ["chat", "mail"]', 'of the other'),
	('{"status": "paused"}', '{"status": "canceled"}', 'no starter paused', 'of none'))
	v (one, two, brief, description);
select is(pg_temp.with_two(:'sum', '{}', '{"items": {"data": [{"price": "price_alien"}]}}'),
	'yes growth active ["chat", "api", "mail", "seats"]', 'D19 an unknown price changes none');
select is(plans, '{growth,seats}', 'C40 all plans of its items are kept')
	from billing.subscriptions where id = 'sub_sum2';
select is(pg_temp.brief(ops.put_override(:'sum', true, 'starter', null, 'x', 'ops')),
	'yes starter override ["chat", "mail"]', 'C44 an override that names a plan gives that');
select is(pg_temp.brief(ops.put_override(:'sum', true, null, null, 'x', 'ops')),
	'yes growth override ["chat", "api", "mail", "seats"]', 'C44 one that names none gives what is paid for');
select is(pg_temp.with_two(:'sum', '{"status": "unpaid"}', '{"status": "canceled"}'),
	'yes starter override ["chat", "mail"]', 'C44 or was');
select ops.end_override(:'sum', 'ops') \g /dev/null
select is(pg_temp.with_two(:'sum', '{"cancel_at": 1000000000}', '{}'), 'yes growth active ["chat", "api", "seats"]',
	'C44 one that has ended gives nothing');
select is(pg_temp.with_two(:'sum', '{"cancel_at": 1900000000}', '{}'),
	'yes growth active ["chat", "api", "mail", "seats"]', 'C44 and one that will end does until then');
select is(billing.entitlement(:'sum') -> 'until', 'null', 'C44 the end is that of the plan that is named');
select is(pg_temp.brief(billing.entitlement(:'sum', to_timestamp(1900000000))),
	'yes growth active ["chat", "api", "seats"]', 'C44 then not');
select tap.sync('charge', tap.charge('sum', '{"id": "ch_sum"}')), tap.sync('dispute', tap.dispute('sum')) \g /dev/null
select is(pg_temp.brief(billing.entitlement(:'sum')), 'no growth disputed', 'C44 a dispute takes all');

-- a clock that was a day ahead and has been corrected
create function pg_temp.ahead(p_table text) returns void language plpgsql as $$
begin
	execute format('update %s set from_at = now() + interval ''1 day'' where to_at is null', p_table);
end
$$;
select tap.paid('joe') as joe \gset
select pg_temp.ahead(t) from unnest('{billing.subscription_history,billing.plan_history}'::text[]) t \g /dev/null
select is(pg_temp.brief(billing.entitlement(:'joe')), 'yes starter active ["chat", "mail"]',
	'C44 what counts now does not wait until the clock comes to it');
select ops.put_override(:'joe', false, null, null, 'a test', 'tests'), pg_temp.ahead('billing.override_history')
	\g /dev/null
select is(pg_temp.brief(billing.entitlement(:'joe')), 'no starter override', 'C44 nor does the operator''s word');

select * from finish();
rollback;
