-- Invoices that are sent: the customer pays them by a link, nothing is charged.
begin;
select no_plan();

select ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1, "grace_days": 3}]') \g /dev/null
select tap.paid('ann') as ann \gset
create function pg_temp.sub(p_tenant text, p_more jsonb default '{}') returns jsonb language sql as $$
	select tap.sync('subscription', tap.subscription('ann', p_tenant,
		'{"collection_method": "send_invoice"}' || p_more))
$$;
-- due in p_days
create function pg_temp.sent(p_days int, p_more jsonb default '{}') returns jsonb language sql as $$
	select tap.invoice('ann', jsonb_build_object('status', 'open', 'amount_paid', 0, 'attempt_count', 0,
		'collection_method', 'send_invoice', 'due_date', floor(extract(epoch from now()))::bigint + p_days * 86400)
			|| p_more)
$$;
create function pg_temp.page() returns jsonb language sql as $$
	select tap.ask('tollgate_billing', 'api.billing_page()', current_setting('test.bearer'))
$$;
select set_config('test.bearer', tap.session('ann@example.org', 'a'), false) \g /dev/null

select pg_temp.sub(:'ann') \g /dev/null
select is(d #>> '{account,next,kind}', 'invoice', 'C111 what comes next is an invoice') from pg_temp.page() d;
select tap.sync('invoice', pg_temp.sent(14)) \g /dev/null
select is(tap.notices(:'ann'), 'invoice_sent ann@example.org en', 'C111 an invoice that is sent is told');
select is(data - 'plan' - 'tenant' - 'invoice', jsonb_build_object('url', 'https://invoice.stripe.com/ann',
	'amount', '{"minor": 1900, "currency": "eur"}'::jsonb, 'date', api.date_document(now() + interval '14 days')),
	'C111 with its link, amount and due date') from mail.outbox where template = 'notice_invoice_sent';
select is(d #>> '{account,todo,kind}' || ' ' || (d #>> '{account,todo,url}') || ' ' || (d #>> '{invoices,0,due,iso}'),
	'due https://invoice.stripe.com/ann ' || (d #>> '{account,todo,date,iso}'), 'C111 the page has them too')
	from pg_temp.page() d;
select is(d -> 'notices', '[]', 'C111 once') from pg_temp.page() d;

-- a trial
select pg_temp.sub(:'ann', '{"status": "trialing", "trial_end": 1800000000}') \g /dev/null
select is((d #>> '{account,next,kind}') || ' ' || (d #>> '{account,next,label}'), 'trial_ends next_trial_invoice',
	'C111 after a trial an invoice is sent') from pg_temp.page() d;
select pg_temp.sub(:'ann') \g /dev/null

-- nobody tells that it is overdue
select billing.tell_overdue() \g /dev/null
select is(tap.notices(:'ann'), 'invoice_sent ann@example.org en', 'C111 until it is due there is no other mail');
update billing.invoices set due_at = now() where id = 'in_ann';
select service.apply_retention(), service.apply_retention() \g /dev/null
select is(tap.notices(:'ann'), 'invoice_overdue ann@example.org en, invoice_sent ann@example.org en',
	'C111 overdue, by the date alone, it is told again, once');
select is((data #>> '{until,iso}')::timestamptz, date_trunc('second', now() + interval '3 days'),
	'C111 and until when the plan stays') from mail.outbox where template = 'notice_invoice_overdue';

-- Stripe does
select pg_temp.sub(:'ann', '{"status": "past_due"}') \g /dev/null
select tap.hint('invoice', 'invoice.overdue', 1798000000, pg_temp.sent(0, '{"id": "in_two"}')) \g /dev/null
select is(count(*), 0::bigint, 'C111 no payment has failed') from billing.notifications
	where kind = 'payment_failed';
select tap.hint('invoice', 'invoice.payment_failed', 1798000000,
	pg_temp.sent(0, '{"id": "in_two", "attempt_count": 1}')) \g /dev/null
select is(string_agg(fact, ' ' order by fact), 'in_ann in_two', 'C111 nor when a payment by the link was refused')
	from billing.notifications where kind in ('payment_failed', 'invoice_overdue');
select is(d #>> '{account,reason}' || ' ' || (d #>> '{account,todo,kind}'),
	'reason_sent_past_due_grace overdue', 'C111 the page speaks of an invoice') from pg_temp.page() d;
update billing.subscriptions set past_due_since = now() - interval '3 days' where id = 'sub_ann';
select is(d #>> '{account,reason}', 'reason_sent_grace_over', 'C111 after the grace too')
	from pg_temp.page() d;

-- what is over
select tap.sync('invoice', pg_temp.sent(0, '{"id": "in_none", "amount_due": 0}')) \g /dev/null
select pg_temp.sub(:'ann', '{"status": "canceled", "ended_at": 1799000000}') \g /dev/null
select tap.sync('invoice', pg_temp.sent(-1, '{"id": "in_late"}')) \g /dev/null
select is(count(*), 0::bigint, 'C111 nobody is told of an invoice over nothing, or of one of a plan that has ended')
	from billing.notifications where fact in ('in_none', 'in_late');
select is(d #> '{account,todo}', 'null', 'C111 nor asked to pay what buys nothing any more') from pg_temp.page() d;
select tap.sync('invoice', pg_temp.sent(-1, '{"id": "in_last", "created": 1799000000}')) \g /dev/null
select is(d #>> '{account,todo,kind}', 'due', 'C111 what is billed at the end is to be paid, for no plan')
	from pg_temp.page() d;
select tap.sync('invoice', pg_temp.sent(0, '{"status": "paid"}')), tap.sync('invoice',
	pg_temp.sent(0, '{"id": "in_two", "status": "void"}')), tap.sync('invoice',
	pg_temp.sent(0, '{"id": "in_late", "status": "void"}')), tap.sync('invoice',
	pg_temp.sent(0, '{"id": "in_last", "status": "void"}')) \g /dev/null
select is(d #> '{account,todo}', 'null', 'C111 once it is paid nothing is asked') from pg_temp.page() d;

select * from finish();
rollback;
