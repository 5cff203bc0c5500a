-- Orphans: kept, with an alert when they are paid for, and adopted once their customer is bound.
begin;
select no_plan();

create function pg_temp.nobodys(p_name text, p_more jsonb default '{}') returns jsonb language sql as $$
	select tap.subscription(p_name, null, '{"metadata": {}}' || p_more)
$$;
create function pg_temp.orphans() returns text
	language sql as $$ select string_agg(id, ' ' order by id) from sync.orphans $$;

select is(tap.sync('subscription', pg_temp.nobodys('x')), '{"clean": true, "orphan": true}',
	'C38 nobody''s subscription');
select is(tap.sync('invoice', tap.invoice('x')), '{"clean": true, "orphan": true}', 'C38 and its invoice');
select tap.sync('dispute', tap.dispute('x')), tap.sync('charge', tap.charge('x')) \g /dev/null
select is(pg_temp.orphans(), 'ch_x dp_x in_x sub_x', 'C38 are kept apart');
select is(string_agg(subject, ' '), 'sub_x', 'C38 of which the subscription is told')
	from ops.alerts where kind = 'orphan' and cleared_at is null;
select tap.sync('subscription', pg_temp.nobodys('over', '{"status": "canceled"}')) \g /dev/null
select is(string_agg(subject, ' '), 'sub_x', 'C38 but none that is over')
	from ops.alerts where kind = 'orphan' and cleared_at is null;
select is(count(*), 0::bigint, 'C38 no row of billing is made')
	from (select id from billing.subscriptions union all select id from billing.invoices) s;
select tap.sync('checkout', tap.checkout('alien', null, '{"metadata": {}}')),
	tap.sync('customer', tap.customer('alien')) \g /dev/null
select is(pg_temp.orphans(), 'ch_x cs_alien cus_alien dp_x in_x sub_over sub_x', 'C38 sessions and customers too');
select is(tap.ask('tollgate_operator', 'ops.status()') -> 'orphans', '7', 'C38 and all are counted');
delete from sync.orphans where id like '%alien';

-- its customer is bound
select tap.open_draft('x', 'x@example.org') ->> 'tenant' as tenant \gset
select tap.sync('checkout', tap.checkout('x', :'tenant', '{"subscription": null}')) \g /dev/null
select is(string_agg(id, ' ' order by id), 'ch_x cus_x dp_x in_x sub_x', 'C38 binding the customer makes all of it due')
	from sync.objects where version > clean_version;
select tap.write(tap.claim('subscription', 'sub_x'), pg_temp.nobodys('x')),
	tap.write(tap.claim('invoice', 'in_x'), tap.invoice('x')),
	tap.write(tap.claim('dispute', 'dp_x'), tap.dispute('x')), tap.write(tap.claim('charge', 'ch_x'), tap.charge('x'))
	\g /dev/null
select is(pg_temp.orphans(), 'sub_over', 'C38 and it is adopted');
select is(array_agg(distinct tenant_id), array[:'tenant'::uuid], 'C38 by its tenant')
	from (select tenant_id from billing.subscriptions union select tenant_id
		from billing.invoices union select tenant_id from billing.disputes) s;
select is(count(*), 0::bigint, 'C38 with no alert left') from ops.alerts where kind = 'orphan' and cleared_at is null;
select is(array_agg(distinct state), '{done}', 'C38 and its events done') from inbox.events where object_id = 'sub_x';

-- an orphan that Stripe no longer knows
select tap.sync('subscription', pg_temp.nobodys('gone')), tap.receive('evt_gone', 'subscription', 'sub_gone')
	\g /dev/null
select is(string_agg(subject, ' '), 'sub_gone', 'C38 an orphan is told')
	from ops.alerts where kind = 'orphan' and cleared_at is null;
select tap.ask('tollgate_jobs',
	format('service.object_gone(%L, %L, %L, %s)', c ->> 'claim', 'subscription', 'sub_gone', c ->> 'version'))
	from tap.claim('subscription', 'sub_gone') c \g /dev/null
select is(count(*), 0::bigint, 'C38 until it is gone at Stripe')
	from ops.alerts where kind = 'orphan' and cleared_at is null;

-- several customers
select tap.sync('charge', tap.charge('y')) \g /dev/null
select tap.sync('subscription',
	pg_temp.nobodys('y', jsonb_build_object('metadata', jsonb_build_object('tenant_id', :'tenant')))) \g /dev/null
select is(string_agg(subject, ' '), 'cus_y', 'D2 another customer of a tenant is told')
	from ops.alerts where kind = 'second_customer' and cleared_at is null;
select is(tap.sync('invoice', tap.invoice('y')), '{"clean": true}',
	'D2 its invoices are the tenant''s by their subscription');

select is(string_agg(id, ' '), 'ch_y', 'D2 and what was nobody''s before that is looked at again')
	from sync.objects where version > clean_version and kind = 'charge';
select tap.write(tap.claim('charge', 'ch_y'), tap.charge('y', '{"amount_refunded": 500}')) \g /dev/null
select is(tenant_id, :'tenant'::uuid, 'D2 and is the tenant''s, too') from billing.disputes where id = 'ch_y';

select is(tap.sync('invoice', tap.invoice('y2', '{"customer": "cus_y", "parent": null}')), '{"clean": true}',
	'D2 and by their customer, where they have none');

-- which portal
select tap.session('x@example.org', 'x') as x \gset
create function pg_temp.portal(p_bearer text) returns text
	language sql as $$ select tap.ask('tollgate_billing', 'api.portal_customer()', p_bearer) ->> 'customer' $$;
select tap.sync('subscription', tap.subscription('x', null, '{"status": "active"}')),
	tap.sync('subscription', tap.subscription('y', null, '{"status": "canceled", "created": 1767225700}')) \g /dev/null
select is(pg_temp.portal(:'x'), 'cus_x', 'D2 the portal is that of the customer who pays');
select tap.sync('subscription', tap.subscription('x', null, '{"status": "canceled"}')),
	tap.sync('subscription', tap.subscription('y', null, '{"created": 1767225700}')) \g /dev/null
select is(pg_temp.portal(:'x'), 'cus_y', 'D2 be it the other');
select tap.sync('subscription', tap.subscription('y', null, '{"status": "canceled", "created": 1767225700}'))
	\g /dev/null
select is(pg_temp.portal(:'x'), 'cus_x', 'D2 or else of the one that is bound');
select tap.paid('zoe') as zoe \gset
select tap.sync('subscription', tap.subscription('theft', :'tenant', '{"customer": "cus_zoe"}')) \g /dev/null
select is(pg_temp.portal(:'x'), 'cus_x', 'D2 never of another tenant''s');
select tap.sync('subscription', tap.subscription('w', :'zoe', '{"created": 1767225000}')),
	tap.sync('subscription', tap.subscription('theft2', :'tenant', '{"customer": "cus_w", "created": 1767225900}'))
	\g /dev/null
select is(pg_temp.portal(:'x'), 'cus_x', 'D2 nor of one that paid for another first');

select * from finish();
rollback;
