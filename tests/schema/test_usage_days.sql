-- Corrections below zero, and the comparison of closed days with Stripe's sums.
begin;
select no_plan();

select ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1}]') \g /dev/null
select ops.put_usage('{"meters": ["tokens"], "quotas": [
	{"plan": "starter", "meter": "tokens", "included": 0, "sold": true}],
	"rates": [], "caps": [], "costs": []}') \g /dev/null
select tap.paid('ann') as ann \gset
-- used, and found to be less afterwards: the hold has expired with p_units, and p_left is what it was
create function pg_temp.use(p_tenant text, p_units bigint, p_left bigint) returns uuid language plpgsql as $$
declare
	hold uuid := usage.reserve(p_tenant::uuid, null, null, 'tokens', jsonb_build_object('unit', p_units),
		'[{"provider": "", "model": "tokens"}]', 'r' || p_units, 300) ->> 'id';
begin
	perform usage.checkpoint(p_tenant::uuid, hold, jsonb_build_object('unit', p_units), null, null);
	update usage.holds h set expires_at = now() where h.id = hold;
	perform usage.expire(10);
	perform pg_temp.turn();
	if p_left is not null then
		perform usage.settle(p_tenant::uuid, hold, jsonb_build_object('unit', p_left), null, null, 'told', false);
	end if;
	return hold;
end
$$;
-- one turn of jobs, which Stripe answers well: what was asked of it
create function pg_temp.turn() returns text language plpgsql as $$
declare
	c jsonb := tap.ask('tollgate_jobs', 'service.claim_usage(60)');
begin
	if c ? 'claim' then
		perform tap.ask('tollgate_jobs', format('service.usage_told(%L, %L)', c ->> 'claim', c ->> 'id'));
	end if;
	return concat_ws(' ', case when c ? 'parked' then 'parked' when c ? 'cancel' then 'cancel' when c ? 'claim' then
		'tell ' || (c ->> 'units') end, coalesce(c ->> 'cancel', c ->> 'identifier'));
end
$$;
create function pg_temp.rows_of(p_id uuid) returns text language sql as $$
	select string_agg(concat_ws(' ', o.units, o.less, o.state, o.round), ', ' order by o.units desc)
	from usage.outbox o where p_id in (o.id, o.cancels)
$$;

select pg_temp.use(:'ann', 10, 4) as part \gset
select is(pg_temp.rows_of(:'part'), '10 0 sent 0, -6 0 pending 0', 'F138 what is corrected below waits');
select is(usage.faults(), '[]', 'F156 the books are true');
select is(pg_temp.turn(), 'cancel ' || :'part', 'F156 Stripe takes the event back');
select is(pg_temp.turn(), 'tell 4 ' || :'part' || '-1', 'F156 and is told what is left, by another identifier');
select is(pg_temp.rows_of(:'part'), '10 6 sent 1, -6 0 sent 0', 'F156 which is all');
select pg_temp.use(:'ann', 20, 0) as whole \gset
select is(pg_temp.turn(), 'cancel ' || :'whole', 'F156 of one that came to nothing');
select is(pg_temp.turn(), '', 'F156 nothing is told again');
select is(pg_temp.rows_of(:'whole'), '20 20 sent 1, -20 0 sent 0', 'F156 it is over');

select pg_temp.use(:'ann', 30, 25) as wrong \gset
select usage.park(:'wrong', 'No such customer') \g /dev/null
select is(pg_temp.turn(), 'parked', 'F156 what Stripe does not have is not taken back');
select is(pg_temp.rows_of(:'wrong'), '30 5 parked 0, -5 0 sent 0', 'F156 but it is less');
select tap.ask('tollgate_operator', 'ops.retry_usage()') \g /dev/null
select is(pg_temp.turn(), 'tell 25 ' || :'wrong', 'F156 when it is told again');

select pg_temp.use(:'ann', 40, 33) as late \gset
update usage.outbox o set tried_at = now() - interval '23 hours 1 min' where o.id = :'late';
select is(pg_temp.turn(), 'parked', 'F156 what Stripe has had for a day');
select is((select a.detail from ops.alerts a where a.kind = 'usage_credit' and a.cleared_at is null),
	'{"meter": "tokens", "units": -7, "error": "too late to be taken back"}',
	'F156 is for a credit by hand, of so many');
