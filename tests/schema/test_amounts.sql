-- What the next invoice comes to, and what a subscription changes to.
begin;
select no_plan();

select tap.paid('ann') as ann \gset
select tap.session('ann@example.org', 'a') as a \gset
-- the document with these members, and what the page says then; what sort of document it is decides p_more alone
create function pg_temp.sub(p_more jsonb) returns void language plpgsql as $$
begin
	perform tap.sync('subscription', tap.subscription('ann', null, '{"currency": "eur"}' || p_more));
end
$$;
create function pg_temp.preview(p_due bigint, p_more jsonb default '{}') returns jsonb language plpgsql as $$
begin
	perform sync.mark('preview', 'sub_ann');
	return tap.write(tap.claim('preview', 'sub_ann'), jsonb_build_object('id', 'upcoming_in_1', 'object', 'invoice',
		'currency', 'eur', 'amount_due', p_due, 'total', p_due, 'period_end', 1800000000, 'parent', jsonb_build_object(
		'subscription_details', '{"subscription": "sub_ann"}'::jsonb)) || p_more);
end
$$;
create function pg_temp.said(p_bearer text, p_path text default 'next') returns text language sql as $$
	select string_agg(concat_ws(' ', l ->> 'kind', l #>> '{date,iso}', l #>> '{amount,minor}', l ->> 'coming'), ', ')
	from jsonb_path_query(tap.ask('tollgate_billing', 'api.billing_page()', p_bearer) #> array['account', p_path],
		'$[*]') l
$$;
create function pg_temp.asked() returns boolean language sql as $$
	select coalesce((select o.version > o.clean_version from sync.objects o where o.kind = 'preview'), false)
$$;
-- as if nothing had ever needed a preview
create function pg_temp.renew() returns void language plpgsql as $$
begin
	perform pg_temp.sub('{}');
	update billing.subscriptions set previewed = false;
	delete from sync.objects where kind = 'preview';
end
$$;
create function pg_temp.item(p_more jsonb) returns jsonb language sql as $$
	select jsonb_build_object('items', jsonb_build_object('data', jsonb_build_array(
		'{"price": {"id": "price_starter", "unit_amount": 1900, "currency": "eur"}, "quantity": 1,
			"current_period_start": 1767225600, "current_period_end": 1800000000}' || p_more)))
$$;

select is(pg_temp.said(:'a') || pg_temp.asked(), 'renews 2027-01-15T08:00:00Z 1900false',
	'C97 an amount that the subscription says needs no preview');

-- what the subscription does not say
create function pg_temp.stored(p_bearer text, p_more jsonb) returns text language plpgsql as $$
begin
	perform pg_temp.renew();
	perform pg_temp.sub(p_more);
	return pg_temp.said(p_bearer) || ' ' || pg_temp.asked();
end
$$;
select is(pg_temp.stored(:'a', v.more), 'renews 2027-01-15T08:00:00Z true', 'C97 ' || v.description)
from (values ('{"discounts": ["di_1"]}'::jsonb, 'a discount'), ('{"discount": {"id": "di_1"}}', 'a discount of old'),
	(pg_temp.item('{"discounts": ["di_1"]}'), 'a discount of an item'),
	('{"automatic_tax": {"enabled": true}}', 'a tax that Stripe finds'),
	('{"default_tax_rates": [{"id": "txr_1"}]}', 'a tax rate'),
	(pg_temp.item('{"tax_rates": [{"id": "txr_1"}]}'), 'a tax rate of an item'),
	('{"managed_payments": {"enabled": true}}', 'a sale by Stripe'),
	('{"schedule": "sub_sched_1"}', 'a schedule'),
	('{"pending_invoice_item_interval": {"interval": "day"}}', 'items billed in between'),
	(pg_temp.item('{"price": {"id": "price_starter", "currency": "eur", "unit_amount": null, "tiers": []}}'), 'tiers'))
	v (more, description);
select pg_temp.renew(), pg_temp.sub('{"discounts": [], "discount": null, "default_tax_rates": [], "schedule": null,
	"automatic_tax": {"enabled": false}, "pending_update": null, "pending_invoice_item_interval": null,
	"managed_payments": {"enabled": false}}') \g /dev/null
select is(pg_temp.said(:'a') || ' ' || pg_temp.asked(), 'renews 2027-01-15T08:00:00Z 1900 false',
	'C97 members that are there and empty say nothing');
select pg_temp.renew(), pg_temp.sub(pg_temp.item('{"price": {"id": "price_starter", "currency": "eur",
	"recurring": {"usage_type": "metered"}}}') || '{"discounts": ["di_1"]}') \g /dev/null
select is(pg_temp.said(:'a') || ' ' || pg_temp.asked(), 'renews 2027-01-15T08:00:00Z false',
	'C97 usage has no amount, and no preview that would soon be wrong');
select is(pg_temp.stored(:'a', v.more || '{"discounts": ["di_1"]}') ~ 'true', false, 'C97 no preview: ' || v.more::text)
from (values ('{"cancel_at_period_end": true}'::jsonb), ('{"status": "canceled"}'), ('{"status": "unpaid"}')) v (more);

-- the preview
select pg_temp.renew(), pg_temp.sub('{"discounts": ["di_1"]}') \g /dev/null
select is(pg_temp.preview(950), '{"clean": true}', 'C97 a preview is stored');
select is(pg_temp.said(:'a') || ' ' || pg_temp.asked(), 'renews 2027-01-15T08:00:00Z 950 false', 'C97 and said');
select is(charge_at, now(), 'C97 with its time') from billing.subscriptions;
select is(service.diff_subscription(
	tap.subscription('ann', :'ann', '{"currency": "eur", "discounts": ["di_1"]}'), now()), '{}',
	'F81 which is no difference from Stripe''s list');
select pg_temp.sub('{"discounts": ["di_1"]}') \g /dev/null
select is(pg_temp.said(:'a') || ' ' || pg_temp.asked(), 'renews 2027-01-15T08:00:00Z true',
	'C97 which ends when the subscription is stored again');
select is(pg_temp.preview(950, v.more) - '{clean,dead}'::text[], v.report, 'C97 a preview of ' || v.description)
from (values ('{"period_end": 1800000001}'::jsonb, '{}'::jsonb, 'another period'),
	('{"currency": "usd"}', '{"warning": "currency is not that of sub_ann"}', 'another currency'),
	('{"amount_due": 9.5}', '{"warning": "amount_due is not a whole number"}', 'parts of a cent'))
	v (more, report, description);
select is(pg_temp.said(:'a'), 'renews 2027-01-15T08:00:00Z', 'C97 none of which is said');
select sync.mark('preview', 'sub_ann') \g /dev/null
select tap.claim('preview', 'sub_ann') as claim \gset
select sync.mark('preview', 'sub_ann') \g /dev/null
select tap.write(:'claim'::jsonb, jsonb_build_object('currency', 'eur', 'amount_due', 1, 'period_end', 1800000000,
	'subscription', 'sub_ann')) \g /dev/null
select is(pg_temp.said(:'a'), 'renews 2027-01-15T08:00:00Z', 'C97 nor one that was asked for before the last change');
select is(tap.state_of('tollgate_jobs', format('select service.write_preview(%L, %L, %L, 1, %L)',
	(:'claim'::jsonb ->> 'claim'), 'preview', 'sub_ann', '{"subscription": "sub_bob"}')), 'TG422',
	'C97 nor one of another subscription');

-- a change within a period leaves unbilled parts
select pg_temp.renew(), pg_temp.sub('{}') \g /dev/null
select pg_temp.sub(pg_temp.item('{"quantity": 2}')) \g /dev/null
select is(pg_temp.said(:'a') || ' ' || pg_temp.asked(), 'renews 2027-01-15T08:00:00Z true',
	'C97 after a change within the period only a preview knows');
select pg_temp.sub(pg_temp.item('{"quantity": 2}')), pg_temp.preview(2100) \g /dev/null
select is(pg_temp.said(:'a'), 'renews 2027-01-15T08:00:00Z 2100', 'C97 also when it is stored again');
select pg_temp.sub(pg_temp.item('{"quantity": 2, "current_period_start": 1800000000,
	"current_period_end": 1802000000}')) \g /dev/null
select is(pg_temp.said(:'a') || ' ' || pg_temp.asked(), 'renews 2027-02-07T11:33:20Z true',
	'C97 and of the next period, in which the change may have been made');
select pg_temp.renew() \g /dev/null
select tap.sync('subscription', tap.subscription('ann', :'ann', '{"id": "sub_old", "created": 1700000000,
	"status": "past_due"}')) \g /dev/null
select is(array_agg(id), '{sub_old}', 'C97 what happened before a subscription was first seen is not known')
	from billing.subscriptions where previewed;
delete from sync.objects where kind = 'preview';
update billing.subscriptions set status = 'canceled' where id = 'sub_old';

-- what is the customer's own
select pg_temp.renew(), pg_temp.sub('{}') \g /dev/null
select is(pg_temp.asked(), false, 'C97 nothing is asked') ;
select tap.sync('customer', tap.customer('ann', '{"balance": -500}')) \g /dev/null
select is(pg_temp.said(:'a') || ' ' || pg_temp.asked(), 'renews 2027-01-15T08:00:00Z true',
	'C97 a balance changes the amount');
select pg_temp.renew(), pg_temp.sub('{}') \g /dev/null
select ok(pg_temp.asked(), 'C97 also of the next period');
select pg_temp.renew(), tap.sync('customer', tap.customer('ann', '{"balance": -500}')) \g /dev/null
select is(pg_temp.asked(), false, 'C97 a balance that stays is asked for once');
select tap.sync('customer', tap.customer('ann', '{"balance": 0, "discount": {"id": "di_1"}}')), pg_temp.sub('{}')
	\g /dev/null
select ok(pg_temp.asked(), 'C97 a discount of the customer');
select tap.sync('customer', tap.customer('ann')), pg_temp.renew() \g /dev/null
select pg_temp.sub('{}') \g /dev/null
select is(pg_temp.asked(), false, 'C97 which is over');
select tap.hint('customer', 'invoiceitem.created', 1799000000, tap.customer('ann')) \g /dev/null
select is(pg_temp.said(:'a') || ' ' || pg_temp.asked(), 'renews 2027-01-15T08:00:00Z true',
	'C97 an item was added to the next invoice');
select pg_temp.renew(), tap.hint('customer', 'customer.updated', 1799000001, tap.customer('ann')) \g /dev/null
select is(pg_temp.asked(), false, 'C97 once');

-- a change that no look of ours has shown, by the event that says it
create function pg_temp.told(p_was text) returns boolean language plpgsql as $$
declare
	document jsonb := tap.subscription('ann', null, '{"currency": "eur"}');
begin
	perform pg_temp.renew();
	perform tap.receive('evt_' || gen_random_uuid(), 'subscription', 'sub_ann',
		'{"type": "customer.subscription.updated"}', convert_to(format(
		'{"data": {"object": %s, "previous_attributes": %s}}', document, p_was), 'UTF8'));
	perform tap.write(tap.claim('subscription', 'sub_ann'), document);
	return pg_temp.asked();
end
$$;
select is(pg_temp.told(v.was), v.asked, 'C97 an event that says ' || v.description)
from (values ('{"items": {"data": [{"price": {"id": "price_growth"}}]}}', true, 'another price'),
	('{"items": {"data": [{"price": {"id": "price_starter"}, "quantity": 2}]}}', true, 'another quantity of an item'),
	('{"quantity": 2}', true, 'another quantity'), ('{"plan": {"id": "price_growth"}}', true, 'another plan'),
	('{"items": {"data": [{"price": {"id": "price_starter"}, "quantity": 1, "current_period_end": 1}]}}', false,
		'the same items of another period'),
	('{"items": {"data": [{"current_period_end": 1}]}}', false, 'another period'),
	('{"cancel_at_period_end": true}', false, 'another thing'),
	('{"description": "\u0000"}', true, 'what PostgreSQL cannot read')) v (was, asked, description);

-- items with several periods: the next invoice is that of the first to end
select pg_temp.renew(), pg_temp.sub('{"items": {"data": [
	{"price": {"id": "price_starter", "unit_amount": 1900, "currency": "eur", "recurring": {"interval": "year"}},
		"current_period_start": 1767225600, "current_period_end": 1800000000},
	{"price": {"id": "price_seat", "unit_amount": 100, "currency": "eur", "recurring": {"interval": "month"}},
		"current_period_start": 1767225600, "current_period_end": 1797000000}]}}') \g /dev/null
select is(pg_temp.preview(100, '{"period_end": 1797000000}')::text || ' ' || pg_temp.said(:'a'),
	'{"clean": true} renews 2026-12-11T14:40:00Z 100', 'C97 of several periods the first to end is billed');

-- schedules
create function pg_temp.scheduled(p_start bigint, p_price text, p_more jsonb default '{}') returns jsonb
	language sql as $$
	select jsonb_build_object('schedule', '{"id": "sub_sched_1", "status": "active", "end_behavior": "release"}'
		|| jsonb_build_object('current_phase', jsonb_build_object('start_date', 1767225600, 'end_date', p_start),
		'phases', jsonb_build_array(jsonb_build_object('start_date', 1767225600, 'end_date', p_start,
			'items', '[{"price": "price_starter", "quantity": 1}]'::jsonb),
			jsonb_build_object('start_date', p_start, 'end_date', p_start + 1000000, 'items', jsonb_build_array(
				jsonb_build_object('price', p_price, 'quantity', 1))))) || p_more)
$$;
create function pg_temp.planned(p_bearer text, p_more jsonb) returns text language plpgsql as $$
begin
	perform pg_temp.renew();
	perform pg_temp.sub(p_more);
	if pg_temp.asked() then
		perform pg_temp.preview(4900);
	end if;
	return concat_ws('; ', pg_temp.said(p_bearer), pg_temp.said(p_bearer, 'later'));
end
$$;
select is(pg_temp.planned(:'a', v.more), v.said, 'C45 a schedule: ' || v.description)
from (values (pg_temp.scheduled(1800000000, 'price_growth'),
	'changes 2027-01-15T08:00:00Z 4900 plan_growth', 'another plan from the next period on'),
	(pg_temp.scheduled(1799000000, 'price_growth'),
		'changes 2027-01-03T18:13:20Z plan_growth', 'before it, when Stripe has not said what is charged'),
	(pg_temp.scheduled(1802000000, 'price_growth'),
		'renews 2027-01-15T08:00:00Z 4900; changes 2027-02-07T11:33:20Z plan_growth', 'after it'),
	(pg_temp.scheduled(1800000000, 'price_nobody_knows'), 'changes 2027-01-15T08:00:00Z 4900', 'a price of no plan'),
	(pg_temp.scheduled(1800000000, 'price_growth', '{"end_behavior": "cancel"}'),
		'changes 2027-01-15T08:00:00Z 4900 plan_growth; ends 2027-01-26T21:46:40Z', 'that ends the subscription'),
	(pg_temp.scheduled(1800000000, 'price_growth', '{"current_phase": null, "status": "released"}'),
		'renews 2027-01-15T08:00:00Z 4900', 'that is over'),
	('{"schedule": "sub_sched_1"}', 'renews 2027-01-15T08:00:00Z 4900', 'that is not shown'),
	(pg_temp.scheduled(1800000000, 'price_starter'), 'renews 2027-01-15T08:00:00Z 4900',
		'that keeps the plan, and changes its amount'),
	('{"cancel_at": 1802000000}', 'renews 2027-01-15T08:00:00Z 4900; ends 2027-02-07T11:33:20Z',
		'none: an end after the next renewal, whose period Stripe may shorten')) v (more, said, description);

-- a change that waits for its payment
select is(pg_temp.planned(:'a', jsonb_build_object('pending_update', jsonb_build_object('expires_at', 1799000000,
	'subscription_items', '[{"id": "si_1", "price": {"id": "price_growth"}, "quantity": 1}]'::jsonb))),
	'renews 2027-01-15T08:00:00Z 4900; waits 2027-01-03T18:13:20Z plan_growth',
	'C45 a change that waits for its payment');
select is(billing.standing(billing.entitlement(:'ann'), (select s from billing.shown_subscription(:'ann') s)),
	'{"plan": "plan_starter", "main": "pay", "reason": "reason_change_waits", "status": "status_active",
		"status_class": "good"}',
	'C44 whose main button pays');
select is(pg_temp.planned(:'a', '{"pending_update": null}'), 'renews 2027-01-15T08:00:00Z 1900', 'C45 which is over');

select * from finish();
rollback;
