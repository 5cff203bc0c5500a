-- Invoices, and amounts that are rejected.
begin;
select no_plan();

select tap.paid('ann') as ann \gset
select is(tap.sync('invoice', tap.invoice('ann')), '{"clean": true}', 'C37 an invoice');
select is(concat_ws(' ', tenant_id, subscription_id, status, currency, amount_due, amount_paid, total, attempt_count),
	:'ann' || ' sub_ann paid eur 1900 1900 1900 1',
	'C37 is written down') from billing.invoices;
select ok(version > clean_version, 'C37 and its subscription is due, whose own event may be lost')
	from sync.objects where id = 'sub_ann';
select tap.sync('subscription', tap.subscription('ann', :'ann')), tap.sync('invoice', tap.invoice('ann')) \g /dev/null
select ok(version = clean_version, 'C37 not again for an invoice that is the same')
	from sync.objects where id = 'sub_ann';

-- API versions
select is(tap.sync('invoice', tap.invoice('ann', v.more || jsonb_build_object('id', 'in_' || v.id)) - 'nothing'),
	'{"clean": true}', 'D8 ' || v.description)
from (values ('old', '{"parent": null, "subscription": "sub_ann"}'::jsonb, 'an invoice of old'),
	('expanded', '{"parent": null, "subscription": {"id": "sub_ann"}}', 'expanded'),
	('line', '{"parent": null, "lines": {"data": [
		{"parent": {"subscription_item_details": {"subscription": "sub_ann"}}}]}}', 'by its line'),
	('customer', '{"parent": null}', 'only its customer is known')) v (id, more, description);
select is(string_agg(coalesce(subscription_id, '-'), ' ' order by id), 'sub_ann - sub_ann sub_ann sub_ann',
	'D8 the subscription is found wherever it stands')
	from billing.invoices where tenant_id = :'ann';

-- an invoice that Stripe cannot finalize
create function pg_temp.unfinished(p_more jsonb) returns text language plpgsql as $$
begin
	perform tap.sync('invoice',
		tap.invoice('ann', '{"id": "in_tax", "status": "draft", "attempt_count": 0}' || p_more));
	return (select a.tenant_id || ' ' || a.subject || ' ' || a.detail
		from ops.alerts a where a.kind = 'finalization_failed' and a.cleared_at is null);
end
$$;
select is(pg_temp.unfinished(v.more), case when v.told then :'ann'
	|| ' in_tax {"code": "customer_tax_location_invalid", "message": "Where is it?"}' end,
	'C37 an operator is told of an invoice that cannot be made final: ' || v.description)
from (values ('{"last_finalization_error": null}'::jsonb, false, 'not of a draft'),
	('{"last_finalization_error": {"code": "customer_tax_location_invalid", "message": "Where is it?",
		"type": "invalid_request_error"}}', true, 'while it is so'),
	('{}', false, 'not when its error is gone'),
	('{"last_finalization_error": {"code": "customer_tax_location_invalid", "message": "Where is it?"}}', true,
		'when it is so again'),
	('{"status": "void", "last_finalization_error": {"code": "customer_tax_location_invalid"}}', false,
		'nor when it is void'),
	('{"last_finalization_error": {"code": "customer_tax_location_invalid", "message": "Where is it?"}}', true,
		'a third time'),
	('{"status": "open", "last_finalization_error": {"code": "customer_tax_location_invalid"}}', false,
		'nor when it is final after all')) v (more, told, description);
select pg_temp.unfinished('{"last_finalization_error": {"code": "customer_tax_location_invalid"}}') \g /dev/null
select tap.receive('evt_deleted', 'invoice', 'in_tax') \g /dev/null
select tap.claim('invoice', 'in_tax') as claim \gset
select tap.ask('tollgate_jobs',
	format('service.object_gone(%L, %L, %L, %s)',
		:'claim'::jsonb ->> 'claim', 'invoice', 'in_tax', :'claim'::jsonb ->> 'version')) \g /dev/null
select is(count(*), 0::bigint, 'C37 nor when it is deleted')
	from ops.alerts where kind = 'finalization_failed' and cleared_at is null;

-- F68
select is(tap.sync('invoice', tap.invoice('ann', jsonb_build_object('id', 'in_bad') || v.more)),
	jsonb_build_object('clean', false, 'dead', true, 'warning', v.fault),
	'F68 ' || v.more::text || ' is rejected')
from (values ('{"amount_due": 19.5}'::jsonb, 'amount_due is not a whole number'),
	('{"amount_due": 9007199254740993}', 'amount_due is not a whole number'),
	('{"total": 1e30}', 'total is not a whole number'),
	('{"amount_paid": "1900"}', 'amount_paid is not a whole number'),
	('{"amount_paid": -1}', 'amount_paid is negative'),
	('{"currency": "EURO"}', 'currency is unknown'), ('{"currency": 7}', 'currency is unknown'),
	('{"amount_due": 1900.0}', 'amount_due is not a whole number')) v (more, fault);
select is(count(*), 0::bigint, 'F68 nothing of it is written down') from billing.invoices where id = 'in_bad';
select is(array_agg(distinct state), '{dead}', 'F68 its events are dead letters')
	from inbox.events where object_id = 'in_bad';
