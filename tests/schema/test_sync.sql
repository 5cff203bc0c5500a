-- The inbox and the claims on dirty objects.
begin;
select no_plan();

select is(tap.receive('evt_1', 'subscription', 'sub_x'), '{"duplicate": false}', 'C33 a new event');
select is(tap.receive('evt_1', 'subscription', 'sub_x'), '{"duplicate": true}', 'C33 the same again');
select is(version, 1::bigint, 'F71 a duplicate marks nothing') from sync.objects;
select is(raw, '\x7b7d', 'C30 the exact bytes are kept') from inbox.events;
select is(created, to_timestamp(1767225600), 'C33 and when Stripe made it') from inbox.events;
select is(tap.receive('evt_2', null, null, '{"created": 0, "livemode": true, "key": "1"}', '\x00ff'),
	'{"duplicate": false}', 'C32 an event about nothing we know');
select is(state, 'ignored', 'C32 is kept and ignored') from inbox.events where id = 'evt_2';
select is(tap.receive('evt_3', 'invoice', null, '{"created": 9223372036854775807, "livemode": true}', '\x'),
	'{"duplicate": false}', 'F74 no object and an absurd time');
select is(state, 'ignored', 'F74 are kept and ignored too') from inbox.events where id = 'evt_3';
select is(count(*), 1::bigint, 'F74 and mark nothing') from sync.objects;

-- several events at once
select is(tap.ask('tollgate_webhooks', format('service.receive_events(%L, %L)', $$[
		{"id": "evt_b2", "type": "x.y", "created": 1767225600, "livemode": false, "signature": "t=1", "key": "1",
			"kind": "subscription", "object": "sub_b", "at": 3, "size": 3},
		{"id": "evt_1", "type": "x.y", "created": 0, "livemode": false, "signature": "t=1", "key": "0",
			"kind": "subscription", "object": "sub_x", "at": 1, "size": 2},
		{"id": "evt_b1", "type": "x.y", "created": 0, "livemode": false, "signature": "t=1", "key": "0",
			"kind": "subscription", "object": "sub_b", "at": 1, "size": 2},
		{"id": "evt_b1", "type": "x.y", "created": 0, "livemode": false, "signature": "t=1", "key": "0",
			"kind": "customer", "object": "cus_b", "at": 1, "size": 2},
		{"id": "evt_b3", "type": "x.y", "created": 9223372036854775807, "livemode": false, "signature": "t=1",
			"key": "0", "at": 6, "size": 0}]$$,
	'\x7b7d00ff7b'::bytea)), '["evt_b1", "evt_b2", "evt_b3"]', 'C33 of several at once, those that are new are told');
select is(array_agg(raw order by id), array['\x7b7d', '\x00ff7b', '\x']::bytea[], 'C30 each with its own bytes')
	from inbox.events where id like 'evt_b%';
select is(array_agg(state order by id), '{received,received,ignored}', 'C32 and its own state')
	from inbox.events where id like 'evt_b%';
select is(array_agg(kind || id || version), '{subscriptionsub_b1}', 'C35 two events of one object are one mark')
	from sync.objects where id like '%_b';
select is(version, 1::bigint, 'F71 a duplicate among them marks nothing') from sync.objects where id = 'sub_x';
delete from sync.objects where id = 'sub_b';
delete from inbox.events where id like 'evt_b%';

-- events of another mode or account
update meta.stamp set account = 'acct_ours';
select is(tap.ask('tollgate_webhooks', format('service.receive_events(%L, %L)', $$[
		{"id": "evt_f1", "type": "x.y", "created": 0, "livemode": true, "kind": "subscription", "object": "sub_f1",
			"at": 1, "size": 1},
		{"id": "evt_f2", "type": "x.y", "created": 0, "livemode": false, "account": "acct_other",
			"kind": "subscription", "object": "sub_f2", "at": 1, "size": 1},
		{"id": "evt_f3", "type": "x.y", "created": 0, "livemode": false, "account": "acct_ours", "kind": "subscription",
			"object": "sub_f3", "at": 1, "size": 1}]$$,
	'\x7b'::bytea)), '["evt_f1", "evt_f2", "evt_f3"]', 'F74 strange events are received');
select is(array_agg(array[id, state, object_id, outcome ->> 'foreign'] order by id),
	'{{evt_f1,ignored,NULL,livemode},{evt_f2,ignored,NULL,account},
	{evt_f3,received,sub_f3,NULL}}', 'F74 those of another mode or account are ignored')
	from inbox.events where id like 'evt_f%';
