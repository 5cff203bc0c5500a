-- What Stripe's meters are told of.
begin;
select no_plan();

select ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1}]') \g /dev/null
select ops.put_usage('{"meters": ["tokens", "mails"], "quotas": [
	{"plan": "starter", "meter": "tokens", "included": 0, "sold": true},
	{"plan": "starter", "meter": "mails", "included": 0, "sold": true}],
	"rates": [], "caps": [], "costs": []}') \g /dev/null
select tap.paid('ann') as ann, tap.paid('bob') as bob \gset
create function pg_temp.use(p_tenant text, p_units bigint, p_name text, p_ago interval default '0',
	p_meter text default 'tokens') returns void language plpgsql as $$
begin
	perform usage.record(p_tenant::uuid, null, null, p_meter, jsonb_build_object('unit', p_units),
		jsonb_build_array(jsonb_build_object('provider', '', 'model', p_meter)), p_name);
	update usage.outbox o set at = now() - p_ago from usage.holds h where h.id = o.id and h.request = p_name;
end
$$;
-- what is claimed: "units of customer", or null
create temp table claimed (n serial, doc jsonb);
grant all on claimed to public;
create function pg_temp.claim() returns text language plpgsql as $$
declare
	doc jsonb := tap.ask('tollgate_jobs', 'service.claim_usage(60)');
begin
	if doc ? 'parked' then
		return 'parked';
	elsif doc is not null then
		insert into claimed (doc) values (doc);
	end if;
	return format('%s of %s', doc ->> 'units', doc ->> 'customer');
end
$$;
-- the outcome of the n-th claim
create function pg_temp.done(p_n int, p_call text default 'usage_told(%L, %L)') returns text language sql as $$
	select tap.state_of('tollgate_jobs', format('select service.' || p_call, c.doc ->> 'claim', c.doc ->> 'id'))
	from claimed c where c.n = p_n
$$;

select pg_temp.use(:'ann', 1, 'a1', '3 s'), pg_temp.use(:'ann', 2, 'a2', '2 s'), pg_temp.use(:'bob', 3, 'b1', '1 s'),
	pg_temp.use(:'ann', 4, 'a3', '1 s', 'mails') \g /dev/null
select is(pg_temp.claim(), '1 of cus_ann', 'F156 the oldest is told first');
select is(pg_temp.claim() in ('3 of cus_bob', '4 of cus_ann'), true, 'F156 then that of another customer or meter');
select is(pg_temp.claim() in ('3 of cus_bob', '4 of cus_ann'), true, 'F156 and the third of these');
select is(pg_temp.claim(), ' of ', 'F156 the next of the same customer and meter waits');
select is(pg_temp.done(1, 'usage_failed(%L, %L, ''no answer'', false)'), '00000', 'F156 no answer');
select is(pg_temp.claim(), ' of ', 'F156 it is tried later');
select is((select o.next_at from usage.outbox o where o.units = 1), now() + interval '2 s', 'F156 after 2 s at first');
update usage.outbox o set next_at = now() where o.units = 1;
select is(pg_temp.claim(), '1 of cus_ann', 'F156 and before its successor');
select is((select doc -> 'attempts' from claimed where n = 4), '2', 'F156 a second time');
select is(pg_temp.done(1), 'TG409', 'F156 the first claim holds no more');
select is(pg_temp.done(4), '00000', 'F156 the second does');
select is(pg_temp.claim(), '2 of cus_ann', 'F156 then its successor is told');
select is(pg_temp.done(5, 'usage_failed(%L, %L, ''No such meter'', true)'), '00000', 'F156 refused for good');
select is((select a.detail from ops.alerts a where a.kind = 'usage_parked' and a.subject = :'ann' || ':tokens'),
	'{"error": "No such meter", "records": 1}', 'F156 it is parked, and the operator is told');
select is(tap.ask('tollgate_operator', 'ops.retry_usage()'), '1', 'F156 who has it tried again');
select is(pg_temp.claim(), '2 of cus_ann', 'F156 by the same identifier');
select is((select doc -> 'attempts' from claimed where n = 6), '2', 'F156 as another try, which has a key of its own');
update usage.outbox o set tried_at = now() - interval '24 hours', claimed_until = null,
	state = 'parked', error = 'lost' where o.units = 2;
select tap.ask('tollgate_operator', 'ops.retry_usage()') \g /dev/null
select is(tap.ask('tollgate_jobs', 'service.claim_usage(60)') ? 'uncertain', true,
	'F156 what was tried a day ago is looked up, also when the operator has it tried again');
update usage.outbox o set claim = (select (doc ->> 'claim')::uuid from claimed where n = 6) where o.units = 2;
select is(pg_temp.done(6), '00000', 'F156 and it is told');
update usage.outbox set state = 'sent' where state = 'pending';

-- what cannot be told
select pg_temp.use(:'ann', 5, 'old', '35 days') \g /dev/null
select is(pg_temp.claim(), 'parked', 'F156 what is older than Stripe takes is parked');
update billing.customers c set deleted = true where c.id = 'cus_bob';
select pg_temp.use(:'bob', 7, 'gone') \g /dev/null
select is(pg_temp.claim(), 'parked', 'F156 what has no customer is parked');
select is(array(select o.error from usage.outbox o where o.state = 'parked' order by o.units),
	'{too old,no customer}', 'F156 each with its reason');
select is(usage.faults(), '[]', 'F156 the books are true');