select is(count(*), 1::bigint, 'F68 one alert is raised')
	from ops.alerts where kind = 'parked' and subject = 'invoice:in_bad' and cleared_at is null;
select is(tap.sync('invoice', tap.invoice('ann', '{"id": "in_bad", "total": -1900}')), '{"clean": true}',
	'F68 only a total may be negative');
select is(count(*), 0::bigint, 'F68 and what is right ends the alert')
	from ops.alerts where kind = 'parked' and cleared_at is null;
select is(total, -1900::bigint, 'F68 as it is') from billing.invoices where id = 'in_bad';
select is(tap.sync('invoice', tap.invoice('ann', '{"id": "in_most", "total": 9007199254740992}')), '{"clean": true}',
	'F68 2^53 is whole');
select is(tap.sync('subscription',
	tap.subscription('ann', :'ann', '{"items": {"data": [{"price": "price_starter", "quantity": 1.5}]}}')) ->> 'dead',
	'true', 'F68 nor half a seat');
select is(tap.sync('charge', tap.charge('ann', '{"amount_refunded": 0.1}')) ->> 'dead', 'true',
	'F68 nor a tenth of a cent paid back');
select is(tap.sync('dispute', tap.dispute('ann', '{"amount": 0.1}')) ->> 'dead', 'true', 'F68 nor disputed');

-- what no column can hold is rejected at once, by name
select is(tap.sync(v.kind, v.doc) - 'clean', jsonb_build_object('dead', true, 'warning', v.fault),
	format('F68 %s: %s', v.kind, v.fault))
from (select 'invoice' as kind, tap.invoice('ann', '{"id": "in_far"}' || i.more) as doc, i.fault from (values
		('{"attempt_count": 2147483648}'::jsonb, 'attempt_count is out of range'),
			('{"attempt_count": -1}', 'attempt_count is negative'),
		('{"currency": "zzz"}', 'currency is unknown'), ('{"status": 7}', 'status is not a text'),
			('{"created": 1e30}', 'created is not a whole number'),
		('{"period_end": 253402300800}', 'period_end is out of range'),
			('{"due_date": "soon"}', 'due_date is not a whole number'),
		('{"next_payment_attempt": 9007199254740992}', 'next_payment_attempt is out of range'),
		('{"status_transitions": {"paid_at": -62135596801}}', 'status_transitions.paid_at is out of range'))
	i (more, fault)
	union all
	select 'subscription', tap.subscription('ann', :'ann', s.more), s.fault from (values
		('{"status": null}'::jsonb, 'status is missing'), ('{"status": {"is": "active"}}', 'status is not a text'),
			('{"currency": "EUR"}', 'currency is unknown'),
		('{"trial_end": 9007199254740992}', 'trial_end is out of range'),
			('{"current_period_end": 253402300800}', 'current_period_end is out of range'),
		('{"items": {"data": [{"price": "price_starter", "quantity": 1e17}]}}', 'quantity is not a whole number'),
		('{"items": {"data": [{"price": "price_starter"}, {"price": "price_x", "quantity": -1}]}}',
			'quantity is negative'),
		('{"items": {"data": [{"price": "price_starter", "current_period_end": 253402300800}]}}',
			'current_period_end is out of range'),
		('{"items": {"data": [{"price": {"id": "price_x", "active": true,
			"recurring": {"interval_count": 2147483648}}}]}}',
			'recurring.interval_count is out of range')) s (more, fault)
	union all
	select 'price', '{"id": "price_starter", "recurring": {"interval_count": 2147483648}}',
		'recurring.interval_count is out of range'
	union all
	select 'charge', tap.charge('ann', '{"created": 253402300800}'), 'created is out of range'
	union all
	select 'dispute', tap.dispute('ann', '{"created": 253402300800}'), 'created is out of range') v;
select tap.sync('invoice', tap.invoice('ann', '{"id": "in_last", "created": 253402300799}')) \g /dev/null
select is(created_at, '9999-12-31T23:59:59Z'::timestamptz, 'F68 the last second of the year 9999 is a time')
	from billing.invoices where id = 'in_last';
select tap.sync('subscription', tap.subscription('ann', :'ann')) \g /dev/null
select is(tap.ask('tollgate_jobs',
	format('service.compare_subscriptions(%L, null, %L, now(), null, %L, true, 60)',
		'subscriptions', jsonb_build_array(tap.subscription('ann', :'ann', '{"trial_end": 1e30, "status": null}')),
		'sub_ann')) #>> '{found,0,id}', 'sub_ann',
	'F68 and comparing with it does not fail');

-- a subscription is billed in its own currency, whatever its price is listed in
select tap.paid('cur') as cur \gset
create function pg_temp.eur(p_tenant text, p_currency text) returns jsonb language sql as $$
	select tap.subscription('cur', p_tenant,
		jsonb_build_object('currency', p_currency, 'items', '{"data": [{"quantity": 1, "price":
		{"id": "price_starter", "active": true, "unit_amount": 1900, "currency": "eur"}}]}'::jsonb))
