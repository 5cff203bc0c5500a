-- Periods of the ledger, and how often somebody may begin.
begin;
select no_plan();

-- months within a subscription item's period
select is(format('%s %s', m.from_at at time zone 'UTC', m.until_at at time zone 'UTC'), v.month,
	format('C86 %s in %s to %s', v.at, v.start, v.last))
from (values
	('2026-01-01', '2026-02-01', '2026-01-31 23:59', '2026-01-01 00:00:00 2026-02-01 00:00:00'),
	('2026-01-31', '2026-02-28', '2026-02-01', '2026-01-31 00:00:00 2026-02-28 00:00:00'),
	('2026-02-28', '2026-03-31', '2026-03-29', '2026-02-28 00:00:00 2026-03-31 00:00:00'),
	('2026-02-28', '2026-03-31', '2026-03-31', '2026-03-31 00:00:00 2026-04-30 00:00:00'),
	('2026-01-31', '2027-01-31', '2026-02-27', '2026-01-31 00:00:00 2026-02-28 00:00:00'),
	('2026-01-31', '2027-01-31', '2026-03-30', '2026-02-28 00:00:00 2026-03-31 00:00:00'),
	('2026-01-31', '2027-01-31', '2027-01-30', '2026-12-31 00:00:00 2027-01-31 00:00:00'),
	('2028-02-29', '2029-02-28', '2029-02-27', '2029-01-29 00:00:00 2029-02-28 00:00:00'),
	('2026-01-01', '2026-02-01', '2026-02-01', '2026-02-01 00:00:00 2026-03-01 00:00:00'),
	('2026-01-01', '2026-02-01', '2026-03-15', '2026-03-01 00:00:00 2026-04-01 00:00:00'),
	('2026-01-01', '2026-01-08', '2026-01-05', '2026-01-01 00:00:00 2026-01-08 00:00:00'),
	('2026-01-01', '2026-01-02', '2026-01-01 12:00', '2026-01-01 00:00:00 2026-01-02 00:00:00'),
	('2026-01-01', '2026-02-01', '2025-12-31', '2026-01-01 00:00:00 2026-02-01 00:00:00')) v (start, last, at, month)
	cross join lateral usage.month_in((v.start || ' UTC')::timestamptz, (v.last || ' UTC')::timestamptz,
		(v.at || ' UTC')::timestamptz) m;
select is((
	select count(distinct m.from_at) from generate_series('2026-01-31 UTC'::timestamptz, '2027-01-30 UTC',
		'1 hour') t (at)
		cross join lateral usage.month_in('2026-01-31 UTC', '2027-01-31 UTC', t.at) m
	where t.at >= m.from_at and t.at < m.until_at), 12::bigint, 'C86 a year has twelve, and each moment is in its own');

select ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1}, {"id": "growth", "price": "price_growth",
	"rank": 2}, {"id": "free", "free": true, "rank": 3}]') \g /dev/null
create function pg_temp.configure(p_rates jsonb) returns void language sql as $$
	select ops.put_usage(jsonb_build_object('meters', '["tokens", "mails"]'::jsonb, 'quotas', '[
		{"plan": "starter", "meter": "tokens", "included": 100, "sold": false, "most": 100},
		{"plan": "growth", "meter": "tokens", "included": 500, "sold": false, "most": 500},
		{"plan": "free", "meter": "tokens", "included": 5, "sold": false, "most": 5},
		{"plan": "starter", "meter": "mails", "included": 500, "sold": false, "most": 500}]'::jsonb,
		'rates', p_rates, 'caps', '[]'::jsonb, 'costs', '[]'::jsonb))
$$;
select pg_temp.configure('[]') \g /dev/null
select tap.paid('ann') as ann \gset
select tap.user('ann@example.org') as user, tap.user('mia@example.org') as mia \gset
create function pg_temp.reserve(p_tenant text, p_units bigint, p_request text, p_user text default null,
	p_meter text default 'tokens') returns jsonb language sql as $$
	select usage.reserve(p_tenant::uuid, p_user::uuid, null, p_meter, jsonb_build_object('unit', p_units),
		jsonb_build_array(jsonb_build_object('provider', '', 'model', p_meter)), p_request, 300)
$$;
create function pg_temp.plan(p_tenant text, p_price text, p_start timestamptz, p_end timestamptz,
	p_more jsonb default '{}')
	returns jsonb language sql as $$
	select tap.sync('subscription', tap.subscription('ann', p_tenant, jsonb_build_object('items',
		jsonb_build_object('data',
		jsonb_build_array(jsonb_build_object('price', jsonb_build_object('id', p_price, 'unit_amount', 1900, 'currency',
			'eur'), 'quantity', 1, 'current_period_start', extract(epoch from p_start)::bigint,
			'current_period_end', extract(epoch from p_end)::bigint)))) || p_more))
