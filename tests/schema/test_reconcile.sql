-- What webhooks missed is found in Stripe's lists and repaired; outages dead-letter nothing.
begin;
select no_plan();

create function pg_temp.take(p_name text, p_every int default 0) returns jsonb language sql as $$
	select tap.ask('tollgate_jobs', format('service.take_cursor(%L, %s, 0, 60)', p_name, p_every))
$$;
-- A page given to a step, as jobs or as a dry run (no cursor).
create function pg_temp.page(p_step text, p_name text, p_cursor jsonb, p_page jsonb, p_after text,
	p_more boolean default false, p_prev text default null) returns jsonb language sql as $$
	select tap.ask('tollgate_jobs',
		format('service.%s(%L, %L, %L, now(), %L, %L, %L, 60)', p_step, p_name, p_cursor ->> 'claim', p_page, p_prev,
			p_after, p_more)) -> 'found'
$$;
create function pg_temp.event(p_id text, p_object text, p_ago interval default '1 min') returns jsonb language sql as $$
	select jsonb_build_array(
		jsonb_build_object('id', p_id, 'type', 'customer.updated',
			'created', extract(epoch from now() - p_ago)::bigint::text, 'livemode', 'false',
			'kind', 'customer', 'object', p_object, 'raw', '{"é": 1}'))
$$;

-- cursors
select pg_temp.take('events') as mine \gset
select is(((:'mine'::jsonb ->> 'from')::bigint - extract(epoch from now() - interval '30 days'))::int, 0,
	'F81 the first pass goes back as far as Stripe does');
select is(pg_temp.take('events'), '{"busy": true}', 'F81 one process at a time');
update sync.cursors set claimed_until = now() + interval '1 s' where name = 'events';
select is(pg_temp.page('adopt_events', 'events', :'mine', pg_temp.event('evt_a', 'cus_a'), 'evt_a', true),
	'[{"id": "evt_a", "kind": "event", "type": "customer.updated"}]', 'F81 an event that never came');
select is(format('%s %s %s', state, object_id, convert_from(raw, 'UTF8')), 'received cus_a {"é": 1}',
	'F81 is in the inbox')
	from inbox.events where id = 'evt_a';
select is(claimed_until, now() + interval '60 s', 'F78 each page renews the lease')
	from sync.cursors where name = 'events';
select is(version - clean_version, 1::bigint, 'F81 and its object is due') from sync.objects where id = 'cus_a';
select is(pg_temp.page('adopt_events', 'events', :'mine', pg_temp.event('evt_a', 'cus_a'), 'evt_a', true), '[]',
	'F81 listed again it is nothing new');
select is(version, 1::bigint, 'F71 and marks nothing') from sync.objects where id = 'cus_a';
update sync.cursors set claimed_until = now() - interval '1 s';
select pg_temp.take('events', 300) as heir \gset
select is(:'heir'::jsonb ->> 'after', 'evt_a', 'F78 another goes on where one has died');
select is(tap.state_of('tollgate_jobs',
	format('select service.adopt_events(%L, %L, %L, now(), null, null, false, 60)',
		'events', :'mine'::jsonb ->> 'claim', '[]')), 'TG409', 'F78 who comes too late');
select is(pg_temp.page('adopt_events', 'events', :'heir', '[]', null), '[]', 'F81 the last page');
select is(pg_temp.take('events', 86400), null, 'F81 the pass is over, and the next is not due');
select is((:'mine'::jsonb ->> 'from')::bigint < (pg_temp.take('events') ->> 'from')::bigint, true,
	'F81 the next one begins where this one began');
select is(watermark - from_at, interval '1 hour', 'F81 with an hour of overlap')
	from sync.cursors where name = 'events';
select is(pg_temp.page('adopt_events', 'events', null, pg_temp.event('evt_b', 'cus_b'), 'evt_b'),
	'[{"id": "evt_b", "kind": "event", "type": "customer.updated"}]', 'F80 who only looks is told');
select is_empty($$select from inbox.events where id = 'evt_b' union all select from sync.objects where id = 'cus_b'$$,
	'F80 and changes nothing');

-- which clock counts
create function pg_temp.past(p_page jsonb) returns timestamptz language plpgsql as $$
declare
	mine jsonb;
begin
	update sync.cursors set claimed_until = null where name = 'events';
	mine := pg_temp.take('events');
	perform pg_temp.page('adopt_events', 'events', mine, p_page, 'evt_z');
	return watermark from sync.cursors where name = 'events';
end
$$;
select is(pg_temp.past(pg_temp.event('evt_c' || extract(epoch from ago), 'cus_c', ago)),
	to_timestamp(extract(epoch from now() - ago)::bigint),
	format('F81 by Stripe''s clock, from which ours is %s away, the next pass begins', ago))
	from unnest('{5 hours, -5 hours}'::interval[]) ago;