$$;
select tap.sync('subscription', pg_temp.eur(:'cur', 'eur')) \g /dev/null
select is(tap.sync('invoice', tap.invoice('cur', '{"id": "in_usd", "currency": "usd"}')),
	'{"clean": false, "dead": true, "warning": "currency is not that of sub_cur"}',
	'F68 an invoice in another currency than its subscription is rejected');
select is(detail, '{"error": "currency is not that of sub_cur"}', 'F68 with an alert')
	from ops.alerts where kind = 'parked' and subject = 'invoice:in_usd' and cleared_at is null;
select is(count(*), 0::bigint, 'F68 and not written down') from billing.invoices where id = 'in_usd';
select is(tap.sync('invoice', tap.invoice('cur', '{"id": "in_usd", "currency": "usd", "parent": null}')),
	'{"clean": true}', 'F68 one of no subscription may be in any');
select tap.sync('subscription', pg_temp.eur(:'cur', 'usd')) \g /dev/null
select is(tap.sync('invoice', tap.invoice('cur', '{"id": "in_opt", "currency": "usd"}')), '{"clean": true}',
	'F68 a price may be sold in other currencies than its own');
select is(count(*), 0::bigint, 'F68 nor is that drift') from ops.alerts where kind = 'drift' and cleared_at is null;
-- the invoice came first
select tap.paid('new') as new \gset
update billing.subscriptions set currency = null where id = 'sub_new';
select tap.sync('invoice', tap.invoice('new', '{"id": "in_early", "currency": "usd"}')) \g /dev/null
select tap.sync('subscription', tap.subscription('new', :'new', '{"currency": "eur"}')) \g /dev/null
select ok(version > clean_version, 'F68 what was written down before its currency could be told is looked at again')
	from sync.objects where id = 'in_early';
select is(tap.write(tap.claim('invoice', 'in_early'),
	tap.invoice('new', '{"id": "in_early", "currency": "usd"}')) ->> 'warning', 'currency is not that of sub_new',
	'F68 and rejected');

-- a newer mark during the fetch: not dead-lettered
select tap.receive('evt_n1', 'invoice', 'in_new') \g /dev/null
select tap.claim('invoice', 'in_new') as claim \gset
select tap.receive('evt_n2', 'invoice', 'in_new') \g /dev/null
select is(tap.write(:'claim', tap.invoice('ann', '{"id": "in_new", "total": 0.5}')) ->> 'dead', 'false',
	'F77 a mark made meanwhile gives it another try');

-- a permanent error is dead-lettered at once
select tap.claim('invoice', 'in_new') as claim \gset
select is(tap.ask('tollgate_jobs',
	format($$service.fail_object(%L, 'invoice', 'in_new', 'invalid', true)$$, :'claim'::jsonb ->> 'claim')),
	'{"dead": true}', 'F77 a permanent failure');
select is(detail, '{"error": "invalid"}', 'F77 is told')
	from ops.alerts where kind = 'dead_object' and subject = 'invoice:in_new';
select tap.sync('invoice', tap.invoice('ann', '{"id": "in_new"}')) \g /dev/null
select is(count(*), 0::bigint, 'F77 until it can be written down')
	from ops.alerts where kind = 'dead_object' and cleared_at is null;

-- display
select is(api.amount_document(v.minor, v.currency), jsonb_build_object('minor', v.minor, 'currency', v.currency),
	'F68 a document has the value, not its words: ' || v.minor || v.currency)
from (values (1900, 'eur'), (-5, 'usd'), (9007199254740992, 'jpy'), (1900, 'zzz')) v (minor, currency);
select is(coalesce(api.amount_document(null, 'eur'), api.amount_document(5, null)), null, 'F68 no amount is null');

-- unknown statuses are stored, raise an alert, and grant least
create function pg_temp.strange(p_kind text, p_doc jsonb) returns text language plpgsql as $$
begin
	perform tap.sync(p_kind, p_doc);
	return (select concat_ws(' ', a.subject, a.detail)
		from ops.alerts a where a.kind = 'unknown_status' and a.subject = p_doc ->> 'id' and a.cleared_at is null);
end
$$;
select is(pg_temp.strange(v.kind, v.doc || jsonb_build_object(v.member, 'some_new_word')),
	format('%s {"%s": "some_new_word"}', v.doc ->> 'id', v.member),
	format('C37 a new %s of %s is told', v.member, v.kind))
from (values ('invoice', tap.invoice('ann'), 'status'), ('dispute', tap.dispute('ann'), 'status'),
	('charge', tap.charge('ann', '{"amount_refunded": 5}'), 'status'),
	('checkout', tap.checkout('ann', :'ann'), 'status'),
	('checkout', tap.checkout('ann', :'ann'), 'payment_status')) v (kind, doc, member);
select is(pg_temp.strange(v.kind, v.doc), null, 'C37 and no known one: ' || v.kind)
from (values ('invoice', tap.invoice('ann')), ('dispute', tap.dispute('ann')),
	('charge', tap.charge('ann', '{"amount_refunded": 5}')), ('checkout', tap.checkout('ann', :'ann'))) v (kind, doc);

select * from finish();
rollback;
