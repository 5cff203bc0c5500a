-- The journal is kept for ever, so nothing but the audit may read more of it than the work in hand has: what a call
-- reads is counted among many records of one tenant, all of its present period.
begin;
select no_plan();

-- A table of a few rows is read whole, which ends when autovacuum has counted its many. What is tested is which index
-- is taken meanwhile, whether autovacuum has been here or not.
set local enable_seqscan = off;

select ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1}]') \g /dev/null
select ops.put_usage('{"meters": ["tokens"], "rates": [{"name": "minute", "plan": "", "meter": "", "allowed": 200,
	"seconds": 60}], "caps": [{"kind": "all", "plan": "", "subject": "", "micros": 1000000000000000}], "costs": [
	{"provider": "acme", "model": "big", "class": "unit", "micros": 3000000}], "quotas": [
	{"plan": "starter", "meter": "tokens", "included": 5, "sold": true, "most": null}]}') \g /dev/null
select tap.paid('ann') as ann \gset
update billing.subscriptions s set period_start = now() - interval '5 days', period_end = now() + interval '20 days'
where true;
insert into billing.customers (id, tenant_id) values ('cus_size', :'ann') on conflict do nothing;
select tap.session('ann@example.org', 'ann') as owner \gset
create function pg_temp.reserve(p_tenant text, p_request text, p_seconds int default 300) returns jsonb
language sql as $$
	select usage.reserve(p_tenant::uuid, null, null, 'tokens', '{"unit": 4}', '[{"provider": "acme", "model": "big"}]',
		p_request, p_seconds)
$$;
create function pg_temp.settle(p_tenant text, p_hold jsonb, p_units bigint) returns jsonb language sql as $$
	select usage.settle(p_tenant::uuid, (p_hold ->> 'id')::uuid, jsonb_build_object('unit', p_units), null, null,
		'told', false)
$$;
select pg_temp.settle(:'ann', pg_temp.reserve(:'ann', 'first'), 3) \g /dev/null

-- as many more, of 4,000 tenants too, told to Stripe
insert into usage.holds (tenant_id, request, digest, meter, plan, sold, models, accounts, units, micros, counts, state,
	provider, model, spent, spent_micros, outer_micros, costs, counted, created_at, expires_at, ended_at)
select case when n % 2 = 0 then k.tenant_id else md5((n % 4000)::text)::uuid end, 'fill ' || n, k.digest, k.meter,
	k.plan, k.sold, k.models, k.accounts, k.units, k.micros, k.counts, k.state, k.provider, k.model, k.spent,
	k.spent_micros, k.outer_micros, k.costs, k.counted, k.created_at - make_interval(secs => n), k.expires_at,
	k.ended_at
from usage.holds k, generate_series(1, 100000) n;
insert into usage.outbox (id, tenant_id, meter, units, at, state, sent_at)
select h.id, h.tenant_id, h.meter, h.spent, h.created_at, 'sent', h.created_at
from usage.holds h on conflict (id) do nothing;
update usage.outbox set state = 'sent', sent_at = now() where state = 'pending';

-- Rows of the journal and of what Stripe is told that a call reads.
create function pg_temp.rows_read() returns bigint language sql as $$
	select sum(s.seq_tup_read + coalesce(s.idx_tup_fetch, 0))::bigint from pg_stat_xact_user_tables s
	where s.schemaname = 'usage' and s.relname in ('holds', 'corrections', 'outbox', 'comparisons')
$$;
create function pg_temp.reads(p_call text) returns bigint language plpgsql as $$
declare
	before bigint := pg_temp.rows_read();
begin
	execute 'select ' || p_call;
	return pg_temp.rows_read() - before;