select is(pg_temp.past('[]'), to_timestamp(extract(epoch from now() + interval '5 hours')::bigint),
	'F81 where nothing is listed it stays where it was');
update sync.cursors set claimed_until = null where name = 'events';
select pg_temp.take('events') as mine \gset
select pg_temp.page('adopt_events', 'events', :'mine', pg_temp.event('evt_p1', 'cus_c'), 'evt_p1', true),
	pg_temp.page('adopt_events', 'events', :'mine', pg_temp.event('evt_p2', 'cus_c', '1 day'), 'evt_p2') \g /dev/null
select is(watermark, to_timestamp(extract(epoch from now() - interval '1 min')::bigint),
	'F81 of several pages the newest event counts') from sync.cursors where name = 'events';

-- field by field
select tap.paid('ann') as ann \gset
select tap.subscription('ann', :'ann') as told \gset
select pg_temp.take('subscriptions') as mine \gset
select is(pg_temp.page('compare_subscriptions', 'subscriptions', :'mine', jsonb_build_array(:'told'::jsonb),
	'sub_ann', true), '[]',
	'F81 what is the same is no drift');
create temp table changed (field text, more jsonb, difference jsonb);
insert into changed values
	('status', '{"status": "past_due"}', '["active", "past_due"]'),
		('cancel_at_period_end', '{"cancel_at_period_end": true}', '[false, true]'),
	('customer_id', '{"customer": {"id": "cus_other"}}', '["cus_ann", "cus_other"]'),
	('plan', '{"items": {"data": [{"price": {"id": "price_growth"}, "quantity": 1, "current_period_start": 1798000000,
		"current_period_end": 1800000000}]}}',
		'["starter", "growth"]'),
	('quantity', '{"items": {"data": [{"price": {"id": "price_starter"}, "quantity": 2,
		"current_period_start": 1798000000, "current_period_end": 1800000000}]}}',
		'[1, 2]');
select is(pg_temp.page('compare_subscriptions', 'subscriptions', null, jsonb_build_array(:'told'::jsonb || more),
	'sub_ann', true)
	-> 0 -> 'fields' -> field, difference, 'F81 drift of ' || field) from changed;
select is(count(*), 5::bigint, 'F81 every time in it is compared')
	from unnest('{cancel_at,canceled_at,ended_at,trial_end,created}'::text[]) f
	where pg_temp.page('compare_subscriptions', 'subscriptions', null,
		jsonb_build_array(:'told'::jsonb || jsonb_build_object(f, 1798000001)), null, true) <> '[]';
select is_empty($$select from ops.alerts where kind = 'drift'$$, 'F80 who only looks raises no alert');
select is(jsonb_array_length(
	pg_temp.page('compare_subscriptions', 'subscriptions', :'mine',
		jsonb_build_array(:'told'::jsonb || '{"status": "unpaid"}'), 'sub_ann', true)), 1, 'F81 one that differs');
select is(format('%s %s %s', tenant_id, subject, detail), :'ann'
	|| ' subscription:sub_ann {"status": ["active", "unpaid"]}', 'F81 raises an alert')
	from ops.alerts where kind = 'drift' and cleared_at is null;
select is(pg_temp.page('compare_subscriptions', 'subscriptions', :'mine',
	jsonb_build_array(:'told'::jsonb || '{"status": "unpaid"}'), 'sub_ann', true),
	'[]', 'F81 and is dirty: no drift any more');
select is(cleared_at, null, 'F81 which is not to say that it is the same: the alert stays')
	from ops.alerts where kind = 'drift';
select is(tap.write(tap.claim('subscription', 'sub_ann'), :'told'::jsonb || '{"status": "unpaid"}') -> 'clean', 'true',
	'F81 it is mended as ever');
select isnt(cleared_at, null, 'F81 which clears the alert') from ops.alerts where kind = 'drift';
select is(pg_temp.page('compare_subscriptions', 'subscriptions', :'mine',
	jsonb_build_array(:'told'::jsonb || '{"status": "unpaid"}'), 'sub_ann', true),
	'[]', 'F81 and then the same');
select ops.raise_alert(null, 'drift', 'subscription:sub_ann', '{}') \g /dev/null
update billing.subscriptions set synced_at = now() - interval '1 s' where id = 'sub_ann';
select pg_temp.page('compare_subscriptions', 'subscriptions', :'mine',
	jsonb_build_array(:'told'::jsonb || '{"status": "unpaid"}'), 'sub_ann', true) \g /dev/null
select is(count(*), 0::bigint, 'F81 what is found the same clears it, too')
	from ops.alerts where kind = 'drift' and cleared_at is null;