select pg_temp.use(:'ann', 3, 'kept') \g /dev/null
select is(tap.ask('tollgate_operator', format('ops.drop_usage(%L)', :'ann')), '{"units": 5, "records": 1}',
	'F156 the operator gives up what cannot be told');
select is(tap.ask('tollgate_operator', 'ops.retry_usage()'), '1', 'F156 which is not tried again; others'' is');
select is((select string_agg(concat_ws(' ', o.units, o.state, o.error), ', ' order by o.units) from usage.outbox o
	where o.tenant_id = :'ann' and o.units in (3, 5)), '3 pending, 5 dropped dropped: too old',
	'F156 what waits still does');
select is((select count(*) from ops.alerts a where a.kind = 'usage_parked' and a.tenant_id = :'ann'
	and a.cleared_at is null), 0::bigint, 'F156 its alert ends');
select is((select e.detail from audit.entries e where e.kind = 'usage_dropped' and e.tenant_id = :'ann'),
	'{"units": 5, "records": 1}', 'F156 and the log has it');
select is(usage.faults(), '[]', 'F156 the books are true without it');
update usage.outbox set state = 'sent' where state = 'pending';

-- an answer was lost so long ago that Stripe would not know the identifier again: its sum of the minute decides
select pg_temp.use(:'ann', 6, 'lost'), pg_temp.use(:'ann', 30, 'beside') \g /dev/null
update usage.outbox o set at = date_trunc('minute', now()) - interval '2 days' + interval '7 s' where o.units = 6;
update usage.outbox o set at = date_trunc('minute', now()) - interval '2 days', state = 'sent' where o.units = 30;
create function pg_temp.verify(p_theirs bigint) returns text language plpgsql as $$
declare
	c jsonb;
	verdict jsonb;
begin
	update usage.outbox o set state = 'pending', error = null, claimed_until = null,
		tried_at = now() - interval '25 hours'
	where o.units = 6;
	c := tap.ask('tollgate_jobs', 'service.claim_usage(60)');
	verdict := tap.ask('tollgate_jobs', format('service.usage_verified(%L, %L, %s)', c ->> 'claim', c ->> 'id',
		p_theirs));
	return concat_ws(' ', (c #>> '{uncertain,until}')::bigint - (c #>> '{uncertain,from}')::bigint,
		c #>> '{uncertain,others}', verdict #>> '{}', (
			select concat_ws(' ', o.state, o.error, o.tried_at = now()) from usage.outbox o where o.units = 6));
end
$$;
select is(pg_temp.verify(36), '60 30 told sent f', 'F156 lost long ago: Stripe has it, so it is told');
select is(pg_temp.verify(30), '60 30 send pending t', 'F156 Stripe does not, so it is sent, and its time begins anew');
select is(pg_temp.verify(33), '60 30 parked parked uncertain f', 'F156 something else: it is parked');
select is((select a.detail ->> 'error' from ops.alerts a where a.kind = 'usage_parked' and a.cleared_at is null
	and a.subject = :'ann' || ':tokens'), 'uncertain', 'F156 with an alert');
update usage.outbox o set state = 'parked', error = 'uncertain' where o.units = 30;
select is(pg_temp.verify(36), '60 parked parked uncertain f',
	'F156 beside another that is not certain no sum decides');
update usage.outbox o set state = 'sent' where o.units in (6, 30);

-- a backlog of one customer: others' records are found as quickly
update billing.customers c set deleted = false where c.id = 'cus_bob';
insert into usage.outbox (id, tenant_id, meter, units, at)
select gen_random_uuid(), :'ann', 'tokens', 40, now() - interval '1 hour' + n * interval '1 s'
from generate_series(1, 2000) n;
insert into usage.outbox (id, tenant_id, meter, units, at) values (gen_random_uuid(), :'bob', 'tokens', 41, now());
analyze usage.outbox;
create function pg_temp.looked_at() returns bigint language sql as $$
	select t.idx_tup_fetch + t.seq_tup_read from pg_stat_xact_user_tables t where t.relid = 'usage.outbox'::regclass $$;
select is(pg_temp.claim(), '40 of cus_ann', 'F156 the first of a backlog');
select pg_temp.looked_at() as before \gset
select is(pg_temp.claim(), '41 of cus_bob', 'F156 does not keep others waiting while it is told');
select is(pg_temp.claim(), ' of ', 'F156 and then there is none');
select is(pg_temp.looked_at() - :before < 100, true, 'F156 which is known without a look at the whole backlog');
delete from usage.outbox o where o.units in (40, 41);

-- what waits for too long
select pg_temp.use(:'ann', 8, 'waits', '29 min') \g /dev/null
select tap.ask('tollgate_jobs', 'service.tend_usage(10)') \g /dev/null
select is((select count(*) from ops.alerts a where a.kind = 'usage_outbox'), 0::bigint, 'F156 29 minutes are no alert');
update usage.outbox o set at = now() - interval '31 min' where o.units = 8;
select tap.ask('tollgate_jobs', 'service.tend_usage(10)') \g /dev/null
select is((select count(*) from ops.alerts a where a.kind = 'usage_outbox' and a.cleared_at is null), 1::bigint,
	'F156 31 are one');
update usage.outbox o set state = 'sent' where o.units = 8;
select tap.ask('tollgate_jobs', 'service.tend_usage(10)') \g /dev/null
select is((select count(*) from ops.alerts a where a.kind = 'usage_outbox' and a.cleared_at is null), 0::bigint,
	'F156 which ends with its cause');

select * from finish();
rollback;
