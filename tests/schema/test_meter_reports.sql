-- What Stripe finds wrong with meter events after it has taken them.
begin;
select no_plan();

select ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1}]') \g /dev/null
select ops.put_usage('{"meters": ["tokens"], "quotas": [
	{"plan": "starter", "meter": "tokens", "included": 0, "sold": true}],
	"rates": [], "caps": [], "costs": []}') \g /dev/null
select tap.paid('ann') as ann \gset
create function pg_temp.use(p_units bigint, p_tenant text) returns uuid language sql as $$
	select (usage.record(p_tenant::uuid, null, null, 'tokens', jsonb_build_object('unit', p_units),
		'[{"provider": "", "model": "tokens"}]', 'r' || p_units) ->> 'id')::uuid
$$;
create function pg_temp.sample(p_identifier text) returns jsonb language sql as $$
	select jsonb_build_object('error_message', 'No such customer',
		'request', jsonb_build_object('identifier', p_identifier))
$$;
create function pg_temp.report(p_id text, p_meter text, p_code text, p_count int, p_samples jsonb) returns jsonb
	language sql as $$
	select tap.sync('meter_report', jsonb_strip_nulls(jsonb_build_object('id', p_id, 'object', 'v2.core.event',
		'type', 'v1.billing.meter.error_report_triggered', 'related_object', jsonb_build_object('id', p_meter),
		'data', jsonb_build_object('reason', jsonb_build_object('error_types', jsonb_build_array(
			jsonb_build_object('code', p_code, 'error_count', p_count, 'sample_errors', p_samples)))))))
$$;
create function pg_temp.row_of(p_id text) returns text language sql as $$
	select concat_ws(' ', o.state, o.round, o.error) from usage.outbox o where o.id = p_id::uuid
$$;
create function pg_temp.alerts() returns jsonb language sql as $$
	select coalesce(jsonb_object_agg(a.subject, a.detail - 'report'), '{}') from ops.alerts a
	where a.kind = 'meter_errors' and a.cleared_at is null
$$;
-- told, and Stripe has answered 200
create function pg_temp.tell() returns text language plpgsql as $$
declare
	c jsonb := tap.ask('tollgate_jobs', 'service.claim_usage(60)');
begin
	perform tap.ask('tollgate_jobs', format('service.usage_told(%L, %L)', c ->> 'claim', c ->> 'id'));
	return c ->> 'identifier';
end
$$;
select pg_temp.use(1, :'ann') as one, pg_temp.use(2, :'ann') as two \gset
select pg_temp.tell(), pg_temp.tell() \g /dev/null

select is(pg_temp.report('evt_1', 'mtr_1', 'meter_event_customer_not_found', 3,
		jsonb_build_array(pg_temp.sample(:'one'), pg_temp.sample('of-another'))) -> 'clean', 'true',
	'F156 an error report is written down');
select is(pg_temp.row_of(:'one'), 'parked 1 No such customer', 'F156 its record is parked with Stripe''s sentence');
select is(pg_temp.row_of(:'two'), 'sent 0', 'F156 and no other');
select is(pg_temp.alerts(), '{"tokens:meter_event_customer_not_found": {"meter": "tokens", "known": 1, "count": 3,
	"code": "meter_event_customer_not_found", "error": "No such customer"}}',
	'F156 the alert names meter, code and count, and how many of the samples are ours');
select tap.ask('tollgate_jobs', format('service.write_meter_report(%L, %L, %L, 1, %L)', o.claim, o.kind, o.id,
	'{"type": "v1.billing.meter.x", "data": {"reason": {"error_types": [{"code": "meter_event_customer_not_found",
	"error_count": 3, "sample_errors": []}]}}, "related_object": {"id": "tokens"}}'))
from sync.objects o where o.id = 'evt_1' \g /dev/null
select is(pg_temp.alerts() #> '{tokens:meter_event_customer_not_found,count}', '3',
	'F156 written again it counts once');
select pg_temp.report('evt_2', 'tokens', 'meter_event_customer_not_found', 4, '[]') \g /dev/null
select is(pg_temp.alerts() #> '{tokens:meter_event_customer_not_found,count}', '7', 'F156 the next report is added');
select pg_temp.report('evt_3', 'mtr_9', 'archived_meter', 1, jsonb_build_array(pg_temp.sample('x'))),
	pg_temp.report('evt_4', null, 'no_meter', 1, 'null'),
	tap.sync('meter_report', '{"id": "evt_5", "type": "v1.billing.meter.no_meter_found", "data": null}') \g /dev/null
select is(array(select * from jsonb_object_keys(pg_temp.alerts()) order by 1),
	'{mtr_9:archived_meter,tokens:meter_event_customer_not_found,unknown:no_meter}',
	'F156 what names nothing of ours is told too');

-- told again
select is(tap.ask('tollgate_operator', 'ops.retry_usage()'), '1', 'F156 the operator has it told again');
select is(pg_temp.alerts(), '{}', 'F156 which ends the alerts');
select is(pg_temp.tell(), :'one' || '-1', 'F156 by another identifier, since Stripe knows the first one for a day');
select pg_temp.report('evt_6', 'mtr_1', 'late', 1, jsonb_build_array(pg_temp.sample(:'one'))) \g /dev/null
select is(pg_temp.row_of(:'one'), 'sent 1', 'F156 a late report of the first one does not park it again');
select is(pg_temp.alerts() #> '{tokens:late,known}', '1', 'F156 though it is known to be ours');
select pg_temp.report('evt_7', 'mtr_1', 'again', 1, jsonb_build_array(pg_temp.sample(:'one' || '-1'))) \g /dev/null
select is(pg_temp.row_of(:'one'), 'parked 2 No such customer', 'F156 one of the second does');
select is((select concat_ws(' ', o.attempts, o.tried_at) from usage.outbox o where o.id = :'one'), '0',
	'F156 and its next identifier has not been tried');
select is(usage.faults(), '[]', 'F156 the books are true');

-- what is no identifier
select is((select count(*) from unnest(array[:'one' || '-', :'one' || '-x', upper(:'one'), '', null,
	:'one' || '-9999999999']) t cross join lateral usage.identified(t)), 0::bigint,
	'F156 what is no identifier names nothing');

select * from finish();
rollback;