select ops.raise_alert(null, 'drift', 'subscription:sub_x', '{}'),
	tap.sync('subscription', tap.subscription('x', 'nobody')) \g /dev/null
select is(count(*), 0::bigint, 'F81 and so does writing down that it is nobody''s')
	from ops.alerts where kind = 'drift' and cleared_at is null;
delete from sync.orphans;
select is(pg_temp.page('compare_subscriptions', 'subscriptions', null,
	jsonb_build_array(tap.subscription('new', :'ann')), 'sub_new', true) -> 0 -> 'tenant', to_jsonb(:'ann'::text),
	'F81 a subscription that we have not');
select is(pg_temp.page('compare_subscriptions', 'subscriptions', null,
	jsonb_build_array(tap.subscription('x', 'nobody')), 'sub_x', true) -> 0 -> 'id',
	'"sub_x"', 'C38 nobody''s that somebody pays for');
select tap.sync('subscription', tap.subscription('x', 'nobody')) \g /dev/null
select is(pg_temp.page('compare_subscriptions', 'subscriptions', null,
	jsonb_build_array(tap.subscription('x', 'nobody')), 'sub_x', true), '[]',
	'C38 is no drift once it is known');
update billing.subscriptions set status = 'active' where id = 'sub_ann';
select is(pg_temp.page('compare_subscriptions', 'subscriptions', null, '[]', null),
	format('[{"id": "sub_ann", "kind": "subscription",
		"tenant": "%s", "fields": {"id": ["sub_ann", null]}}]', :'ann')::jsonb, 'F81 one that Stripe has not');

-- a list has only the first ten items of a subscription, which do not tell its plan, price or period
create function pg_temp.ten(p_tenant text, p_more jsonb default '{}') returns jsonb language sql as $$
	select jsonb_build_array(tap.subscription('ann', p_tenant, p_more)
		|| '{"currency": "eur", "items": {"has_more": true, "data": [{"price": {"id": "price_addon"},
			"quantity": 7, "current_period_start": 1797000000, "current_period_end": 1797000001}]}}')
$$;
select tap.sync('subscription', tap.subscription('ann', :'ann')) \g /dev/null
select version as was from sync.objects where kind = 'subscription' and id = 'sub_ann' \gset
select is(pg_temp.page('compare_subscriptions', 'subscriptions', null, pg_temp.ten(:'ann'), 'sub_ann', true), '[]',
	'F81 what a list does not show whole is no drift');
select is(version, :was::bigint, 'F80 who only looks marks nothing')
	from sync.objects where kind = 'subscription' and id = 'sub_ann';
select is(pg_temp.page('compare_subscriptions', 'subscriptions', null,
	pg_temp.ten(:'ann', '{"cancel_at_period_end": true}'), 'sub_ann', true) -> 0 -> 'fields',
	'{"cancel_at_period_end": [false, true]}', 'F81 but what it does show is');
select is(pg_temp.page('compare_subscriptions', 'subscriptions', :'mine', pg_temp.ten(:'ann'), 'sub_ann', true), '[]',
	'F81 nor for who mends');
select is(version, :was::bigint + 1, 'F81 who has it looked at')
	from sync.objects where kind = 'subscription' and id = 'sub_ann';
select is_empty($$select from ops.alerts where kind = 'drift' and subject = 'subscription:sub_ann'
	and cleared_at is null$$, 'F81 without an alert');

-- events do not reach back far enough
update sync.cursors set watermark = now() - interval '31 days', started_at = null, claimed_until = null
	where name = 'events';
select pg_temp.take('events', 300) \g /dev/null
select is(count(*), 0::bigint, 'F81 where nothing happened for a month, and somebody looked, nothing else is due')
	from sync.cursors where name = 'checkouts';
update sync.cursors set seen_at = now() - interval '31 days', started_at = null, claimed_until = null
	where name = 'events';
select pg_temp.take('events', 300) \g /dev/null
select is(version > clean_version, true, 'F81 after a month away all that may have changed is due')
	from sync.objects where id = 'cus_ann';
select results_eq($$select name from sync.cursors
	where finished_at is null
		and name not in ('events', 'subscriptions') order by 1$$, array['checkouts', 'disputes', 'invoices', 'refunds'],
		'F81 and what was made since is listed');
select pg_temp.take('invoices', -1) as mine \gset
select cmp_ok((:'mine'::jsonb ->> 'from')::bigint, '<=', extract(epoch from now() - interval '31 days')::bigint,
	'F81 from where events were last looked at');
select is(pg_temp.page('mark_objects', 'invoices', :'mine', '[{"kind": "invoice", "id": "in_1"}]', 'in_1'), '[]',
	'F81 such a list');