select is(array_agg(id), '{sub_f3}', 'F74 and mark nothing') from sync.objects where id like 'sub_f%';
select is(array_agg(kind || ' ' || subject), '{foreign_event account}', 'F74 and the operator is told')
	from ops.alerts where subject = 'account';
select is(tap.ask('tollgate_operator', $$ops.list_replay('{"state": "ignored", "type": "x.y"}', null)$$) -> 0 ->> 'raw',
	null,
	'F80 whose replay finds no object in them');
delete from sync.objects where id = 'sub_f3';
delete from inbox.events where id like 'evt_f%';

-- claims
select tap.claim('subscription', 'sub_x') as claim \gset
select is(:'claim'::jsonb - 'claim',
	'{"kind": "subscription", "id": "sub_x", "version": 1, "attempts": 0, "newest_event": "evt_1"}',
	'C35 a dirty object is claimed');
select is(tap.ask('tollgate_jobs', 'service.claim_object(60)'), null, 'C35 by one only');
select is(tap.state_of('tollgate_jobs',
	format($$select service.write_subscription(%L, 'subscription', 'sub_x', 1, '{"id": "sub_y"}')$$,
		:'claim'::jsonb ->> 'claim')), 'TG422', 'F68 a document of another object is refused');

-- a mark made during the fetch
select tap.receive('evt_4', 'subscription', 'sub_x') \g /dev/null
select is(tap.write(:'claim', tap.subscription('x', 'nobody')), '{"clean": false, "orphan": true}',
	'F73 a mark made during the fetch leaves it dirty');
select is(count(*) filter (where state = 'received'), 2::bigint, 'F73 with its events open') from inbox.events;
select tap.ask('tollgate_jobs', 'service.claim_object(60)') as again \gset
select is(:'again'::jsonb - 'claim',
	'{"kind": "subscription", "id": "sub_x", "version": 2, "attempts": 0, "newest_event": "evt_1"}',
	'F73 it is due at once');
select is(tap.state_of('tollgate_jobs',
	format('select service.write_subscription(%L, %L, %L, 1, %L)', :'claim'::jsonb ->> 'claim',
	'subscription', 'sub_x', tap.subscription('x', 'nobody'))), 'TG409', 'F78 the earlier claim cannot write any more');
select is(tap.state_of('tollgate_jobs', format($$select service.fail_object(%L, 'subscription', 'sub_x', 'late')$$,
	:'claim'::jsonb ->> 'claim')), 'TG409', 'F78 nor fail it');
select is(tap.write(:'again', tap.subscription('x', 'nobody')), '{"clean": true, "orphan": true}',
	'C38 nobody''s subscription is clean');
select is(tap.write(:'again', tap.subscription('x', 'nobody')), '{"clean": true, "orphan": true}',
	'F88 the same call again answers the same');
select is(array_agg(distinct state), '{ignored}', 'C38 its events are ignored, and counted')
	from inbox.events where object_id = 'sub_x';
select is(count(*), 0::bigint, 'C38 nothing of it is kept') from billing.subscriptions;
select is(tap.ask('tollgate_jobs', 'service.claim_object(60)'), null, 'C35 nothing is due');

-- a process that dies with a claim
select tap.receive('evt_5', 'customer', 'cus_x') \g /dev/null
select tap.claim('customer', 'cus_x') as dead \gset
update sync.objects set claimed_until = now() - interval '1 s' where id = 'cus_x';
select tap.ask('tollgate_jobs', 'service.claim_object(60)') as heir \gset
select is(:'heir'::jsonb - 'claim',
	'{"kind": "customer", "id": "cus_x", "version": 1, "attempts": 1, "newest_event": "evt_5"}',
	'F78 an expired lease is taken over, and counts');
select is(tap.state_of('tollgate_jobs',
	format($$select service.write_customer(%L, 'customer', 'cus_x', 1, '{"id": "cus_x"}')$$,
		:'dead'::jsonb ->> 'claim')), 'TG409', 'F78 the dead one''s write is refused when it comes after all');

-- failures
select is(tap.ask('tollgate_jobs',
	format($$service.fail_object(%L, 'customer', 'cus_x', 'timeout')$$, :'heir'::jsonb ->> 'claim')),
	'{"dead": false}', 'F77 a failure');
