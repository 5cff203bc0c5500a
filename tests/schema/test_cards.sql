-- Trials without a card, and what is paused for want of one.
begin;
select no_plan();

select tap.paid('ann') as ann \gset
select tap.user('mia@example.org') as mia \gset
insert into app.members (tenant_id, user_id, role) values (:'ann', :'mia', 'member');
select set_config('test.ann', tap.session('ann@example.org', 'a'), false),
	set_config('test.mia', tap.session('mia@example.org', 'm'), false) \g /dev/null
-- a trial of another three days, without a card; p_rule: what happens then
create function pg_temp.trial(p_tenant text, p_rule text, p_more jsonb default '{}') returns jsonb language sql as $$
	select tap.subscription('ann', p_tenant, jsonb_build_object('status', 'trialing', 'default_payment_method', null,
		'trial_end', 1800000000, 'trial_settings', jsonb_build_object('end_behavior',
			jsonb_build_object('missing_payment_method', p_rule))) || p_more)
$$;
create function pg_temp.page(p_who text default 'ann') returns jsonb language sql as $$
	select tap.ask('tollgate_billing', 'api.billing_page()', current_setting('test.' || p_who)) -> 'account'
$$;
create function pg_temp.todo() returns text language sql as $$
	select concat_ws(' ', p #>> '{todo,kind}', p #>> '{todo,action}', p #>> '{todo,url}') from pg_temp.page() p
$$;
create function pg_temp.may_resume() returns text language sql as $$
	select tap.ask('tollgate_billing', 'api.paused_subscription()', current_setting('test.ann')) ->> 'key'
$$;

-- the page asks for a card
select tap.sync('customer', tap.customer('ann', '{"invoice_settings": {"default_payment_method": null}}')) \g /dev/null
select tap.sync('subscription', pg_temp.trial(:'ann', 'cancel')) \g /dev/null
select is(pg_temp.todo(), 'card_cancel card', 'C112 a trial without a card asks for one');
select is(concat_ws(' ', p #>> '{next,kind}', coalesce(p #>> '{next,amount}', 'no amount'),
		coalesce(p ->> 'renews_on', 'no renewal')), 'card_cancel no amount no renewal',
	'C112 and announces the end, not a payment') from pg_temp.page() p;
select is(p #>> '{next,kind}' || coalesce(p ->> 'todo', ' and asks nothing'), 'card_cancel and asks nothing',
	'C112 a member is told so, and asked for nothing') from pg_temp.page('mia') p;
select tap.sync('subscription', pg_temp.trial(:'ann', 'pause')) \g /dev/null
select is(pg_temp.todo() || (p #>> '{next,kind}'), 'card_pause cardcard_pause', 'C112 that it is paused')
	from pg_temp.page() p;
select tap.sync('subscription', pg_temp.trial(:'ann', 'create_invoice')) \g /dev/null
select is(pg_temp.todo() || ' ' || (p #>> '{next,kind}'), 'card_create_invoice card trial_ends',
	'C112 that a payment is due') from pg_temp.page() p;
select tap.sync('subscription', pg_temp.trial(:'ann', 'some_new_word')) \g /dev/null
select is(pg_temp.todo(), 'card_create_invoice card', 'C112 an unknown word is no promise');

-- and does not, where none is missing
create function pg_temp.quiet(p_doc jsonb) returns text language sql as $$
	select tap.sync('subscription', p_doc);
	select coalesce(nullif(pg_temp.todo(), ''), 'nothing') || coalesce(' ' || (p #>> '{next,kind}'), '')
	from pg_temp.page() p
$$;
select is(pg_temp.quiet(pg_temp.trial(:'ann', 'cancel', '{"default_payment_method": "pm_1"}')), 'nothing trial_ends',
	'C112 a card of the subscription');
select is(pg_temp.quiet(pg_temp.trial(:'ann', 'cancel', '{"default_source": {"id": "src_1"}}')), 'nothing trial_ends',
	'C112 or a source, of old');
select is(pg_temp.quiet(pg_temp.trial(:'ann', 'cancel', '{"collection_method": "send_invoice"}')), 'nothing trial_ends',
	'C112 or invoices that are sent');
select is(pg_temp.quiet(pg_temp.trial(:'ann', 'cancel', '{"cancel_at": 1800000000}')), 'nothing ends',
	'C112 or an end that is wanted');
select is(pg_temp.quiet(pg_temp.trial(:'ann', 'cancel', '{"cancel_at": 1810000000}')), 'card_cancel card card_cancel',
	'C112 which it is still missing where that end is a later one');
select tap.sync('customer', tap.customer('ann', '{"invoice_settings": {"default_payment_method": "pm_1"}}'))
	\g /dev/null
select is(pg_temp.quiet(pg_temp.trial(:'ann', 'cancel')), 'nothing trial_ends', 'C112 or a card of the customer');

-- by mail
delete from mail.outbox where key like 'notice:%';
select tap.hint('subscription', 'customer.subscription.trial_will_end', 1799800000, pg_temp.trial(:'ann', 'cancel'))
	\g /dev/null
select is(tap.notices(:'ann'), 'trial_will_end ann@example.org en', 'C112 with a card the payment is announced');
select tap.sync('customer', tap.customer('ann', '{"invoice_settings": {"default_payment_method": null}}')) \g /dev/null
select tap.hint('subscription', 'customer.subscription.trial_will_end', 1799800000, pg_temp.trial(:'ann', 'cancel'))
	\g /dev/null
select is(tap.notices(:'ann'), 'trial_will_end ann@example.org en', 'C112 once for a trial');
select tap.hint('subscription', 'customer.subscription.trial_will_end', 1799800000, pg_temp.trial(:'ann', r,
	jsonb_build_object('trial_end', 1800000000 + n)))
	from (values (1, 'cancel'), (2, 'pause'), (3, 'create_invoice')) v (n, r) \g /dev/null
select is(tap.notices(:'ann'), 'card_cancel ann@example.org en, card_create_invoice ann@example.org en, '
	|| 'card_pause ann@example.org en, trial_will_end ann@example.org en',
	'C112 without one the mail says what happens');
select tap.hint('subscription', 'customer.subscription.trial_will_end', 1799800000, pg_temp.trial(:'ann', 'cancel',
	'{"trial_end": 1800000004, "cancel_at": 1810000000}')) \g /dev/null
select is(count(*), 2::bigint, 'C112 also of a plan that ends some time after its trial')
	from mail.outbox where template = 'notice_card_cancel';

-- paused
select is(pg_temp.may_resume(), null, 'C113 nothing is paused');
select tap.sync('subscription', pg_temp.trial(:'ann', 'pause', '{"status": "paused"}')) \g /dev/null
select is(pg_temp.todo(), 'paused_card card', 'C113 what is paused asks for a card first');
select is(jsonb_agg(data -> 'trial'), '[true]', 'C113 and is told by mail') from mail.outbox
	where template = 'notice_paused';
select tap.sync('customer', tap.customer('ann', '{"invoice_settings": {"default_payment_method": "pm_1"}}'))
	\g /dev/null
select is(pg_temp.todo(), 'resume resume', 'C113 then it is resumed by a button');
select is(p #>> '{can_subscribe}', 'false', 'C113 and nothing else is sold') from pg_temp.page() p;
select is(pg_temp.may_resume(), 'resume:sub_ann:1800000000:0', 'C113 whose clicks have one key');
select is(tap.state_of('tollgate_billing', 'select api.paused_subscription()', current_setting('test.mia')), 'TG403',
	'C113 a member may not');
select tap.ask('tollgate_billing', 'api.fetch_subscription(''sub_ann'')', current_setting('test.ann')) \g /dev/null
select is(pg_temp.todo(), 'resuming', 'C113 until Stripe''s answer is stored the page waits');
select is(tap.ask('tollgate_billing', 'api.billing_page()', current_setting('test.ann')) -> 'refresh', '2',
	'C113 and refreshes itself');
select tap.sync('invoice', tap.invoice('ann', '{"id": "in_r", "status": "open", "amount_paid": 0}')) \g /dev/null
select tap.sync('subscription', pg_temp.trial(:'ann', 'pause', '{"status": "paused"}')) \g /dev/null
select is(pg_temp.todo(), 'resume_pay https://invoice.stripe.com/ann', 'C113 a payment that fails can be made up for');
select tap.sync('invoice', tap.invoice('ann', '{"id": "in_r", "status": "void", "amount_paid": 0}')),
	tap.sync('subscription', pg_temp.trial(:'ann', 'pause', '{"status": "paused"}')) \g /dev/null
select is(pg_temp.todo() || ' ' || pg_temp.may_resume(), 'resume resume resume:sub_ann:1800000000:1',
	'C113 once it is void, another attempt has another key');
select tap.sync('subscription', tap.subscription('ann', :'ann')) \g /dev/null
select is(pg_temp.todo(), '', 'C113 resumed');
select tap.sync('subscription', tap.subscription('ann', :'ann', '{"status": "paused", "items": {"data": [
	{"price": "price_starter", "current_period_start": 1800000000, "current_period_end": 1802000000}]}}')) \g /dev/null
select is(jsonb_agg(data -> 'trial' order by at), '[true, null]', 'C113 no mail speaks of a trial where none has ended')
	from (select o.data, o.key as at from mail.outbox o where o.template = 'notice_paused') o;
select tap.sync('subscription', tap.subscription('ann', :'ann')) \g /dev/null

-- nothing is stored yet
delete from billing.subscription_history where tenant_id = :'ann';
delete from billing.subscriptions where tenant_id = :'ann';
select is(pg_temp.todo(), '', 'C113 a tenant without a subscription has nothing to resume');

select * from finish();
rollback;
