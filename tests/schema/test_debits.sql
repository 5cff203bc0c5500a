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
select sync.mark('payment_intent', 'pi_ann'), tap.claim('payment_intent', 'pi_ann') as claim \gset
select pg_temp.invoice('{"attempt_count": 3}'), tap.write(:'claim', '{"id": "pi_ann", "status":
	"requires_payment_method"}') \g /dev/null
select is(pg_temp.failures(), 1::bigint, 'C110 an intent that was read before another attempt tells nothing of it');
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

-- a bank account that has to be proven by amounts
create function pg_temp.proving(p_url text, p_intent text default 'pi_ann') returns jsonb language sql as $$
	select tap.sync('payment_intent', jsonb_build_object('id', p_intent, 'status', 'requires_action', 'next_action',
		jsonb_build_object('type', 'verify_with_microdeposits', 'verify_with_microdeposits',
			jsonb_build_object('arrival_date', 1798000000, 'hosted_verification_url', p_url))))
$$;
create function pg_temp.asks(p_bearer text) returns text language sql as $$
	select concat_ws(' ', a #>> '{todo,kind}', a #>> '{todo,text}', a #>> '{todo,url}', a #>> '{todo,button}',
		a ->> 'manage_first')
	from tap.ask('tollgate_billing', 'api.billing_page()', p_bearer) p cross join lateral (select p -> 'account') v (a)
$$;
insert into app.members (tenant_id, user_id, role) values (:'ann', tap.user('mia@example.org'), 'member');
select tap.session('mia@example.org', 'mia') as member \gset
delete from billing.notifications;
select pg_temp.invoice('{"attempt_count": 6}'), tap.sync('subscription', tap.subscription('ann', :'ann',
	'{"status": "incomplete"}')), pg_temp.proving('https://payments.stripe.com/microdeposit/pacs_x') \g /dev/null
select is(pg_temp.said(:'a') || ' ' || pg_temp.asked(), 'status_verify warn reason_verify verify invoice_verify false',
	'C110 amounts are asked for before the bank is, and no payment has failed');
select is(pg_temp.asks(:'a'), 'verify todo_verify_text https://payments.stripe.com/microdeposit/pacs_x '
	'todo_verify_button false', 'C110 where is told who pays, as the one main button');
select is(pg_temp.asks(:'member'), 'verify todo_verify_other_text true', 'C110 and nobody else');
select pg_temp.invoice('{"attempt_count": 6}') \g /dev/null
select is(pg_temp.said(:'a'), 'status_verify warn reason_verify verify invoice_verify',
	'C110 until the intent says otherwise');
select pg_temp.proving('https://stripe.com.evil.example/x') \g /dev/null
select is(pg_temp.asks(:'a'), 'verify todo_verify_text true', 'S13 another host is not led to');
select tap.sync('subscription', tap.subscription('ann', :'ann', '{"status": "past_due"}')) \g /dev/null
select is(pg_temp.said(:'a'), 'status_past_due warn reason_verify_past_due_grace verify invoice_verify',
	'C44 the page says so while it is past due');
select pg_temp.proving('https://payments.stripe.com/microdeposit/pacs_x') \g /dev/null
select is(pg_temp.asked(), 'false', 'C41 and no payment has failed, nor is one to be confirmed');
update billing.subscriptions set past_due_since = now() - interval '30 days';
select is(pg_temp.said(:'a'), 'status_past_due bad reason_verify_grace_over verify invoice_verify',
	'C44 and after the grace');
select pg_temp.proving('https://payments.stripe.com/microdeposit/pacs_x'), pg_temp.intent('processing') \g /dev/null
select is(pg_temp.said(:'a'), 'status_bank bad reason_debit_late debit 2026-12-23T04:28:20Z invoice_bank',
	'C110 once they are entered the bank has it');
select pg_temp.proving('https://payments.stripe.com/microdeposit/pacs_x'), pg_temp.invoice('{"status": "void"}')
	\g /dev/null
select is(array[i.unverified::text, i.verify_url], array['false', null],
	'C110 an invoice that is given up asks nothing')
	from billing.invoices i;
select pg_temp.invoice('{}') \g /dev/null

-- the page that a buyer comes back to
create function pg_temp.back(p_flow text) returns text language sql as $$
	select concat_ws(' ', w ->> 'state', w ->> 'verify_url')
	from tap.ask('tollgate_signup', format('api.welcome(%L, %L)', 'cs_new', p_flow::bytea)) w
$$;
select pg_temp.proving('https://payments.stripe.com/microdeposit/pacs_x') \g /dev/null
insert into billing.checkouts (key, tenant_id, plan, email, email_canonical, language, flow_hash, session_id,
	status, unpaid_since, subscription_id)
select 'new', t.id, 'starter', 'new@example.org', 'new@example.org', 'en', sha256('flow'), 'cs_new',
	'unpaid', now(), 'sub_ann'
from app.tenants t where t.id = :'ann';
update app.tenants set status = 'draft' where id = :'ann';
select is(pg_temp.back('flow'), 'verify https://payments.stripe.com/microdeposit/pacs_x',
	'F82 who has bought is led on to enter the amounts');
select is(pg_temp.back('other'), 'verify', 'F82 another browser learns what is waited for, and not where');
select pg_temp.intent('processing') \g /dev/null
select is(pg_temp.back('flow'), 'unpaid', 'F82 after that it waits for the bank');
update app.tenants set status = 'active' where id = :'ann';
delete from billing.checkouts c where c.key = 'new';
update billing.subscriptions set past_due_since = now();

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