$$;

-- nothing is reset: another period is another account
select pg_temp.plan(:'ann', 'price_starter', date_trunc('day', now()) - interval '30 days', date_trunc('day', now()))
	\g /dev/null
select pg_temp.reserve(:'ann', 100, 'late renewal') as held \gset
select is(:'held'::jsonb -> 'ok', 'true', 'F145 a renewal whose event is late opens the period');
select pg_temp.plan(:'ann', 'price_starter', date_trunc('day', now()), date_trunc('day', now()) + interval '1 month')
	\g /dev/null
select is(pg_temp.reserve(:'ann', 1, 'renewed') ->> 'code', 'quota', 'F145 and the event no other');
select is(usage.summary(:'ann') ->> 'until', :'held'::jsonb ->> 'until',
	'C97 the period that is shown is that which counts');

-- up, down, up
select pg_temp.plan(:'ann', 'price_growth', date_trunc('day', now()), date_trunc('day', now()) + interval '1 month')
	\g /dev/null
select is(pg_temp.reserve(:'ann', 300, 'up') -> 'left', '100', 'F145 up: 500 in all');
select pg_temp.plan(:'ann', 'price_starter', date_trunc('day', now()), date_trunc('day', now()) + interval '1 month')
	\g /dev/null
select is(pg_temp.reserve(:'ann', 1, 'down') ->> 'code', 'quota', 'F145 down: nothing, and no fault');
select pg_temp.plan(:'ann', 'price_growth', date_trunc('day', now()), date_trunc('day', now()) + interval '1 month')
	\g /dev/null
select is(pg_temp.reserve(:'ann', 101, 'up again') ->> 'left', '100', 'F145 up again: what is left of the 500');
select is(pg_temp.reserve(:'ann', 100, 'up again') -> 'ok', 'true', 'F145 once');
select is((select h.plan from usage.holds h where h.request = 'late renewal'), 'starter', 'F145 a hold keeps its plan');
select is(usage.settle(:'ann', (:'held'::jsonb ->> 'id')::uuid, '{"unit": 90}', null, null, 'told', false) -> 'used',
	'90',
	'F145 and ends in its period');
select pg_temp.plan(:'ann', 'price_growth', date_trunc('day', now()), date_trunc('day', now()) + interval '1 month',
	jsonb_build_object('status', 'canceled', 'ended_at', 1767225700)) \g /dev/null
select is(pg_temp.reserve(:'ann', 5, 'free') -> 'ok', 'true',
	'F145 without a subscription the free plan has its own month');
select is(pg_temp.reserve(:'ann', 1, 'free too') ->> 'code', 'quota', 'F145 once');
select is((select count(*) from usage.accounts a where a.kind = 'tenant' and a.meter = 'tokens'), 2::bigint,
	'C86 two periods, two accounts');
select is(usage.faults(), '[]', 'F145 the books are true');

-- up, down, up where the larger plan sells what is beyond
savepoint before_selling;
delete from usage.holds where true;
delete from usage.accounts where true;
delete from usage.days where true;
update usage.quotas set included = 500, sold = true, most = 2000 where (plan, meter) = ('growth', 'tokens');
create function pg_temp.use(p_tenant text, p_units bigint, p_request text) returns text language sql as $$
	select coalesce(r.doc ->> 'code', usage.settle(p_tenant::uuid, (r.doc ->> 'id')::uuid,
		jsonb_build_object('unit', p_units), null, null, 'told', false) ->> 'left', 'unbounded')
	from (select pg_temp.reserve(p_tenant, p_units, p_request) as doc) r
$$;
create function pg_temp.told() returns text language sql as $$
	select string_agg(o.units::text, ' ' order by o.units) from usage.outbox o
$$;
create function pg_temp.month(p_tenant text, p_price text) returns jsonb language sql as $$
	select pg_temp.plan(p_tenant, p_price, date_trunc('day', now()), date_trunc('day', now()) + interval '1 month')
$$;
select pg_temp.plan(:'ann', 'price_growth', date_trunc('day', now()) - interval '28 days', date_trunc('day', now()))
	\g /dev/null
