-- Disputes and refunds, by rule.
begin;
select no_plan();

select tap.paid('ann') as ann \gset
create function pg_temp.may(p_tenant text) returns text language sql as $$
	select concat_ws(' ', e ->> 'allowed', e ->> 'reason') from billing.entitlement(p_tenant::uuid) e
$$;
create function pg_temp.open_alerts() returns text language sql as $$
	select string_agg(kind || ' ' || subject || ' ' || (detail ->> 'policy'), ', ' order by subject) from ops.alerts
	where kind in ('dispute', 'refund') and cleared_at is null
$$;

select is(v.may || coalesce(' ' || v.alert, ''), pg_temp.may(:'ann') || coalesce(' ' || pg_temp.open_alerts(), ''),
	'C44 a dispute ' || v.status)
from (values ('warning_needs_response', 'true active', 'dispute dp_ann inquiry'),
	('needs_response', 'false disputed', 'dispute dp_ann dispute_open'),
	('under_review', 'false disputed', 'dispute dp_ann dispute_open'),
	('some_new_word', 'false disputed', 'dispute dp_ann dispute_open'),
	('lost', 'false disputed', 'dispute dp_ann dispute_lost'), ('won', 'true active', null),
	('prevented', 'true active', null),
	('warning_closed', 'true active', null)) v (status, may, alert)
	cross join lateral (select tap.sync(
		'dispute', tap.dispute('ann', jsonb_build_object('status', v.status))) offset 0) s
where s is not null;
select is(count(*), 1::bigint, 'C41 the tenant is told of it once')
	from billing.notifications where kind = 'disputed' and fact = 'dp_ann';
select is(tap.notices(:'ann'),
	'dispute_lost ann@example.org en, dispute_won ann@example.org en, disputed ann@example.org en',
	'C41 and each step by a mail');

select tap.sync('dispute', tap.dispute('ann')) \g /dev/null
select ops.put_override(:'ann', true, null, null, 'we know them', 'ops') \g /dev/null
select is(pg_temp.may(:'ann'), 'true override', 'C44 the operator''s word goes before');
select ops.end_override(:'ann', 'ops') \g /dev/null
update billing.dispute_rules set effect = 'alert' where kind = 'dispute_open';
select is(pg_temp.may(:'ann'), 'true active', 'C44 the policy is data');
update billing.dispute_rules set effect = 'restrict' where kind = 'dispute_open';
select tap.sync('subscription', tap.subscription('ann', :'ann', '{"status": "unpaid"}')) \g /dev/null
select is(pg_temp.may(:'ann'), 'false unpaid', 'C44 a dispute takes nothing from who has nothing');
select tap.sync('subscription', tap.subscription('ann', :'ann')) \g /dev/null

-- at any time
select tap.sync('dispute', tap.dispute('ann', '{"status": "won"}')) \g /dev/null
update billing.subscription_history set from_at = '2026-01-01Z' where to_at is null;
update billing.disputes set opened_at = '2026-03-01Z', closed_at = '2026-04-01Z';
select is(billing.entitlement(:'ann', v.at) ->> 'reason', v.reason,
	format('C44 disputed at %s: %s', v.at at time zone 'UTC', v.reason))
from (values ('2026-02-28T23:59:59Z'::timestamptz, 'active'), ('2026-03-01Z', 'disputed'),
	('2026-03-31T23:59:59Z', 'disputed'), ('2026-04-01Z', 'active')) v (at, reason);