select ok(next_at between now() + interval '1 s' and now() + interval '2 s',
	'F77 is tried again after a back-off with jitter') from sync.objects
	where id = 'cus_x';
select is(last_error, 'timeout', 'F77 and says why') from sync.objects where id = 'cus_x';
select is(attempts, 2, 'F77 its event has counted the failure and the lost lease') from inbox.events where id = 'evt_5';
select tap.ask('tollgate_jobs',
	format($$service.fail_object(%L, 'customer', 'cus_x', 'timeout')$$, :'heir'::jsonb ->> 'claim')) \g /dev/null
select is(attempts, 2, 'F88 told twice it counts once') from sync.objects where id = 'cus_x';
select is(attempts, 2, 'F88 in its event too') from inbox.events where id = 'evt_5';
select tap.ask('tollgate_jobs',
	format($$service.fail_object(%L, 'customer', 'cus_x', 'unavailable')$$, tap.claim('customer', 'cus_x') ->> 'claim'))
	\g /dev/null
select is(attempts, 2, 'F77 an outage is no failure of the event') from inbox.events where id = 'evt_5';
create function pg_temp.fail_with(p_error text) returns int language plpgsql as $f$
begin
	update sync.objects set next_at = now() where id = 'cus_x';
	perform tap.ask('tollgate_jobs', format('service.fail_object(%L, ''customer'', ''cus_x'', %L)',
		tap.claim('customer', 'cus_x') ->> 'claim', p_error));
	return (select attempts from sync.objects where id = 'cus_x');
end
$f$;
select is(pg_temp.fail_with(word), 2, 'F77 nor a try of the object: ' || word)
	from unnest('{unavailable,uncertain,key_refused}'::text[]) word;
update sync.objects set outages = 0, next_at = now() + interval '1 s' where id = 'cus_x';
select is(tap.ask('tollgate_jobs', 'service.claim_object(60)'), null, 'F77 it is not due before its time');
create function pg_temp.fail_once() returns jsonb language sql as $$
	select tap.ask('tollgate_jobs',
		format($f$service.fail_object(%L, 'customer', 'cus_x', 'timeout')$f$,
			tap.claim('customer', 'cus_x') ->> 'claim'))
$$;
select is(array_agg(pg_temp.fail_once() -> 'dead')::text[],
	'{false,false,false,false,false,false,false,false,false,true}', 'F77 it is given up after twelve')
	from generate_series(1, 10);
select ok(next_at <= now() + interval '10 min', 'F77 never waiting more than ten minutes')
	from sync.objects where id = 'cus_x';
select is(tap.claim('customer', 'cus_x'), null, 'F77 a dead object is not claimed');
select is(state, 'dead', 'F77 its events are dead letters') from inbox.events where id = 'evt_5';
select is(tap.ask('tollgate_operator', 'ops.status()') -> 'dead_objects', '1', 'F77 the operator sees it');
select tap.receive('evt_6', 'customer', 'cus_x') \g /dev/null
select tap.claim('customer', 'cus_x') as revived \gset
select is(:'revived'::jsonb -> 'attempts', '0', 'F77 a new event gives it a new life');
select is(tap.ask('tollgate_jobs',
	format($$service.object_gone(%L, 'customer', 'cus_x', 2)$$, :'revived'::jsonb ->> 'claim')), '{"clean": true}',
	'C36 an object that Stripe does not know is clean');
select is(array_agg(distinct state), '{done}', 'F77 and its events are through, the dead ones too')
	from inbox.events where object_id = 'cus_x';

-- a key that Stripe refuses
select sync.mark('customer', 'cus_key') \g /dev/null
update sync.objects set attempts = 11 where id = 'cus_key';
select is(tap.ask('tollgate_jobs',
	format($$service.fail_object(%L, 'customer', 'cus_key', 'key_refused')$$,
		tap.claim('customer', 'cus_key') ->> 'claim')),
	'{"dead": false}', 'F102 a key that is refused is no failure of the object');
select tap.ask('tollgate_jobs', $$service.watch_key('["every call"]')$$),
	tap.ask('tollgate_jobs', $$service.watch_key('["every call"]')$$) \g /dev/null
select is(array_agg(subject || detail), '{"jobs{\"refused\": [\"every call\"]}"}', 'F102 the operator is told once')
	from ops.alerts where kind = 'stripe_key' and cleared_at is null;
