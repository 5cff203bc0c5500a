-- Mails about money: one for each fact, with plan and amount.
begin;
select no_plan();

select tap.paid('ann') as ann \gset
create function pg_temp.sub(p_price text, p_amount int, p_more jsonb default '{}') returns jsonb language sql as $$
	select tap.subscription('ann', (select t.tenant_id::text from billing.customers t where t.id = 'cus_ann'),
		jsonb_build_object('currency', 'eur', 'items', jsonb_build_object('data', jsonb_build_array(jsonb_build_object(
			'price', jsonb_build_object('id', p_price, 'unit_amount', p_amount, 'currency', 'eur',
				'recurring', '{"interval": "month", "interval_count": 1}'::jsonb),
			'quantity', 1, 'current_period_start', 1798000000, 'current_period_end', 1800000000)))) || p_more)
$$;
-- What was mailed since the last look: kind and document.
create function pg_temp.mailed() returns text language sql as $$
	with gone as (delete from mail.outbox o where o.key like 'notice:%' returning o.*)
	select string_agg(replace(template, 'notice_', '') || ' ' || (data - 'tenant')::text, ', ' order by template)
		from gone
$$;
select tap.sync('subscription', pg_temp.sub('price_starter', 1900)) \g /dev/null
select is(pg_temp.mailed(), null, 'C41 that an amount is known now is no change');

select tap.sync('subscription', pg_temp.sub('price_growth', 4900)),
	tap.sync('subscription', pg_temp.sub('price_growth', 4900)) \g /dev/null
select is(pg_temp.mailed(), format('plan_changed %s', jsonb_build_object('plan', 'plan_growth', 'from', 'plan_starter',
	'price', '{"minor": 4900, "currency": "eur"}'::jsonb, 'date', api.date_document(to_timestamp(1800000000)))),
	'C45 another plan is mailed, once, with the former, the price and the next payment');
select tap.sync('subscription', pg_temp.sub('price_alien', 500)) \g /dev/null
select is(pg_temp.mailed(), null, 'D19 an unknown price, which leaves the plan, is not');
select tap.sync('subscription', pg_temp.sub('price_growth', 4900)) \g /dev/null
select pg_temp.mailed() \g /dev/null

select tap.sync('subscription', pg_temp.sub('price_growth', 4900, '{"cancel_at_period_end": true}')),
	tap.sync('subscription', pg_temp.sub('price_growth', 4900, '{"cancel_at_period_end": true}')) \g /dev/null
select is(pg_temp.mailed(), format('cancel_scheduled %s', jsonb_build_object('plan', 'plan_growth',
	'price', '{"minor": 4900, "currency": "eur"}'::jsonb, 'date', api.date_document(to_timestamp(1800000000)))),
	'C45 that an end is scheduled is mailed, once, with its day');
select tap.sync('subscription', pg_temp.sub('price_growth', 4900, '{"cancel_at": 1800000000}')) \g /dev/null
select is(pg_temp.mailed(), null, 'C45 the same end in Stripe''s other form is not told again');
select tap.sync('subscription', pg_temp.sub('price_growth', 4900)) \g /dev/null
select is(pg_temp.mailed(), format('cancel_undone %s', jsonb_build_object('plan', 'plan_growth',
	'price', '{"minor": 4900, "currency": "eur"}'::jsonb, 'date', api.date_document(to_timestamp(1800000000)))),
	'C45 that it is taken back is');
select tap.sync('subscription', pg_temp.sub('price_growth', 4900, '{"cancel_at_period_end": true}' || v.more)),
	pg_temp.mailed(), tap.sync('subscription', pg_temp.sub('price_growth', 4900, v.more))
from (values ('{"pause_collection": {"behavior": "void", "resumes_at": null}}'::jsonb)) v (more) \g /dev/null
select is(pg_temp.mailed(), format('cancel_undone %s', jsonb_build_object('plan', 'plan_growth',
	'price', '{"minor": 4900, "currency": "eur"}'::jsonb)),
	'C45 without the day of a payment that is not collected');
select tap.sync('subscription', pg_temp.sub('price_growth', 4900)), pg_temp.mailed() \g /dev/null
select tap.sync('subscription', pg_temp.sub('price_growth', 4900, '{"status": "canceled", "ended_at": 1799000000}'))
	\g /dev/null
select is(pg_temp.mailed(), format('canceled %s', jsonb_build_object('plan', 'plan_growth',
	'price', '{"minor": 4900, "currency": "eur"}'::jsonb, 'date', api.date_document(to_timestamp(1799000000)))),
	'C41 the end itself is, and nothing of it as a change');

-- receipts
select tap.sync('invoice', tap.invoice('ann')) \g /dev/null
select is(pg_temp.mailed(), null, 'C37 no receipt unless it is configured');
select ops.put_settings('{"receipts": true, "limits": {}}') \g /dev/null
select tap.sync('invoice', tap.invoice('ann', '{"id": "in_a2"}')),
	tap.sync('invoice', tap.invoice('ann', '{"id": "in_a2"}')) \g /dev/null
select is(pg_temp.mailed()::text like 'paid {"url": %', true, 'C37 if it is, a payment is mailed');
select tap.sync('invoice', tap.invoice('ann', '{"id": "in_free", "amount_paid": 0, "amount_due": 0}')) \g /dev/null
select is(pg_temp.mailed(), null, 'C37 an invoice over nothing is not');
select tap.sync('invoice', tap.invoice('bea')) \g /dev/null
select tap.paid('bea') as bea \gset
select tap.sync('invoice', tap.invoice('bea')) \g /dev/null
select is(left(pg_temp.mailed(), 5), 'paid ', 'C37 nor is the first payment left out');
select tap.sync('subscription', tap.subscription('bea', :'bea', '{"items": {"data": [{"price": "price_starter",
	"current_period_start": 1767225600, "current_period_end": 1769904000}]}}')),
	tap.sync('invoice', tap.invoice('bea', '{"id": "in_b2"}')) \g /dev/null
select is(pg_temp.mailed() ~ '^paid .*"renews"', false,
	'C37 a renewal that is over is no next payment, whose subscription is yet to be fetched');
select tap.sync('charge', '{"id": "ch_b", "object": "charge", "customer": "cus_bea", "amount": 1900,
	"amount_refunded": 900, "refunded": false, "currency": "eur", "status": "succeeded", "created": 1798000000}')
	\g /dev/null
select is(pg_temp.mailed(), format('refunded %s', jsonb_build_object('plan', 'plan_starter', 'amount',
	'{"minor": 900, "currency": "eur"}'::jsonb, 'date', api.date_document(to_timestamp(1798000000)))),
	'C37 a refund is mailed, with its amount and the plan');

-- limits of the configuration
select ops.put_settings('{"receipts": false, "limits": {"link_near": 7}}') \g /dev/null
select is(allowed, 7, 'D24 a configured limit is taken') from auth.limits where kind = 'link_near';
update auth.limits set allowed = 9 where kind = 'link_near';
select ops.put_settings('{"receipts": false, "limits": {"link_near": 7}}') \g /dev/null
select is(allowed, 9, 'D24 one that was changed by hand stays while the configuration does')
	from auth.limits where kind = 'link_near';
select ops.put_settings('{"receipts": false, "limits": {"link_near": 8}}') \g /dev/null
select is(allowed, 8, 'D24 and no longer') from auth.limits where kind = 'link_near';

select * from finish();
rollback;
