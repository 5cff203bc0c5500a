-- The past: history is written on change only, and an earlier entitlement is computed from it.
begin;
select no_plan();

select tap.paid('ann') as ann \gset
create function pg_temp.state(p_tenant text, p_more jsonb) returns text language plpgsql as $$
begin
	perform tap.sync('subscription', tap.subscription('ann', p_tenant, p_more));
	return (select count(*) from billing.subscription_history where subscription_id = 'sub_ann');
end
$$;
create function pg_temp.at(p_tenant text, p_at timestamptz) returns text language sql as $$
	select concat_ws(' ', e ->> 'allowed', e ->> 'reason') from billing.entitlement(p_tenant::uuid, p_at) e
$$;

select is(pg_temp.state(:'ann', v.more), v.rows, 'C44 history: ' || v.description)
from (values ('{}'::jsonb, '1', 'one row at first, and none for the same again'),
	('{"status": "past_due"}', '2', 'one more for a change'),
	('{"status": "past_due"}', '2', 'none for the same'),
	('{"status": "past_due", "customer": "cus_ann"}', '2', 'nor for what is not in it'),
	('{"status": "canceled", "ended_at": 1798500000}', '3', 'another change')) v (more, rows, description);
select is(count(*), 1::bigint, 'C44 one row is the present')
	from billing.subscription_history where subscription_id = 'sub_ann' and to_at is null;
select is(h.status, s.status, 'C44 and as the subscription is')
	from billing.subscription_history h join billing.subscriptions s on s.id = h.subscription_id
	where h.to_at is null;

-- active for days 1 to 10, past due from 10 (grace to 17), canceled from 20
update billing.subscription_history h set from_at = v.from_at, to_at = v.to_at, past_due_since = v.since
from (values ('active', '2026-01-01Z'::timestamptz, '2026-01-10Z'::timestamptz, null::timestamptz),
	('past_due', '2026-01-10Z', '2026-01-20Z', '2026-01-10Z'),
	('canceled', '2026-01-20Z', null, null)) v (status, from_at, to_at, since) where h.status = v.status;
select is(pg_temp.at(:'ann', v.at), v.expected, format('C44 entitled at %s: %s', v.at at time zone 'UTC', v.expected))
from (values ('2025-12-31T23:59:59.999999Z'::timestamptz, 'false no_subscription'), ('2026-01-01Z', 'true active'),
	('2026-01-09T23:59:59.999999Z', 'true active'),
	('2026-01-10Z', 'true past_due_grace'), ('2026-01-16T23:59:59.999999Z', 'true past_due_grace'),
	('2026-01-17Z', 'false grace_over'),
	('2026-01-19T23:59:59.999999Z', 'false grace_over'), ('2026-01-20Z', 'false canceled'), (now(), 'false canceled'),
	(now() + interval '10 years', 'false canceled')) v (at, expected);
select is(pg_temp.at(gen_random_uuid()::text, '2026-01-05Z'), 'false no_subscription', 'C63 of nobody else');

-- overrides
select ops.put_override(:'ann', true, null, null, 'goodwill', 'ops'),
	ops.put_override(:'ann', true, null, null, 'goodwill', 'ops') \g /dev/null
select is(count(*), 1::bigint, 'C44 an override said twice is one') from billing.override_history;
select ops.put_override(:'ann', false, null, null, 'fraud', 'ops') \g /dev/null
update billing.override_history set from_at = '2026-02-01Z', to_at = '2026-02-10Z' where allowed;
update billing.override_history set from_at = '2026-02-10Z' where not allowed;
select is(pg_temp.at(:'ann', v.at), v.expected, format('C44 overridden at %s: %s', v.at at time zone 'UTC', v.expected))
from (values ('2026-01-31T23:59:59Z'::timestamptz, 'false canceled'), ('2026-02-01Z', 'true override'),
	('2026-02-09T23:59:59Z', 'true override'),
	('2026-02-10Z', 'false override')) v (at, expected);

-- earlier contents of a plan
create function pg_temp.then(p_tenant text, p_at timestamptz) returns text language sql as $$
	select concat_ws(' ', e ->> 'allowed', e ->> 'reason', e ->> 'features')
		from billing.entitlement(p_tenant::uuid, p_at) e
$$;
select tap.paid('eve') as eve \gset
update billing.subscription_history set from_at = '2026-01-01Z' where subscription_id = 'sub_eve';
select ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1, "features": ["chat"], "grace_days": 3},
	{"id": "growth", "rank": 2, "price": "price_growth"}]') \g /dev/null
update billing.plan_history set from_at = '2026-03-01Z' where plan = 'starter' and to_at is null;
update billing.plan_history set to_at = '2026-03-01Z' where plan = 'starter' and to_at = now();
select ops.put_plans('[{"id": "starter", "price": "price_new", "amount": 2000, "currency": "eur", "rank": 1,
	"features": ["chat"], "grace_days": 3}, {"id": "growth", "rank": 2, "price": "price_growth"}]') \g /dev/null
select is(count(*), 2::bigint,
	'C44 a plan''s history has a row for each change of what it contains, and none for its price')
	from billing.plan_history where plan = 'starter';
select is(count(*), 1::bigint, 'C44 and one for a plan that was left alone')
	from billing.plan_history where plan = 'growth';