select is(array_agg((c ->> 'status') || ' ' || (c #>> '{entitlement,reason}') order by c ->> 'at'),
	'{dispute_open disputed,closed active}',
	'C80 its beginning and its end are explained')
from jsonb_array_elements(ops.explain(:'ann', null) #> '{0,changes}') c where c ->> 'what' = 'dp_ann';

-- an inquiry by the bank is not a dispute
delete from billing.disputes;
select tap.sync('dispute', tap.dispute('ann', '{"status": "warning_under_review"}')) \g /dev/null
update billing.disputes set opened_at = '2026-05-01Z';
select tap.sync('dispute', tap.dispute('ann')) \g /dev/null
select is(billing.entitlement(:'ann', '2026-05-02Z') ->> 'reason', 'active',
	'C44 before it became a dispute nothing was taken away');
select is(billing.entitlement(:'ann') ->> 'reason', 'disputed', 'C44 from then on it is');
update billing.disputes set opened_at = '2026-06-01Z';
select tap.sync('dispute', tap.dispute('ann', '{"status": "lost"}')) \g /dev/null
select is(opened_at, '2026-06-01Z', 'C44 since when does not change with its outcome') from billing.disputes;
select tap.sync('dispute', tap.dispute('ann', '{"status": "won"}')) \g /dev/null

-- a later purchase is not restricted
select tap.sync('dispute', tap.dispute('ann', '{"status": "lost"}')),
	tap.sync('subscription', tap.subscription('ann', :'ann', '{"status": "canceled"}')) \g /dev/null
select is(pg_temp.may(:'ann'), 'false canceled', 'C44 a dispute was lost');
select tap.sync('subscription', tap.subscription('again', :'ann', jsonb_build_object('created', v.created)))
	from (select created_at, extract(epoch from created_at)::bigint - 1 as created
	from billing.disputes where kind = 'dispute') v \g /dev/null
select is(pg_temp.may(:'ann'), 'false disputed', 'C44 which takes all that was bought before');
select tap.sync('subscription', tap.subscription('again', :'ann', jsonb_build_object('created', v.created)))
	from (select extract(epoch from created_at)::bigint + 1 as created from billing.disputes where kind = 'dispute') v
	\g /dev/null
select is(pg_temp.may(:'ann'), 'true active', 'C44 but not what is bought after it');
select tap.sync('subscription', tap.subscription('again', :'ann', '{"status": "canceled"}')),
	tap.sync('subscription', tap.subscription('ann', :'ann')),
	tap.sync('dispute', tap.dispute('ann', '{"status": "won"}')) \g /dev/null

-- refunds
select is(tap.sync('charge', tap.charge('ann')), '{"clean": true}', 'C37 a charge of which nothing was paid back');
select is(count(*), 0::bigint, 'C37 is nothing to keep') from billing.disputes where kind = 'refund';
select tap.sync('charge', tap.charge('ann', '{"amount_refunded": 500}')) \g /dev/null
select is(pg_temp.open_alerts(), null, 'C44 a part paid back is no alert');
select tap.sync('charge', tap.charge('ann', '{"amount_refunded": 1900, "refunded": true}'))
	from generate_series(1, 2) \g /dev/null
select is(pg_temp.open_alerts(), 'refund ch_ann refund_full', 'C44 all paid back is one');
select is(pg_temp.may(:'ann'), 'true active', 'C44 and takes nothing away by itself');
select is(string_agg(fact, ' ' order by fact), 'ch_ann:1900 ch_ann:500', 'C41 each amount is told once')
	from billing.notifications where kind = 'refunded';
select is(string_agg(payload #>> '{amount,minor}', ' ' order by id), '500 1400', 'C37 as what was paid back then')
	from billing.notifications where kind = 'refunded';
select is(tap.ask('tollgate_operator', format('ops.clear_alert(%s)', id)), '{"cleared": true}',
	'C44 the operator ends an alert')
	from ops.alerts where kind = 'refund';
select tap.sync('charge', tap.charge('ann', '{"amount_refunded": 1900, "refunded": true}')) \g /dev/null
select is(pg_temp.open_alerts(), null, 'C44 which stays ended while nothing changes');

-- a refund that failed after all
select tap.paid('bob') as bob \gset
select tap.sync('charge', tap.charge('bob', v.more))
from (values ('{"amount_refunded": 1900, "refunded": true}'::jsonb), ('{"amount_refunded": 900}'),
	('{"amount_refunded": 0}')) v (more) \g /dev/null
select is(concat_ws(' ', policy, amount, closed_at is null), 'refund_partial 0 f', 'C37 a refund that failed is over')
	from billing.disputes where id = 'ch_bob';
select is(string_agg(fact, ' '), 'ch_bob:1900', 'C41 and that less is paid back is no refund')
	from billing.notifications where tenant_id = :'bob' and kind = 'refunded';
select tap.sync('charge', tap.charge('bob', '{"amount_refunded": 1900, "refunded": true}')),
	tap.sync('charge', tap.charge('bob')) \g /dev/null
select is(pg_temp.open_alerts(), null, 'C44 nor an alert of its own');
select is(detail, '{"currency": "eur", "amount": 1900}', 'C80 the operator learns that it has not arrived')
	from ops.alerts where kind = 'refund_failed' and subject = 'ch_bob' and cleared_at is null;

-- the tenant
select is(tap.sync('dispute', tap.dispute('ann', '{"id": "dp_text", "charge": "ch_ann"}')), '{"clean": true}',
	'C38 a charge we know tells the tenant');
select is(tap.sync('dispute', tap.dispute('alien')), '{"clean": true, "orphan": true}', 'C38 nobody''s dispute');
select is(tap.sync('charge', tap.charge('alien')), '{"clean": true, "orphan": true}', 'C38 nobody''s charge');

-- what is over was over from then on
update billing.disputes set closed_at = '2026-07-01Z' where id = 'dp_ann';
select tap.sync('dispute', tap.dispute('ann', '{"status": "won"}')) \g /dev/null
select is((select closed_at from billing.disputes where id = 'dp_ann'), '2026-07-01Z'::timestamptz,
	'C44 a dispute that is told again as won ended when it ended');
select is((select tenant_id from billing.disputes where id = 'dp_text'), :'ann'::uuid,
	'C38 a dispute of a charge we know is that tenant''s');
select is(tap.sync('dispute', tap.dispute('ann', '{"charge": null}')), '{"clean": true}',
	'C38 a dispute that is recorded stays its tenant''s, though its document names nobody');

select * from finish();
rollback;
