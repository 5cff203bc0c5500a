-- The billing page: what happens next, invoices, payments, notices, and who sees them.
begin;
select no_plan();

select tap.paid('ann') as ann \gset
select tap.user('mia@example.org') as mia \gset
insert into app.members (tenant_id, user_id, role) values (:'ann', :'mia', 'member');
select tap.session('ann@example.org', 'a') as a, tap.session('mia@example.org', 'm') as m \gset
create function pg_temp.page(p_bearer text) returns jsonb
	language sql as $$ select tap.ask('tollgate_billing', 'api.billing_page()', p_bearer) $$;
-- what happens next: "kind day amount", for a subscription whose period ends at 1800000000
create function pg_temp.next(p_bearer text, p_more jsonb) returns text language plpgsql as $$
declare
	n jsonb;
begin
	perform tap.sync('subscription',
		tap.subscription('ann', null,
			jsonb_build_object('items', jsonb_build_object('data', jsonb_build_array(jsonb_build_object(
			'price', '{"id": "price_starter", "active": true, "unit_amount": 1900, "currency": "eur"}'::jsonb,
			'quantity', 2,
		'current_period_start', 1798000000, 'current_period_end', 1800000000)))) || p_more));
	update billing.subscriptions set previewed = false where id = 'sub_ann';	-- as if it had begun so
	n := pg_temp.page(p_bearer) #> '{account,next}';
	return concat_ws(' ', n ->> 'kind', left(n #>> '{date,iso}', 10),
		n #>> '{amount,minor}', n #>> '{amount,currency}');
end
$$;
create function pg_temp.day(p_in interval) returns text
	language sql as $$ select left(api.date_document(now() + p_in) ->> 'iso', 10) $$;

select is(pg_temp.next(:'a', v.more), v.next, 'C97 next: ' || v.more::text)
from (values ('{}'::jsonb, 'renews 2027-01-15 3800 eur'), ('{"cancel_at_period_end": true}', 'ends 2027-01-15'),
	('{"cancel_at": 1799000000}', 'ends 2027-01-03'),
	('{"status": "trialing", "trial_end": 1799000000}', 'trial_ends 2027-01-03 3800 eur'),
	('{"status": "trialing", "trial_end": 1799000000, "cancel_at": 1799000000}', 'ends 2027-01-03'),
	('{"status": "past_due"}', 'grace_ends ' || pg_temp.day('7 days')), ('{"status": "unpaid"}', 'nothing'),
	('{"status": "paused"}', 'nothing'),
	('{"status": "canceled"}', 'nothing'), ('{"status": "incomplete"}', 'nothing'),
	('{"status": "some_new_word"}', 'nothing'), ('{"items": {"data": []}}', 'nothing'),
	('{"status": "trialing"}', 'nothing')) v (more, next);
select is(pg_temp.page(:'a') #>> '{account,next,label}', 'next_nothing', 'C97 with a name in the catalogues');
select tap.sync('invoice',
	tap.invoice('ann', jsonb_build_object('status', 'open', 'amount_paid', 0,
		'next_payment_attempt', extract(epoch from now() + interval '2 days')::bigint))) \g /dev/null
select is(pg_temp.next(:'a', '{"status": "past_due"}'), 'retry ' || pg_temp.day('2 days') || ' 1900 eur',
	'C97 next: another attempt, within grace');
update billing.subscriptions set past_due_since = now() - interval '6 days' where id = 'sub_ann';
select is(pg_temp.next(:'a', '{"status": "past_due"}'), 'grace_ends ' || pg_temp.day('1 day'),
	'C97 next: grace ends before it');
select is(pg_temp.next(:'a',
	jsonb_build_object('status', 'past_due', 'cancel_at', extract(epoch from now() + interval '1 hour')::bigint)),
	'ends ' || pg_temp.day('1 hour'), 'C97 next: the end that is scheduled, before either');
update billing.subscriptions set past_due_since = now() - interval '8 days' where id = 'sub_ann';
select is(pg_temp.next(:'a', '{"status": "past_due"}'), 'retry ' || pg_temp.day('2 days') || ' 1900 eur',
	'C97 next: another attempt after grace');
update billing.invoices set amount_paid = 500;
select is((pg_temp.page(:'a') -> 'account') - '{plan,next,later,can_manage,can_subscribe,todo}'::text[],
	'{"status": "status_past_due", "status_class": "bad", "reason": "reason_grace_over", "manage_first": false,
		"pay": {"url": "https://invoice.stripe.com/ann", "amount": {"minor": 1400, "currency": "eur"}}}',
	'C44 and what may be done: the main button pays the rest');

-- an invoice that was given up is paid on its page all the same
select tap.sync('invoice', tap.invoice('ann', '{"status": "uncollectible", "amount_paid": 500}')) \g /dev/null
select is(p #> '{account,pay}', '{"url": "https://invoice.stripe.com/ann",
	"amount": {"minor": 1400, "currency": "eur"}}', 'C44 one that was given up is paid by its link')
	from pg_temp.page(:'a') p;
select tap.sync('invoice', tap.invoice('ann', '{"id": "in_other", "status": "open", "created": 1700000000,
	"hosted_invoice_url": "https://invoice.stripe.com/other"}')) \g /dev/null
select is(p #>> '{account,pay,url}', 'https://invoice.stripe.com/other', 'C44 an open one comes first')
	from pg_temp.page(:'a') p;
delete from billing.invoices where id = 'in_other';

-- without one that can be paid, no payment is asked for; p_days: past due for so long
create function pg_temp.given_up(p_bearer text, p_more jsonb, p_days int) returns text language plpgsql as $$
begin
	perform tap.sync('invoice', tap.invoice('ann', p_more));
	update billing.subscriptions set past_due_since = now() - make_interval(days => p_days) where id = 'sub_ann';
	return (select concat_ws(' ', a ->> 'reason', a #>> '{next,label}', left(a #>> '{next,date,iso}', 10),
		a #>> '{pay,url}') from (select pg_temp.page(p_bearer) -> 'account' as a) p);
end
$$;
select is(pg_temp.given_up(:'a', v.more, v.days), v.said, 'C44 past due, and ' || v.description)
from (values ('{"status": "void"}'::jsonb, 6, 'reason_given_up_past_due_grace next_ends_then ' || pg_temp.day('1 day'),
		'the invoice is void: the page says when the plan ends'),
	('{"status": "void"}', 8, 'reason_given_up_grace_over next_nothing', 'that day is over'),
	('{"status": "uncollectible", "hosted_invoice_url": null}', 6, 'reason_given_up_past_due_grace next_ends_then '
		|| pg_temp.day('1 day'), 'one that was given up has no page'),
	('{"status": "uncollectible"}', 6, 'reason_past_due_grace next_grace_ends ' || pg_temp.day('1 day')
		|| ' https://invoice.stripe.com/ann', 'one that was given up has a page to pay it'))
	v (more, days, said, description);
select is(pg_temp.given_up(:'m', '{"status": "void"}', 6), 'reason_given_up_past_due_grace next_ends_then '
	|| pg_temp.day('1 day'), 'C44 a member, who sees no invoice, reads the same');
select tap.sync('invoice', tap.invoice('ann', '{"id": "in_next", "status": "draft", "created": 1798000001}'))
	\g /dev/null
select is(pg_temp.given_up(:'a', '{"status": "void"}', 6), 'reason_past_due_grace next_grace_ends '
	|| pg_temp.day('1 day'), 'C44 nor is anything over while another is to come');
delete from billing.invoices where id = 'in_next';
update billing.subscriptions set status = 'unpaid' where id = 'sub_ann';
select is(pg_temp.given_up(:'a', '{"status": "void"}', 6), 'reason_given_up_unpaid next_nothing',
	'C44 nor is one who has not paid told to');
update billing.subscriptions set status = 'past_due', past_due_since = now() - interval '8 days' where id = 'sub_ann';
select tap.sync('invoice', tap.invoice('ann', '{"status": "open", "amount_paid": 500}')) \g /dev/null

-- notices
update billing.notifications set seen_at = now() where kind <> 'payment_failed';
select is(e - 'id' - 'date',
	'{"kind": "notice_payment_failed", "amount": {"minor": 1900, "currency": "eur"},
		"url": "https://invoice.stripe.com/ann"}',
	'C41 a failed payment is on the page, with the way to pay')
		from jsonb_array_elements(pg_temp.page(:'a') -> 'notices') e;
select is(pg_temp.page(:'a') #>> '{payments,0,kind}', 'payment_failed', 'C97 and among the payments');
select tap.sync('invoice', tap.invoice('ann', '{"attempt_count": 2}')) \g /dev/null
select is(jsonb_path_query_array(pg_temp.page(:'a'), '$.notices[*].kind'), '["notice_recovered"]',
	'C41 once paid it is recovered, and only that');
select tap.ask('tollgate_billing', format('api.see_notice(%s)', pg_temp.page(:'a') #>> '{notices,0,id}'), :'a')
	\g /dev/null
select is(pg_temp.page(:'a') -> 'notices', '[]', 'C41 until it is seen');

-- invoices and payments
select is(pg_temp.page(:'a') -> 'invoices',
	jsonb_build_array(jsonb_build_object('number', 'N-ann',
		'status', 'invoice_paid', 'date', api.date_document(to_timestamp(1798000000)), 'due', null,
		'amount', '{"minor": 1900, "currency": "eur"}'::jsonb, 'metered', null,
	'hosted_url', 'https://invoice.stripe.com/ann', 'pdf_url', 'https://invoice.stripe.com/pdf')), 'C97 an invoice');
select tap.sync('invoice',
	tap.invoice('ann', jsonb_build_object('id', 'in_' || n, 'number', 'N-' || n, 'created', 1798000000 + n,
		'status', case n when 14 then 'draft' when 13 then 'some_new_word' else 'paid' end)))
from generate_series(1, 14) n \g /dev/null
select is(jsonb_path_query_array(pg_temp.page(:'a'), '$.invoices[*].number'),
	'["N-13", "N-12", "N-11", "N-10", "N-9", "N-8", "N-7", "N-6", "N-5", "N-4", "N-3", "N-2"]',
	'C97 the latest twelve, no drafts');
select is(pg_temp.page(:'a') #>> '{invoices,0,status}', 'invoice_unknown', 'C97 and of a status that nobody knows');
select is(jsonb_array_length(pg_temp.page(:'a') -> 'payments'), 12, 'C97 as many payments');
select tap.sync('charge', tap.charge('ann', '{"amount_refunded": 500}')), tap.sync('dispute', tap.dispute('ann'))
	\g /dev/null
update billing.disputes set opened_at = '2030-01-01Z';
delete from billing.invoices where number ~ 'N-[0-9]';	-- which are newer
create function pg_temp.refunded(p_bearer text) returns jsonb language sql as $$
	select p -> 'date' from jsonb_array_elements(pg_temp.page(p_bearer) -> 'payments') p
	where p ->> 'kind' = 'payment_refunded'
$$;
update billing.notifications set happened_at = null where kind = 'refunded';
select is(pg_temp.refunded(:'a') ->> 'iso', '2030-01-01T00:00:00Z',
	'C97 a refund that no event told is of when it was first seen');
select tap.hint('charge', 'charge.refunded', 1790000200, tap.charge('ann', '{"amount_refunded": 700}')) \g /dev/null
select is(pg_temp.refunded(:'a'), api.date_document(to_timestamp(1790000200)), 'C97 others are of their event');
create function pg_temp.disputed(p_bearer text, p_status text) returns text language plpgsql as $$
begin
	perform tap.sync('dispute', tap.dispute('ann', jsonb_build_object('status', p_status)));
	return (select p ->> 'kind' from jsonb_array_elements(pg_temp.page(p_bearer) -> 'payments') p
		where p -> 'date' = api.date_document(to_timestamp(1798000070)) and p ->> 'number' is null);
end
$$;
select is(pg_temp.disputed(:'a', v.status), v.kind, 'C97 a dispute is of when it began, and says how it stands: '
	|| v.status)
from (values ('warning_needs_response', 'payment_inquiry'), ('needs_response', 'payment_disputed'),
	('lost', 'payment_dispute_lost'), ('won', 'payment_dispute_won')) v (status, kind);

-- who sees them
select is(pg_temp.page(:'m') - '{account,tenant,name,tenants,several,others,elsewhere}'::text[],
	'{"email": "mia@example.org", "invoices": [], "payments": [], "notices": []}',
	'D14 a plain member sees no money');
select is((pg_temp.page(:'m') -> 'account') - '{plan,next,later,status,status_class,can_subscribe,todo}'::text[],
	'{"reason": "reason_grace_over", "pay": null, "manage_first": true, "can_manage": false}',
	'C63 but what there is to use');

-- buying again
select is(pg_temp.page(:'a') #> '{account,can_subscribe}', 'false', 'C12 who has a subscription buys no other');
select tap.sync('subscription', tap.subscription('ann', :'ann', '{"status": "canceled"}')) \g /dev/null
select is(pg_temp.page(:'a') #> '{account,can_subscribe}', 'true', 'C12 who had one may');
select is(pg_temp.page(:'m') #> '{account,can_subscribe}', 'false', 'D14 but no plain member');

-- nothing paid for, and a purchase under way
select tap.paid('eve') as eve \gset
update billing.subscriptions set tenant_id = :'ann' where tenant_id = :'eve';
select tap.session('eve@example.org', 'e') as e \gset
select is(pg_temp.page(:'e') #> '{account,can_subscribe}', 'true', 'C12 who has none may');
select tap.open_draft('zoe', 'zoe@example.org') ->> 'tenant' as zoe \gset
select tap.sync('checkout', tap.checkout('zoe', :'zoe')) \g /dev/null
select is(pg_temp.page(tap.session('zoe@example.org', 'z')) #> '{account,can_subscribe}',
	'false', 'C12 whose subscription is on its way buys no other');

-- the amount of a renewal: of all items, or none; p_prices override a plain price of 19 a month, quantity 2
create function pg_temp.cost(p_bearer text, p_prices jsonb, p_more jsonb default '{}') returns text language sql as $$
	select split_part(pg_temp.next(p_bearer, p_more || jsonb_build_object('items', jsonb_build_object('data', (
		select jsonb_agg(jsonb_build_object('quantity', 2, 'current_period_start', 1798000000,
			'current_period_end', 1800000000) || coalesce(p -> 'item', '{}')
			|| jsonb_build_object('price',
				'{"id": "price_starter", "active": true, "unit_amount": 1900, "currency": "eur",
				"recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
				"transform_quantity": null}' || p - 'item'))
		from jsonb_array_elements(p_prices) p)))), '2027-01-15', 2)
$$;
select is(pg_temp.cost(:'a', v.prices, v.more), v.cost, 'C97 a renewal of ' || v.description)
from (values ('[{}]'::jsonb, '{}'::jsonb, ' 3800 eur', 'one item'),
	('[{}, {"id": "price_seat", "unit_amount": 500, "item": {"quantity": 10}}]', '{}', ' 8800 eur', 'two'),
	('[{"unit_amount": 99999999, "item": {"quantity": 999999999999}}]', '{}', '', 'more than money can be'),
	('[{"unit_amount": 9007199254740992, "item": {"quantity": 1}}]', '{}', ' 9007199254740992 eur',
		'as much as can be'),
	('[{"unit_amount": 9007199254740992, "item": {"quantity": 1}}, {"unit_amount": 1}]', '{}', '', 'more than that'),
	('[{}, {"id": "price_use", "recurring": {"interval": "month", "interval_count": 1, "usage_type": "metered"}}]',
		'{}', ' 3800 eur', 'items beside usage'),
	('[{"id": "price_use", "recurring": {"interval": "month", "interval_count": 1, "usage_type": "metered"}}]',
		'{}', '', 'usage'),
	('[{}, {"id": "price_tier", "unit_amount": null}]', '{}', '', 'tiers'),
	('[{"transform_quantity": {"divide_by": 10, "round": "up"}}]', '{}', '', 'packages'),
	('[{}, {"id": "price_year", "recurring": {"interval": "year", "interval_count": 1}}]', '{}', '',
		'items that are not renewed together'),
	('[{}, {"id": "price_usd", "currency": "usd"}]', '{"currency": "eur"}', '', 'a price in another currency'),
	('[{}]', '{"currency": "usd"}', '', 'a subscription in another currency than its price is listed in'))
	v (prices, more, cost, description);

-- a notice about an invoice lasts as long as it is true
delete from auth.hits;
select tap.paid('nia') as nia \gset
select tap.session('nia@example.org', 'nia') as n \gset
create function pg_temp.shown(p_bearer text, p_type text, p_more jsonb) returns text language plpgsql as $$
begin
	perform tap.hint('invoice', p_type, 1798000000,
		tap.invoice('nia', '{"status": "open", "amount_paid": 0, "attempt_count": 1}' || p_more));
	return (select string_agg(replace(e ->> 'kind', 'notice_', '') || ' ' || coalesce(e ->> 'url', '-'), ', '
		order by e ->> 'kind') from jsonb_array_elements(pg_temp.page(p_bearer) -> 'notices') e);
end
$$;
select is(pg_temp.shown(:'n', v.type, v.more), v.shown, 'C41 ' || v.description)
from (values
	('invoice.payment_failed', '{}'::jsonb, 'payment_failed https://invoice.stripe.com/nia',
		'a failed payment is shown with the way to pay'),
	('invoice.payment_failed', '{"attempt_count": 2}', 'payment_failed https://invoice.stripe.com/nia',
		'of two failed attempts the last is shown'),
	('invoice.payment_action_required', '{"attempt_count": 2}', 'action_required https://invoice.stripe.com/nia',
		'what the bank asks is shown with the way to answer, and no other'),
	('invoice.updated', '{"attempt_count": 2, "status": "void"}', null, 'and nothing of a void invoice'),
	('invoice.paid', '{"attempt_count": 3, "status": "paid", "amount_paid": 1900}',
		'recovered https://invoice.stripe.com/nia', 'and of a paid one that it is paid'))
	v (type, more, shown, description);
select pg_temp.shown(:'n', 'invoice.payment_action_required', '{"attempt_count": 4}') \g /dev/null
update billing.subscriptions set status = 'canceled' where id = 'sub_nia';
select is(e ->> 'kind', null, 'C41 and nothing to confirm once the subscription has ended') from (select) one
	left join jsonb_array_elements(pg_temp.page(:'n') -> 'notices') e on e ->> 'kind' = 'notice_action_required';
update billing.subscriptions set status = 'active' where id = 'sub_nia';
select pg_temp.shown(:'n', 'invoice.payment_failed', '{"attempt_count": 5}') \g /dev/null
update billing.subscriptions set status = 'canceled' where id = 'sub_nia';
select is(e ->> 'kind', null, 'C41 and nothing to pay once the subscription has ended') from (select) one
	left join jsonb_array_elements(pg_temp.page(:'n') -> 'notices') e on e ->> 'kind' = 'notice_payment_failed';
insert into billing.notifications (tenant_id, kind, fact)
select :'nia', k, 'a test' from unnest('{refunded,disputed}'::text[]) k;
select is(e -> 'told', v.told, 'C37 how a notice looks: ' || v.kind) from (values ('refunded', 'true'::jsonb),
	('disputed', null)) v (kind, told), jsonb_array_elements(pg_temp.page(:'n') -> 'notices') e
where e ->> 'kind' = 'notice_' || v.kind;

select * from finish();
rollback;