select is(count(*), 1::bigint, 'F81 marks') from sync.objects where id = 'in_1';
select is(pg_temp.take('invoices', -1), null, 'F81 and is not asked for again');

-- an outage
select tap.receive('evt_o', 'customer', 'cus_o') \g /dev/null
create function pg_temp.fail(p_error text) returns jsonb language sql as $$
	select tap.ask('tollgate_jobs',
		format('service.fail_object(%L, %L, %L, %L)',
			tap.claim('customer', 'cus_o') ->> 'claim', 'customer', 'cus_o', p_error))
$$;
select is(array_agg(distinct pg_temp.fail('unavailable') -> 'dead'), array['false'::jsonb],
	'F96 however long Stripe is away, nothing dies of it')
	from generate_series(1, 30);
select is(attempts, 0, 'F96 nor has fewer tries left') from sync.objects where id = 'cus_o';
select ok(next_at > now() + interval '4 min', 'F96 it is asked for seldom') from sync.objects where id = 'cus_o';
select is((select array_agg(d order by n)
	from (select n, pg_temp.fail('upstream') -> 'dead' d from generate_series(1, 12) n) v)[12], 'true'::jsonb,
	'F77 twelve errors of its own do');
select is((select count(*) from ops.alerts where kind = 'dead_object' and subject = 'customer:cus_o'), 1::bigint,
	'F77 with an alert');
select is(state, 'dead', 'F77 and dead events') from inbox.events where id = 'evt_o';

-- what is no drift
delete from auth.hits;
select tap.paid('no') as no \gset
create function pg_temp.drifts(p_page jsonb, p_listed timestamptz, p_prev text, p_more boolean) returns text
	language sql as $$
	select string_agg(f ->> 'id', ' ' order by f ->> 'id') from jsonb_array_elements(tap.ask('tollgate_jobs',
		format('service.compare_subscriptions(%L, null, %L, %L, %L, null, %L, 60)', 'subscriptions', p_page, p_listed,
			p_prev, p_more)) -> 'found') f where f ->> 'id' like 'sub_no%'
$$;
select tap.sync('subscription', tap.subscription('no' || n, :'no',
	jsonb_build_object('customer', 'cus_no', 'created', 1767225600 + n))) from generate_series(1, 3) n \g /dev/null
select is(pg_temp.drifts(jsonb_build_array(tap.subscription('no', :'no', '{"status": "unpaid"}')), now() + v.listed,
	'sub_no1', true), v.drifts, 'F81 stored ' || v.description)
from (values (interval '1 s', 'sub_no', 'before the list was asked for: what differs is drift'),
	(interval '-1 s', null, 'after that: it is not')) v (listed, drifts, description);
select is(pg_temp.drifts(v.page, now() + v.listed, v.prev, v.more), v.drifts, 'F81 absent: ' || v.description)
from (select jsonb_build_array(
		tap.subscription('x', 'nobody', '{"status": "canceled", "created": 1767225602}')) as page,
		p.* from (values
	('sub_no3', true, interval '1 s', null, 'between the page before and the last of this page is nothing'),
	(null, true, interval '1 s', 'sub_no3', 'what is newer than the last of the first page'),
	('sub_no3', false, interval '1 s', 'sub_no sub_no1 sub_no2', 'on the last page also what is older'),
	(null, true, interval '-1 s', null, 'not what was stored after the list was asked for'))
	p (prev, more, listed, drifts, description)) v;
select tap.sync('subscription', tap.subscription('no3', :'no',
	'{"customer": "cus_no", "created": 1767225603, "status": "canceled"}')) \g /dev/null
select is(pg_temp.drifts('[]', now() + interval '1 s', null, false), 'sub_no sub_no1 sub_no2',
	'F81 what has ended may be absent');
update sync.objects set version = version + 1, dead_at = now() where id = 'sub_no';
select is(pg_temp.drifts(jsonb_build_array(tap.subscription('no', :'no', '{"status": "unpaid"}')),
	now() + interval '1 s', 'sub_no1', true), 'sub_no', 'F81 one that was given up is compared all the same');

-- who has not the claim moves nothing
select pg_temp.take('late') as mine \gset
select tap.ask('tollgate_jobs', format('service.leave_cursor(%L, %L, 0, true)', 'late', gen_random_uuid())) \g /dev/null
select is(pg_temp.take('late'), '{"busy": true}', 'F78 a pass is left by who has it only');
select tap.ask('tollgate_jobs', format('service.leave_cursor(%L, %L, 0, false)', 'late', :'mine'::jsonb ->> 'claim'))
	\g /dev/null
select ok(pg_temp.take('late') ? 'claim', 'F81 who has it leaves it to others');

select * from finish();
rollback;