select ok(next_at > now(), 'F102 it waits') from sync.objects where id = 'cus_key';
select tap.ask('tollgate_jobs', $$service.watch_key('[]')$$) \g /dev/null
select is(count(*), 0::bigint, 'F102 the alert is cleared when nothing is refused any more') from ops.alerts
	where kind = 'stripe_key' and cleared_at is null;
select ok(next_at <= now(), 'F102 and what has waited for the key is due') from sync.objects where id = 'cus_key';
delete from sync.objects where id = 'cus_key';

-- every process that claims it dies
select tap.receive('evt_p1', 'customer', 'cus_poison') \g /dev/null
create function pg_temp.lose_once() returns jsonb language plpgsql as $$
declare
	claim jsonb := tap.claim('customer', 'cus_poison');
begin
	update sync.objects set claimed_until = now() - interval '1 s', next_at = now() - interval '1 day'
		where id = 'cus_poison';
	return claim -> 'attempts';
end
$$;
-- tap.claim resets leases: only an expired lease counts here
select is(attempts, 0, 'F77 an event that was not tried in vain says so') from inbox.events where id = 'evt_p1';
select pg_temp.lose_once() \g /dev/null
select is(array_agg(tap.ask('tollgate_jobs', 'service.claim_object(-1)') ->> 'attempts'), '{1,2,3,4,5,6,7,8,9,10,11}',
	'F78 each lost lease is a try')
from generate_series(1, 11);
select is(attempts, 11, 'F77 and the event says how many came to nothing') from inbox.events where id = 'evt_p1';
select tap.receive('evt_p2', 'customer', 'cus_next') \g /dev/null
select is(tap.ask('tollgate_jobs', 'service.claim_object(60)') ->> 'id', 'cus_next',
	'F77 after twelve lost leases the next object has its turn');
select is((select last_error from sync.objects where id = 'cus_poison' and dead_at is not null), 'the lease expired',
	'F77 the one they died of is given up');
select is(state || attempts, 'dead12', 'F77 its event is a dead letter') from inbox.events where id = 'evt_p1';
select is(detail, '{"error": "the lease expired"}', 'F77 and the operator is told')
	from ops.alerts where kind = 'dead_object' and subject = 'customer:cus_poison';
delete from sync.objects where id in ('cus_next', 'cus_poison');
delete from inbox.events where object_id in ('cus_next', 'cus_poison');

-- objects that Stripe does not know and we hold as live
select tap.paid('gone') as gone \gset
create function pg_temp.lose(p_kind text, p_id text) returns jsonb language plpgsql as $$
begin
	perform sync.mark(p_kind, p_id);
	return tap.ask('tollgate_jobs',
		format('service.object_gone(%L, %L, %L, %s)', tap.claim(p_kind, p_id) ->> 'claim', p_kind, p_id,
			(select o.version from sync.objects o where o.kind = p_kind and o.id = p_id)));
end
$$;
create function pg_temp.open_alerts() returns text language sql as $$
	select string_agg(format('%s %s', a.subject, a.tenant_id), ', ' order by a.subject) from ops.alerts a
	where a.kind = 'gone' and a.cleared_at is null
$$;
select is(pg_temp.lose('subscription', 'sub_gone'), '{"clean": true, "warning": "Stripe does not know it"}',
	'F102 a live subscription that is gone is clean');
select is(pg_temp.open_alerts(), 'subscription:sub_gone ' || :'gone', 'F102 and the operator is told');
select is(status, 'active', 'F102 what has been paid for stays') from billing.subscriptions where id = 'sub_gone';
select id as first from ops.alerts where kind = 'gone' \gset
select pg_temp.lose('subscription', 'sub_gone') \g /dev/null
select is(array_agg(id), array[:first]::bigint[], 'F102 told once') from ops.alerts where kind = 'gone';
select tap.sync('subscription', tap.subscription('gone', :'gone')) \g /dev/null
select is(pg_temp.open_alerts(), null, 'F102 until it is found again');
select pg_temp.lose('subscription', 'sub_gone') \g /dev/null
select tap.sync('subscription', tap.subscription('gone', :'gone', '{"status": "canceled"}')) \g /dev/null
select is(pg_temp.open_alerts(), null, 'F102 or has ended');
select is(pg_temp.lose('subscription', 'sub_gone') || coalesce(to_jsonb(pg_temp.open_alerts()), '{}'),
	'{"clean": true}',
	'F102 one that has ended may be gone');