select is(pg_temp.use(:'ann', 5, 'late'), '1995', 'F145 what is sold is so while the event of a renewal is late');
select pg_temp.month(:'ann', 'price_growth') \g /dev/null
select pg_temp.month(:'ann', 'price_starter') \g /dev/null
select is(pg_temp.use(:'ann', 55, 'small'), '40', 'F145 down: of the smaller plan''s hundred 60 are used');
select pg_temp.month(:'ann', 'price_growth') \g /dev/null
select is(pg_temp.use(:'ann', 701, 'large'), '1239', 'F145 up: the most is that of the period');
select pg_temp.month(:'ann', 'price_starter') \g /dev/null
select is(pg_temp.use(:'ann', 1, 'small again'), 'quota', 'F145 down: nothing is left, and nothing more is billed');
select pg_temp.month(:'ann', 'price_growth') \g /dev/null
select is(pg_temp.use(:'ann', 1240, 'too large'), 'quota', 'F145 up again: no second most');
select is(pg_temp.use(:'ann', 1239, 'the rest'), '0', 'F145 but the rest of the first');
select is(pg_temp.told(), '5 701 1239', 'C76 Stripe is told once of each unit that a plan sold, and of no other');
select is(usage.meter_document(m, true) ->> 'beyond', '1500', 'C97 beyond what is included, once')
from jsonb_array_elements(usage.summary(:'ann') -> 'meters') m where m ->> 'meter' = 'tokens';
select is((select count(distinct h.accounts) from usage.holds h), 1::bigint,
	'F145 all of it in one period');
select is(usage.faults(), '[]', 'F145 the books are true');
rollback to before_selling;

-- a price that is paid by the year
savepoint before_year;
select pg_temp.plan(:'ann', 'price_growth', date_trunc('day', now()) - interval '150 days',
	date_trunc('day', now()) - interval '150 days' + interval '1 year') \g /dev/null
select ok(p.from_at <= now() and p.until_at > now() and p.until_at - p.from_at between '28 days' and '31 days',
	'C86 a year is counted by its months')
from usage.period_of(billing.decision(:'ann'), now()) p;
select is(pg_temp.reserve(:'ann', 500, 'of this month') -> 'left', '0', 'C86 each of which has what the plan includes');
update usage.accounts set from_at = from_at - interval '2 months', until_at = until_at - interval '2 months'
where from_at = (usage.summary(:'ann') ->> 'from')::timestamptz;
select is(pg_temp.reserve(:'ann', 500, 'of the next') -> 'left', '0', 'C86 once');
select is(pg_temp.reserve(:'ann', 1, 'of no other') ->> 'code', 'quota', 'C86 and no more');
rollback to before_year;

-- how often
select pg_temp.configure('[{"name": "minute", "plan": "", "meter": "", "allowed": 10, "seconds": 60},
	{"name": "day", "plan": "free", "meter": "", "allowed": 100, "seconds": 86400},
	{"name": "burst", "plan": "", "meter": "mails", "allowed": 1, "seconds": 1}]') \g /dev/null
create function pg_temp.take(p_who text, p_n int, p_tenant text) returns text language sql as $$
	select string_agg(coalesce(usage.take_rates(p_tenant::uuid, 'free', 'tokens', p_who::uuid) ->> 'refused', '-'), ' ')
	from generate_series(1, p_n)
$$;
-- all that were taken, so long ago by now
create function pg_temp.age(p_who text, p_age interval) returns void language sql as $$
	update usage.windows w set stamps = array_fill(clock_timestamp() - p_age, array[cardinality(w.stamps)])
	where w.subject = p_who::uuid
$$;
select is(pg_temp.take(:'user', 11, :'ann'), '- - - - - - - - - - minute', 'F144 the eleventh in a minute is refused');
select pg_temp.age(:'user', '0') \g /dev/null
select is(usage.take_rates(:'ann', 'free', 'tokens', :'user') - 'retry', '{"refused": "minute", "limits": [
	{"name": "minute", "allowed": 10, "seconds": 60, "left": 0, "reset": 60},
	{"name": "day", "allowed": 100, "seconds": 86400, "left": 90, "reset": 86400}]}', 'F144 which tells both limits');
select is(usage.take_rates(:'ann', 'free', 'tokens', :'user') -> 'retry', '60', 'F144 and when to come again');
select is(pg_temp.take(:'mia', 1, :'ann'), '-', 'F144 another user is not');
savepoint before_tenants;
select is(pg_temp.take(:'user', 10, gen_random_uuid()::text), '- - - - - - - - - -',
	'F144 nor the same in another tenant');
rollback to before_tenants;
select pg_temp.age(:'user', '59 s') \g /dev/null
select is(usage.take_rates(:'ann', 'free', 'tokens', :'user') -> 'retry', '1',
	'F144 a refused call is not counted: 1 s is left');