end
$$;
select ok(pg_temp.reads('usage.faults_of(''' || :'ann' || ''')') >= 50000, 'C84 the audit reads all that a tenant has');
create function pg_temp.few(p_call text, p_what text) returns text language sql as $$
	select cmp_ok(pg_temp.reads(p_call), '<=', 30::bigint, 'C84 among many records few are read: ' || p_what)
$$;

-- by plans that were made while there was next to nothing
select pg_temp.reserve(:'ann', 'early') as early, pg_temp.reserve(:'ann', 'early late', 1) as early_late \gset
update usage.holds h set expires_at = now() where h.request = 'early late';
select pg_temp.few(v.call, 'by early plans: ' || v.what)
from (values (format('pg_temp.reserve(%L, %L)', :'ann', 'early new'), 'reserve'),
	(format('pg_temp.reserve(%L, %L)', :'ann', 'early new'), 'reserve again'),
	(format('usage.record(%L, null, null, %L, %L, %L, %L)', :'ann', 'tokens', '{"unit": 1}',
		'[{"provider": "acme", "model": "big"}]', 'early record'), 'record'),
	(format('usage.checkpoint(%L, %L, %L, null, null)', :'ann', :'early'::jsonb ->> 'id', '{"unit": 1}'), 'checkpoint'),
	(format('pg_temp.settle(%L, %L, 2)', :'ann', :'early'), 'settle'),
	('usage.expire(10)', 'expire'),
	(format('pg_temp.settle(%L, %L, 2)', :'ann', :'early_late'), 'settle what has expired')) v (call, what);
set local enable_seqscan = on;
analyze usage.holds;
analyze usage.outbox;

-- by others

select pg_temp.reserve(:'ann', 'held') as held, pg_temp.reserve(:'ann', 'late') as late,
	pg_temp.reserve(:'ann', 'lost') as lost \gset
update usage.holds h set expires_at = now() where h.request in ('late', 'lost');
select pg_temp.few(format('pg_temp.reserve(%L, %L)', :'ann', 'new'), 'reserve');
select pg_temp.few(format('pg_temp.reserve(%L, %L)', :'ann', 'new'), 'reserve again');
select pg_temp.few(format('usage.checkpoint(%L, %L, %L, null, null)', :'ann', :'held'::jsonb ->> 'id', '{"unit": 1}'),
	'checkpoint');
select pg_temp.few(format('pg_temp.settle(%L, %L, 2)', :'ann', :'held'), 'settle');
select pg_temp.few(format('pg_temp.settle(%L, %L, 2)', :'ann', :'held'), 'settle again');
select pg_temp.few('usage.expire(10)', 'expire');
select pg_temp.few(format('pg_temp.settle(%L, %L, 2)', :'ann', :'late'), 'settle what has expired');
select pg_temp.few(format('usage.record(%L, null, null, %L, %L, %L, %L)', :'ann', 'tokens', '{"unit": 1}',
	'[{"provider": "acme", "model": "big"}]', 'record'), 'record');
select pg_temp.few('api.roll_over()', 'the scheduler''s repair');
select pg_temp.few('service.tend_usage(100)', 'what jobs tends');
select pg_temp.few(format('usage.summary(%L)', :'ann'), 'what is left');
select pg_temp.few(format('tap.ask(%L, %L, %L)', 'tollgate_account', 'api.usage_page()', :'owner'), 'the page');
select pg_temp.few(format('tap.ask(%L, %L, %L)', 'tollgate_billing', 'api.billing_page()', :'owner'),
	'the billing page');
select service.claim_usage(30) as claim \gset
select isnt(:'claim'::jsonb ->> 'units', null, 'C76 there is something to tell Stripe');
select pg_temp.few(format('service.usage_told(%L, %L)', :'claim'::jsonb ->> 'claim', :'claim'::jsonb ->> 'id'), 'told');
select pg_temp.few('service.claim_usage(30)', 'what Stripe is told next');
select pg_temp.few('billing.waits_for_usage(''cancellation'', ''sub_ann'')', 'whether the end waits');
select pg_temp.few(format('usage.park_samples(%L)', jsonb_build_array(jsonb_build_object('error_message', 'x',
	'request', jsonb_build_object('identifier', :'claim'::jsonb ->> 'id')))), 'what an error report names');

select * from finish();
rollback;