select pg_temp.lose('customer', 'cus_gone') \g /dev/null
select is(pg_temp.open_alerts(), 'customer:cus_gone '
	|| :'gone', 'F102 a customer that is somebody''s and gone is told of too');
select tap.sync('customer', tap.customer('gone', '{"deleted": true}')) \g /dev/null
select is(pg_temp.open_alerts(), null, 'F102 until Stripe says that it is deleted');
select is(pg_temp.lose('customer', 'cus_gone') || coalesce(to_jsonb(pg_temp.open_alerts()), '{}'), '{"clean": true}',
	'F102 whereupon it may be gone');
update sync.objects set clean_version = version where id like '%\_gone';

-- order
select tap.receive('evt_7', 'customer', 'cus_new'), tap.receive('evt_8', 'customer', 'cus_old') \g /dev/null
update sync.objects set next_at = now() - interval '1 min' where id = 'cus_old';
select is(tap.ask('tollgate_jobs', 'service.claim_object(60)') ->> 'id', 'cus_old',
	'C35 what is due longest comes first');
select is(tap.ask('tollgate_operator', 'ops.status()') -> 'events' -> 'received', '2',
	'C35 the operator sees what waits');

-- settling
select sync.mark('customer', 'cus_burst') \g /dev/null
update sync.objects set next_at = 'infinity' where id <> 'cus_burst';
select is(tap.ask('tollgate_jobs', 'service.claim_object(60, 60000)') ->> 'id', 'cus_burst',
	'C35 what is marked is claimed at once');
update sync.objects set claimed_until = null where id = 'cus_burst';
select sync.mark('customer', 'cus_burst') \g /dev/null
select is(next_at, quiet_until, 'C35 and marked again it waits until things have settled')
	from sync.objects where id = 'cus_burst';
select sync.mark('customer', v.id) from (values ('cus_front'), ('cus_late')) v (id) \g /dev/null
update sync.objects set next_at = now() - interval '1 min' where id = 'cus_front';
update sync.objects set next_at = now() + interval '1 min', last_error = 'timeout' where id = 'cus_late';
select sync.mark('customer', v.id) from (values ('cus_front'), ('cus_late')) v (id) \g /dev/null
select is(next_at, now() - interval '1 min', 'C35 marked while it waits, it keeps its place')
	from sync.objects where id = 'cus_front';
select is(next_at, now(), 'C35 marked after a failure, it is tried at once') from sync.objects where id = 'cus_late';

-- a clock that was ahead and has been corrected
update sync.objects set quiet_until = now() + interval '1 day', clean_version = version where id = 'cus_front';
select sync.mark('customer', 'cus_front') \g /dev/null
select is(next_at, now(), 'C35 nothing settles for a day') from sync.objects where id = 'cus_front';
update sync.objects set clean_version = version where id not in ('cus_front', 'cus_late');
update sync.objects set next_at = now() + interval '1 day' where id = 'cus_front';
update sync.objects set claimed_until = now() + interval '1 day' where id = 'cus_late';
select is(tap.ask('tollgate_jobs', 'service.apply_retention()') -> 'put_off', '2', 'C35 what was put off for a day');
select is(array_agg(c.id order by c.id), '{cus_front,cus_late}', 'C35 is due again')
from (select tap.ask('tollgate_jobs', 'service.claim_object(60)') ->> 'id' as id from generate_series(1, 2)) c;

-- every kind is written under its claim, from its own document
create function pg_temp.states(p_kind text) returns text language plpgsql as $$
declare
	claim jsonb;
	call text := format('select service.write_%s(%%L, %L, %L, 1, %%L)', p_kind, p_kind, 'x_' || p_kind);
begin
	perform sync.mark(p_kind, 'x_' || p_kind);
	claim := tap.claim(p_kind, 'x_' || p_kind);
	return concat_ws(' ', tap.state_of('tollgate_jobs', format(call, claim ->> 'claim', '{"id": "other"}')),
		tap.state_of('tollgate_jobs', format(call, claim ->> 'claim', '{}')),
		tap.state_of('tollgate_jobs', format(call, gen_random_uuid(),
			jsonb_build_object('id', 'x_' || p_kind, 'status', 'open'))));
end
$$;
select is(pg_temp.states(kind), 'TG422 TG422 TG409', 'F78 written with its claim and its own document only: ' || kind)
from unnest('{checkout,subscription,customer,invoice,charge,dispute,price,product,portal_configuration}'::text[]) kind;

select * from finish();
rollback;