select pg_temp.age(:'user', '60 s') \g /dev/null
select is(pg_temp.take(:'user', 11, :'ann'), '- - - - - - - - - - minute',
	'F144 after 60 s there are ten again, and no more');
update usage.windows w set stamps = array(
	select s - case when n <= 19 then interval '61 s' else '30 s' end from unnest(w.stamps) with ordinality u (s, n))
where w.subject = :'user' and w.name = 'day';
update usage.windows w set stamps = array(
	select s - case when n <= 9 then interval '61 s' else '30 s' end from unnest(w.stamps) with ordinality u (s, n))
where w.subject = :'user' and w.name = 'minute';
select is(pg_temp.take(:'user', 10, :'ann'), '- - - - - - - - - minute',
	'F144 any 60 seconds hold ten: one from 30 s ago counts');
update usage.windows w set stamps = array(select s + interval '1 hour' from unnest(w.stamps) s)
where w.subject = :'user';
select is((usage.take_rates(:'ann', 'free', 'tokens', :'user') -> 'retry')::int, 60,
	'F144 a clock that goes back an hour locks out no longer than the limit is long');
select is((
	select string_agg(coalesce(t.r ->> 'refused', '-'), '' order by n)
	from generate_series(1, 11) n cross join lateral (
		select usage.take_rates(:'ann', 'free', 'tokens', :'mia'::uuid) as r where n > 0) t), '---------minuteminute',
	'F144 ten in all for another');
update usage.windows w set stamps = array(select now() - interval '2 min' - make_interval(secs => n)
	from generate_series(100, 1, -1) n) where w.subject = :'mia' and w.name = 'day';
update usage.windows w set stamps = '{}' where w.subject = :'mia' and w.name = 'minute';
select is(usage.take_rates(:'ann', 'free', 'tokens', :'mia') ->> 'refused', 'day',
	'C74 the 101st in 24 hours is refused');
select is(usage.take_rates(:'ann', 'free', 'tokens', :'mia') #> '{limits,1,left}', '10',
	'C74 and takes nothing of the minute');
select is(usage.take_rates(:'ann', 'starter', 'tokens', :'mia') ->> 'refused', null,
	'C74 another plan has no such limit');
select is(usage.take_rates(:'ann', 'starter', 'mails', :'mia') -> 'limits' -> 0 ->> 'name', 'burst',
	'C73 a limit of one meter is only of that');

-- a refusal by quota is counted, one by rate is not, and a repeated call takes nothing
delete from usage.windows where true;
select is(pg_temp.reserve(:'ann', 9, 'big ' || n, :'user') ->> 'code', 'quota', 'F144 refused by quota: ' || n)
from generate_series(1, 10) n;
select pg_temp.age(:'user', '30 s') \g /dev/null
select is(pg_temp.reserve(:'ann', 9, 'big 11', :'user') - 'limits',
	'{"ok": false, "code": "rate_minute", "retry_after": 30}',
	'F144 and counted: the eleventh is refused by its limit');
select is(pg_temp.reserve(:'ann', 5, 'free') -> 'ok', 'true', 'F144 a call that is repeated is answered again');
select is((select count(*) from usage.windows w where w.subject = :'ann'), 0::bigint, 'F144 and not counted');

-- windows that no limit asks for go
update usage.windows w set stamps = array[now() - interval '25 hours', now() - interval '23 hours'] where true;
insert into usage.windows (name, tenant_id, subject, stamps)
values ('minute', gen_random_uuid(), :'mia', array[now() - interval '25 hours']),
	('minute', gen_random_uuid(), gen_random_uuid(), '{}');
select is(usage.drop_windows(1), 1::bigint, 'C74 at most so many rows go at once');
select is(usage.drop_windows(10), 1::bigint, 'C74 rows go whose times are longer ago than the longest limit lasts');
select is((select min(cardinality(w.stamps)) from usage.windows w), 2, 'C74 and no other');

-- what a scheduler asks for
select pg_temp.configure('[]') \g /dev/null
delete from usage.accounts where true;
insert into usage.accounts (kind, tenant_id, subject, meter, from_at, until_at)
select 'tenant', gen_random_uuid(), '', 'tokens', now() - interval '2 months', now() - interval '1 month'
from generate_series(1, 101);
select is(api.roll_over(), '{"opened": 100, "expired": 0, "more": true}',
	'F157 a call opens a hundred periods, and says that there are more');
select is(api.roll_over(), '{"opened": 1, "expired": 0, "more": false}', 'F157 the next opens the rest');

select * from finish();
rollback;