select is(pg_temp.then(:'eve', v.at), v.expected, format('C44 the plan as it was at %s', v.at at time zone 'UTC'))
from (values ('2026-02-28T23:59:59Z'::timestamptz, 'true active []'), ('2026-03-01Z', 'true active ["chat"]'),
	(now(), 'true active ["chat"]')) v (at, expected);
select is(object || step, 'plan{"plan": "starter", "status": "changed", "features": ["chat"]}',
	'C44 which is a step in what became of its tenants')
from ops.steps_of(:'eve') where object not like 'sub%';
update billing.subscription_history set status = 'past_due', past_due_since = '2026-02-25Z'
	where subscription_id = 'sub_eve';
select is(pg_temp.then(:'eve', v.at), v.expected, format('C44 and its grace at %s', v.at at time zone 'UTC'))
from (values ('2026-02-28T23:59:59Z'::timestamptz, 'true past_due_grace []'),
	('2026-03-01Z', 'false grace_over []')) v (at, expected);
select tap.sync('subscription',
	tap.subscription('eve2', :'eve', '{"customer": "cus_eve", "items": {"data": [{"price": "price_growth"}]}}'))
	\g /dev/null
update billing.subscription_history set status = 'active', from_at = '2026-01-01Z' where tenant_id = :'eve';
update billing.plan_history set rank = 3 where plan = 'starter' and to_at is null;
select is(billing.entitlement(:'eve', v.at) ->> 'plan', v.plan, 'C44 and its rank')
	from (values ('2026-02-01Z'::timestamptz, 'growth'), ('2026-04-01Z', 'starter')) v (at, plan);


-- what two subscriptions granted together, and the plan of a second item
update billing.plan_history set features = '{mail}' where plan = 'growth';
update billing.subscription_history set from_at = '2026-03-10Z', plans = '{growth}' where subscription_id = 'sub_eve2';
select is(pg_temp.then(:'eve', v.at), v.expected,
	format('C44 what was granted together at %s', v.at at time zone 'UTC'))
from (values ('2026-03-09T23:59:59Z'::timestamptz, 'true active ["chat"]'),
	('2026-03-10Z', 'true active ["chat", "mail"]')) v (at, expected);
update billing.subscription_history set plans = '{growth,starter}' where subscription_id = 'sub_eve';
select is(pg_temp.then(:'eve', '2026-03-09Z'), 'true active ["chat", "mail"]', 'C44 by the items of one');
update billing.subscription_history set plan = 'growth' where subscription_id = 'sub_eve';
select is(object || step, 'plan{"plan": "starter", "status": "changed", "features": ["chat"]}',
	'C44 a change of any of its plans is a step')
from ops.steps_of(:'eve') where object not like 'sub%';

-- a page sees the rows of its own tenant
select tap.paid('bob') as bob \gset
select tap.session('ann@example.org', 'a') as a \gset
select is(tap.ask('tollgate_billing', format('billing.entitlement(%L)', :'ann'), :'a') ->> 'reason', 'override',
	'C63 a tenant''s own entitlement');
select is(tap.ask('tollgate_billing', format('billing.entitlement(%L)', :'bob'), :'a') ->> 'reason', 'no_subscription',
	'C63 and nothing of another''s');

-- what an event changed
select tap.sync('subscription', tap.subscription('bob', :'bob', '{"status": "past_due"}')) \g /dev/null
select is(outcome - 'past_due_since', '{"status": ["active", "past_due"]}', 'C45 an event keeps what it changed')
	from inbox.events
	where object_id = 'sub_bob' order by outcome is null, outcome ? 'id', received_at limit 1;
select is(outcome -> 'tenant', '["draft", "active"]', 'C45 and whom it promoted')
	from inbox.events where object_id = 'cs_bob';

-- one row is open; what is closed stays as it was
select is(tap.state_of('none', v.statement), '23505', 'C44 there are no two present rows of ' || v.name)
from (values
	('a subscription', $$insert into billing.subscription_history (subscription_id, tenant_id, from_at, status,
		cancel_at_period_end) select subscription_id, tenant_id, now(), status, false
		from billing.subscription_history where to_at is null limit 1$$),
	('an override', $$insert into billing.override_history (tenant_id, from_at, allowed, reason, set_by)
		select tenant_id, now(), true, 'x', 'x' from billing.override_history where to_at is null limit 1$$),
	('a plan', $$insert into billing.plan_history (plan, from_at, rank, grace, features)
		select plan, now(), 9, grace, '{}' from billing.plan_history where to_at is null limit 1$$))
	v (name, statement);
create function pg_temp.closed() returns text language sql as $$
	select string_agg(h::text, ', ' order by h::text) from (
		select subscription_id, from_at, to_at from billing.subscription_history where subscription_id = 'sub_ann'
			and to_at < now()
		union all select tenant_id::text, from_at, to_at from billing.override_history where to_at < now()
		union all select plan, from_at, to_at from billing.plan_history where to_at < now()) h
$$;
select pg_temp.closed() as closed \gset
select tap.sync('subscription', tap.subscription('ann', :'ann', '{"status": "trialing"}')),
	ops.put_override(:'ann', true, null, null, 'a test', 'ops'),
	ops.put_plans('[{"id": "starter", "price": "price_new", "rank": 7}, {"id": "growth", "rank": 2}]') \g /dev/null
select is(pg_temp.closed(), :'closed', 'C44 a change ends the present row and no other');

select * from finish();
rollback;
