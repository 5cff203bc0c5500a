-- A payment that a bank has under way: an open invoice whose payment intent is being processed.
begin;
select no_plan();

select tap.paid('ann') as ann \gset
select tap.session('ann@example.org', 'a') as a \gset
create function pg_temp.invoice(p_more jsonb) returns jsonb language sql as $$
	select tap.sync('invoice', tap.invoice('ann', '{"status": "open", "amount_paid": 0, "payments": {"data": [
		{"status": "canceled", "payment": {"type": "payment_intent", "payment_intent": "pi_old"}},
		{"status": "open", "payment": {"type": "payment_intent", "payment_intent": "pi_ann"}}]}}' || p_more))
$$;
create function pg_temp.intent(p_status text) returns jsonb language sql as $$
	select tap.hint('payment_intent', 'payment_intent.processing', 1798000100,
		jsonb_build_object('id', 'pi_ann', 'status', p_status))
$$;
-- What the page says: "status class reason main todo invoice", and since when.
create function pg_temp.said(p_bearer text) returns text language sql as $$
	select concat_ws(' ', a ->> 'status', a ->> 'status_class', a ->> 'reason',
		case when a -> 'pay' <> 'null' then 'pay' end, a #>> '{todo,kind}', a #>> '{todo,date,iso}',
		p #>> '{invoices,0,status}')
	from tap.ask('tollgate_billing', 'api.billing_page()', p_bearer) p cross join lateral (select p -> 'account') v (a)
$$;
create function pg_temp.failures() returns bigint language sql as $$
	select count(*) from billing.notifications where kind = 'payment_failed'
$$;

select is(tap.sync('payment_intent', '{"id": "pi_ann", "status": "processing"}'), '{"clean": true}',
	'C110 an intent of no invoice of ours is not followed');
select pg_temp.invoice('{}') \g /dev/null
select is(version > clean_version, true, 'C110 the intent of an open invoice is fetched') from sync.objects
	where (kind, id) = ('payment_intent', 'pi_ann');
select is(pg_temp.said(:'a'), 'status_active good reason_active invoice_open', 'C110 an open invoice alone is none');
select pg_temp.intent('processing') \g /dev/null
select is(pg_temp.said(:'a'), 'status_bank warn reason_debit debit 2026-12-23T04:28:20Z invoice_bank',
	'C110 a renewal that a bank has under way is told, since when, and everything may be used');
select pg_temp.invoice('{"attempt_count": 1}') \g /dev/null
select is(pg_temp.said(:'a'), 'status_bank warn reason_debit debit 2026-12-23T04:28:20Z invoice_bank',
	'C110 until the intent says otherwise');

-- another attempt of a subscription that is past due
select tap.sync('subscription', tap.subscription('ann', :'ann', '{"status": "past_due"}')) \g /dev/null
select is(pg_temp.said(:'a') || pg_temp.failures(),
	'status_bank warn reason_debit debit 2026-12-23T04:28:20Z invoice_bank0',
	'C110 past due: nobody is asked to pay a second time, and no payment has failed');
update billing.subscriptions set past_due_since = now() - interval '30 days';
select is(pg_temp.said(:'a'), 'status_bank bad reason_debit_late debit 2026-12-23T04:28:20Z invoice_bank',
	'C110 after grace it is told too, and that nothing may be used');
select is(tap.ask('tollgate_billing', 'api.my_plan()', :'a') -> 'paid', 'false', 'C44 as the policy says');
select pg_temp.invoice('{"attempt_count": 2}') \g /dev/null
select is(pg_temp.failures(), 0::bigint, 'C110 while the bank has it, no attempt has failed');
select pg_temp.intent('requires_payment_method') \g /dev/null
select is(pg_temp.said(:'a') || ' ' || pg_temp.failures(),
	'status_past_due bad reason_grace_over pay invoice_open 1', 'C110 the bank''s refusal ends the wait, and is told');
select pg_temp.invoice('{"attempt_count": 3}'), tap.sync('subscription', tap.subscription('ann', :'ann',
	'{"status": "past_due"}')) \g /dev/null
select is(pg_temp.failures(), 1::bigint, 'C110 another attempt has not failed before its intent is looked at');
select pg_temp.intent('processing'), pg_temp.invoice('{"status": "paid", "amount_paid": 1900, "payments": {"data": [
	{"status": "paid", "payment": {"payment_intent": "pi_ann"}}]}}') \g /dev/null
select is(array[i.intent, i.bank_since::text], array[null, null], 'C110 and so does the money') from billing.invoices i;

-- a payment that waits for the customer at the bank
create function pg_temp.asked() returns text language sql as $$
	select concat_ws(' ', i.action_required::text, (select string_agg(distinct n.kind, ' ' order by n.kind)
		from billing.notifications n where n.payload ->> 'invoice' = i.id and n.kind <> 'recovered'))
	from billing.invoices i where i.id = 'in_ann'
$$;
create function pg_temp.wanted(p_status text, p_action text) returns jsonb language sql as $$
	select tap.sync('payment_intent', jsonb_build_object('id', 'pi_ann', 'status', p_status,
		'next_action', jsonb_build_object('type', p_action)))
$$;
delete from billing.notifications;
select pg_temp.invoice('{"attempt_count": 4}'), tap.sync('subscription', tap.subscription('ann', :'ann',
	'{"status": "past_due"}')), pg_temp.wanted('requires_action', 'display_bank_transfer_instructions') \g /dev/null
select is(pg_temp.asked(), 'false payment_failed', 'C41 an intent that shows where to pay asks to confirm nothing');
delete from billing.notifications;
select pg_temp.wanted('requires_action', 'use_stripe_sdk') \g /dev/null
select is(pg_temp.asked(), 'true action_required',
	'C41 what the bank wants confirmed is told without its event, and has not failed');
select is(pg_temp.said(:'a'), 'status_past_due bad reason_confirm_grace_over pay invoice_open',
	'C44 the page says so after the grace');
update billing.subscriptions set past_due_since = now();
select is(pg_temp.said(:'a'), 'status_past_due warn reason_confirm_past_due_grace pay invoice_open',
	'C44 and within it');
select pg_temp.invoice('{"attempt_count": 4}') \g /dev/null
select is(pg_temp.asked(), 'true action_required', 'C41 until the intent says otherwise');
select pg_temp.wanted('requires_payment_method', null) \g /dev/null
select is(pg_temp.asked(), 'false action_required payment_failed', 'C41 what was not confirmed has failed');
select is(pg_temp.said(:'a'), 'status_past_due warn reason_past_due_grace pay invoice_open', 'C44 as the page says');
select is(jsonb_path_query_array(tap.ask('tollgate_billing', 'api.billing_page()', :'a'), '$.notices[*].kind'),
	'["notice_payment_failed"]', 'C41 and asks no more for');

-- when an attempt has failed, though its event is through by the time that the intent is known
delete from billing.notifications;
select tap.receive('evt_five', 'invoice', 'in_ann', '{"type": "invoice.payment_failed", "created": 1790000300}',
	convert_to('{"data": {"object": {"attempt_count": 5}}}', 'UTF8')) \g /dev/null
select pg_temp.invoice('{"attempt_count": 5}') \g /dev/null
select is(pg_temp.failures(), 0::bigint, 'C41 the intent of a failed attempt is asked first');
select pg_temp.wanted('requires_payment_method', null) \g /dev/null
select is(array_agg(happened_at), array[to_timestamp(1790000300)], 'C41 and the failure is of when it happened')
	from billing.notifications where kind = 'payment_failed';

select * from finish();
rollback;