select is(tap.ask('tollgate_operator', 'ops.retry_usage()'), '0', 'F156 and not tried again');
select is(usage.faults(), '[]', 'F156 the books are true after all');

-- days
create function pg_temp.due() returns text language sql as $$
	select string_agg(format('%s %s', c.day, c.due_at), ', ' order by c.day) from usage.comparisons c
$$;
create function pg_temp.compare(p_theirs bigint) returns text language plpgsql as $$
declare
	c jsonb := tap.ask('tollgate_jobs', 'service.claim_comparison()');
begin
	if c ? 'tenant' then
		perform tap.ask('tollgate_jobs', format('service.compare_usage(%L, %L, %L, %s)', c ->> 'tenant', c ->> 'meter',
			c ->> 'day', p_theirs));
	end if;
	return concat_ws(' ', case when c ? 'skipped' then 'skipped' end, c ->> 'customer', c ->> 'day',
		(c ->> 'until')::bigint - (c ->> 'from')::bigint);
end
$$;
create function pg_temp.differences() returns jsonb language sql as $$
	select coalesce(jsonb_agg(a.detail order by a.id), '[]') from ops.alerts a
	where a.kind = 'usage_difference' and a.cleared_at is null
$$;
set timezone = 'UTC';
select is((select c.due_at from usage.comparisons c), (now()::date + interval '25 hours')::timestamptz,
	'F156 a day is compared an hour after its end');
select is(pg_temp.compare(0), '', 'F156 not earlier');
select now()::date - 1 as yesterday \gset
update usage.outbox o set at = o.at - interval '1 day';
update usage.comparisons c set day = c.day - 1, due_at = now();
select is(pg_temp.compare(69), 'cus_ann ' || :'yesterday' || ' 86400', 'F156 of each customer');
select is(pg_temp.differences(), '[]', 'F156 equal sums are no alert');
select is((select c.due_at from usage.comparisons c), null, 'F156 and the day is done');
select is((select sum(o.units - o.less) from usage.outbox o where o.units > 0), 69::numeric, 'F156 4 + 0 + 25 + 40');
update usage.comparisons c set due_at = now();
select pg_temp.compare(60) \g /dev/null
select is(pg_temp.differences(), '[{"ours": 69, "theirs": 60}]', 'F156 others are one, with both');
select is((select c.due_at from usage.comparisons c), now() + interval '1 hour', 'F156 and are looked at again');
select is(tap.ask('tollgate_operator', 'ops.audit_usage(null, null)') -> 'differences',
	jsonb_build_array(jsonb_build_object('tenant', :'ann', 'meter', 'tokens',
		'day', :'yesterday', 'ours', 69, 'theirs', 60)),
	'F156 the audit says it too');
update usage.comparisons c set due_at = now();
select pg_temp.compare(69) \g /dev/null
select is(pg_temp.differences(), '[]', 'F156 which ends with its cause');
update usage.outbox o set state = 'pending', next_at = now() where o.id = :'wrong';
update usage.comparisons c set due_at = now();
select is(pg_temp.compare(0), 'skipped', 'F156 a day of which something is to be told waits');
select is((select c.due_at from usage.comparisons c), now() + interval '1 hour', 'F156 for an hour');
update usage.comparisons c set due_at = null;
select pg_temp.turn() \g /dev/null
select is((select c.due_at from usage.comparisons c), now() + interval '1 hour',
	'F156 what is told late has its day done anew');
update usage.outbox o set state = 'parked' where o.id = :'wrong';
select is(tap.ask('tollgate_operator', format('ops.drop_usage(%L)', :'ann')) -> 'units', '25',
	'F156 what is given up');
update usage.comparisons c set due_at = now();
select pg_temp.compare(69) \g /dev/null
select is(pg_temp.differences(), '[{"ours": 44, "theirs": 69}]', 'F156 is not ours');
update usage.comparisons c set day = now()::date - 35, due_at = now();
select is(pg_temp.compare(0), 'skipped', 'F156 of a day that is 35 days old Stripe takes no more');
select is((select c.due_at from usage.comparisons c), null, 'F156 and nobody asks');
select is(pg_temp.differences() -> -1, '{"ours": 44, "final": true, "theirs": 69}',
	'F156 its difference is for the operator to clear');
update usage.comparisons c set day = now()::date - 1, due_at = now();
update billing.customers set deleted = true;
select is(pg_temp.compare(0), 'skipped', 'F156 nor without a customer');

select * from finish();
rollback;
