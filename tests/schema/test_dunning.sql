-- Notices to customers: once for each fact, whatever reports it, in any order and number.
begin;
select no_plan();

select tap.paid('ann') as ann \gset
select tap.user('max@example.org') as max, tap.user('mia@example.org') as mia,
	tap.user('off@example.org') as off \gset
insert into app.members (tenant_id, user_id, role) values (:'ann', :'max', 'admin'), (:'ann', :'mia', 'member'),
	(:'ann', :'off', 'admin');
update auth.users set disabled_at = now() where id = :'off';
update app.profiles set language = 'de' where user_id = :'max';

create function pg_temp.open_invoice(p_name text, p_attempt int, p_more jsonb default '{}') returns jsonb
	language sql as $$
	select tap.invoice(p_name,
		jsonb_build_object('status', 'open', 'amount_paid', 0, 'attempt_count', p_attempt,
			'next_payment_attempt', 1798100000) || p_more)
$$;
-- "kind fact" of all notifications
create function pg_temp.told(p_tenant text) returns text language sql as $$
	select string_agg(n.kind || ' ' || n.fact, ', ' order by n.kind, n.fact)
		from billing.notifications n where n.tenant_id = p_tenant::uuid
$$;

select tap.sync('invoice', pg_temp.open_invoice('ann', 1)) \g /dev/null
select is(pg_temp.told(:'ann'), null, 'C41 an open invoice alone is no failure: a debit takes days');
select tap.hint('invoice', 'invoice.payment_failed', 1798000000, pg_temp.open_invoice('ann', 1)) \g /dev/null
select is(pg_temp.told(:'ann'), 'payment_failed in_ann:1', 'C41 a failed payment is told');
select is(tap.notices(:'ann'), 'payment_failed ann@example.org en, payment_failed max@example.org de',
	'C41 by mail to owners and admins, in their language');
select is(data, jsonb_build_object(
	'plan', 'plan_starter', 'invoice', 'in_ann', 'tenant', :'ann', 'url', 'https://invoice.stripe.com/ann',
	'amount', '{"minor": 1900, "currency": "eur"}'::jsonb,
	'date', api.date_document(to_timestamp(1798100000))),
	'C41 the mail has the amount, the next attempt and the link')
		from mail.outbox where template = 'notice_payment_failed' and language = 'en';
select tap.hint('invoice', 'invoice.payment_failed', 1798000000, pg_temp.open_invoice('ann', 1)),
	tap.sync('subscription', tap.subscription('ann', :'ann', '{"status": "past_due"}')),
	tap.sync('invoice', pg_temp.open_invoice('ann', 1)) \g /dev/null
select is(pg_temp.told(:'ann'), 'payment_failed in_ann:1', 'C41 once for an attempt, whatever else tells it');
select is(count(*), 2::bigint, 'C41 and so are the mails') from mail.outbox where key like 'notice:%';
select tap.sync('invoice', pg_temp.open_invoice('ann', 2)) \g /dev/null
select is(pg_temp.told(:'ann'), 'payment_failed in_ann:1, payment_failed in_ann:2',
	'C41 again for the next attempt, though its event is lost');
select tap.hint('invoice', 'invoice.payment_action_required', 1798000000, pg_temp.open_invoice('ann', 2)) \g /dev/null
select tap.hint('invoice', 'invoice.payment_action_required', 1798000001, pg_temp.open_invoice('ann', 2)) \g /dev/null
select is(pg_temp.told(:'ann'), 'action_required in_ann, payment_failed in_ann:1, payment_failed in_ann:2',
	'C41 that the bank asks is told once');
select is(action_required, true, 'C41 and kept while the invoice is open') from billing.invoices where id = 'in_ann';
select tap.sync('invoice', tap.invoice('ann', '{"attempt_count": 3}')),
	tap.sync('invoice', tap.invoice('ann', '{"attempt_count": 3}')) \g /dev/null
select is(pg_temp.told(:'ann'),
	'action_required in_ann, payment_failed in_ann:1, payment_failed in_ann:2, recovered in_ann',
	'C41 the recovery is told once');
select is(action_required, false, 'C41 and nothing is asked any more') from billing.invoices where id = 'in_ann';
select tap.sync('invoice', tap.invoice('ann', '{"id": "in_fine"}')) \g /dev/null
select is(count(*), 0::bigint, 'C41 who never failed does not recover')
	from billing.notifications where fact = 'in_fine';
select tap.hint('invoice', 'invoice.payment_failed', 1798000000, tap.invoice('ann', '{"id": "in_fine"}')) \g /dev/null
select is(count(*), 0::bigint, 'F73 nor is a failure told that is over when its event comes')
	from billing.notifications where fact like 'in_fine%';

-- a failed attempt is told once, in every order of the objects that report it
create function pg_temp.order_told(p_name text, p_steps text[]) returns text language plpgsql as $$
declare
	tenant text := tap.paid(p_name);
	step text;
begin
	delete from auth.hits;
	foreach step in array p_steps loop
		perform case step
			when 'failed' then tap.hint('invoice', 'invoice.payment_failed', 1798000000,
				pg_temp.open_invoice(p_name, 1))
			when 'invoice' then tap.sync('invoice', pg_temp.open_invoice(p_name, 1))
			when 'action' then tap.hint('invoice', 'invoice.payment_action_required', 1798000000,
				pg_temp.open_invoice(p_name, 1))
			else tap.sync('subscription', tap.subscription(p_name, tenant, '{"status": "past_due"}')) end;
	end loop;
	return replace(pg_temp.told(tenant), '_' || p_name, '_X') || ' / '
		|| (select count(*) from mail.outbox where key like 'notice:' || tenant || ':%');
end
$$;
select is(pg_temp.order_told('o' || row_number() over (), o.steps), 'action_required in_X, payment_failed in_X:1 / 2',
	'F73 told once in the order ' || array_to_string(o.steps, ', '))
from (
	select array[a, b, c, d, a, c] as steps
	from unnest('{failed,invoice,action,status}'::text[]) a, unnest('{failed,invoice,action,status}'::text[]) b,
		unnest('{failed,invoice,action,status}'::text[]) c, unnest('{failed,invoice,action,status}'::text[]) d
	where a not in (b, c, d) and b not in (c, d) and c <> d) o;

-- an event of a dead-lettered or orphaned object is told once the object is stored
create function pg_temp.late_told(p_name text, p_state text) returns text language plpgsql as $$
declare
	tenant text := tap.paid(p_name);
begin
	delete from auth.hits;
	perform tap.receive('evt_' || p_name, 'invoice', 'in_' || p_name,
		'{"type": "invoice.payment_action_required", "created": 1798000000}');
	update inbox.events set state = p_state where id = 'evt_' || p_name;
	perform tap.sync('invoice', pg_temp.open_invoice(p_name, 1));
	return pg_temp.told(tenant);
end
$$;
select is(pg_temp.late_told('late_' || s, s), 'action_required in_late_' || s, 'C41 told though its event was ' || s)
	from unnest('{dead,ignored}'::text[]) s;

-- told before the tenant has an owner
create function pg_temp.draft(p_name text, p_invoice jsonb) returns text language plpgsql as $$
declare
	tenant text := tap.open_draft(p_name, p_name || '@example.org') ->> 'tenant';
begin
	delete from auth.hits;
	perform tap.sync('subscription', tap.subscription(p_name, tenant, '{"status": "past_due"}'));
	perform tap.hint('invoice', 'invoice.payment_failed', 1798000000, pg_temp.open_invoice(p_name, 1)),
		tap.sync('invoice', p_invoice);
	perform tap.sync('checkout', tap.checkout(p_name, tenant)), tap.sync('checkout', tap.checkout(p_name, tenant));
	return tap.notices(tenant);
end
$$;
select is(pg_temp.draft('dan', pg_temp.open_invoice('dan', 1)), 'payment_failed dan@example.org en',
	'C41 a failure told to a draft is mailed to its owner, once there is one');
select is(pg_temp.draft('dot', tap.invoice('dot')), null, 'C41 unless it is over by then');
select is(pg_temp.draft('don', pg_temp.open_invoice('don', 2)), 'payment_failed don@example.org en',
	'C41 and of several attempts the last');

-- what only events report
select tap.paid('zoe') as zoe \gset
select tap.hint('subscription', v.type, v.created, tap.subscription('zoe', :'zoe', v.more))
from (values ('invoice.upcoming', 1799500000, '{}'::jsonb), ('invoice.upcoming', 1799500001, '{}'))
	v (type, created, more) \g /dev/null
select is(pg_temp.told(:'zoe'), 'upcoming sub_zoe:1800000000', 'C37 a renewal is announced once');
select is(data ->> 'plan' || (data #>> '{date,iso}'), 'plan_starter2027-01-15T08:00:00Z', 'C37 with its day')
	from mail.outbox where key like 'notice:' || :'zoe' || '%';
select tap.hint('subscription', 'invoice.upcoming', 1797000000,
	tap.subscription('zoe', :'zoe', '{"items": {"data": [{"price": "price_starter",
		"current_period_start": 1800000000, "current_period_end": 1802000000}]}}')) \g /dev/null
select is(pg_temp.told(:'zoe'), 'upcoming sub_zoe:1800000000', 'F73 an event of an earlier period announces nothing');
select tap.hint('subscription', 'invoice.upcoming', 1801000000,
	tap.subscription('zoe', :'zoe', '{"cancel_at_period_end": true, "items": {"data": [{"price": "price_starter",
		"current_period_start": 1800000000, "current_period_end": 1802000000}]}}')) \g /dev/null
select is(pg_temp.told(:'zoe'), 'upcoming sub_zoe:1800000000', 'C37 nor is announced what ends');
select tap.paid('zac') as zac \gset
select tap.hint('subscription', 'invoice.upcoming', v.at, tap.subscription('zac', :'zac',
	'{"collection_method": "send_invoice"}' || jsonb_build_object('items', jsonb_build_object('data', jsonb_build_array(
		'{"price": "price_starter", "current_period_start": 1767225600, "current_period_end": 1800000000}'::jsonb,
		jsonb_build_object('price', 'price_seat', 'current_period_start', v.at - 1000000,
			'current_period_end', v.at + 500000))))))
from (values (1795000000), (1797500000)) v (at) \g /dev/null
select is(pg_temp.told(:'zac'), 'upcoming sub_zac:1795500000, upcoming sub_zac:1798000000',
	'C37 of several periods each renewal is announced');
select is(string_agg(distinct concat_ws(' ', data #>> '{date,iso}', data ->> 'sent'), ', '),
	'2026-11-24T06:00:00Z true, 2026-12-23T04:26:40Z true',
	'C37 with its day, and not as a payment that is taken where an invoice is sent')
	from mail.outbox where key like 'notice:' || :'zac' || '%';

select tap.hint('subscription', 'customer.subscription.trial_will_end', v.created,
	tap.subscription('zoe', :'zoe', v.more))
from (values (1798000000, '{"status": "trialing", "trial_end": 1798259200}'::jsonb),
	(1798000000, '{"status": "trialing", "trial_end": 1798259200}'),
	(1798000000, '{"status": "trialing", "trial_end": 1799000000}'),
	(1798000000, '{"status": "active", "trial_end": 1798259200}')) v (created, more) \g /dev/null
select is(pg_temp.told(:'zoe'), 'trial_will_end sub_zoe:1798259200, upcoming sub_zoe:1800000000',
	'C37 the end of a trial is told once, and neither a later nor a past one');

select tap.hint('subscription', 'customer.subscription.trial_will_end', 1798000000, tap.subscription('zoe', :'zoe',
	'{"status": "trialing", "trial_end": 1798259201}' || v.more))
from (values ('{"cancel_at": 1798259201}'::jsonb), ('{"pause_collection": {"behavior": "void"}}')) v (more) \g /dev/null
select is(pg_temp.told(:'zoe'), 'trial_will_end sub_zoe:1798259200, upcoming sub_zoe:1800000000',
	'C37 no payment is announced that will not be collected');

select tap.sync('subscription',
	tap.subscription('zoe', :'zoe',
		'{"status": "canceled", "ended_at": 1798000000, "cancellation_details": {"reason": "payment_failed"}}'))
from generate_series(1, 2) \g /dev/null
select is(count(*), 1::bigint, 'C36 an end is told once')
	from billing.notifications where tenant_id = :'zoe' and kind = 'canceled' and fact = 'sub_zoe';
select is(payload ->> 'reason', 'payment_failed', 'C36 with Stripe''s reason')
	from billing.notifications where tenant_id = :'zoe' and kind = 'canceled';
select tap.sync('subscription', tap.subscription('past', :'zoe', '{"status": "canceled", "customer": "cus_zoe"}'))
	\g /dev/null
select is(count(*), 0::bigint, 'C36 that of a subscription first seen ended is no news')
	from billing.notifications where fact = 'sub_past';

-- what never began does not end
select tap.sync('subscription', tap.subscription('new', :'zoe', jsonb_build_object('customer', 'cus_zoe',
	'status', v.status, 'ended_at', 1798000000) || v.more))
from (values ('incomplete', '{}'::jsonb), ('canceled', '{}'), ('incomplete', '{"id": "sub_never"}'),
	('incomplete_expired', '{"id": "sub_never"}')) v (status, more) \g /dev/null
select is(count(*), 0::bigint, 'C36 that of a subscription whose first payment never arrived is not told')
	from billing.notifications where fact in ('sub_new', 'sub_never');
select tap.sync('subscription', tap.subscription('soon', :'zoe', '{"customer": "cus_zoe", "status": "incomplete"}')),
	tap.sync('invoice', tap.invoice('soon', '{"customer": "cus_zoe"}')), tap.sync('subscription', tap.subscription(
		'soon', :'zoe', '{"customer": "cus_zoe", "status": "canceled", "ended_at": 1798000000}')) \g /dev/null
select is(count(*), 1::bigint, 'C36 but is where it was paid, though nobody saw it active')
	from billing.notifications where kind = 'canceled' and fact = 'sub_soon';

-- of two invoices the newest decides whether the plan is available
select tap.paid('ivy') as ivy \gset
select tap.hint('invoice', 'invoice.payment_failed', 1798000000, tap.invoice('ivy', jsonb_build_object('id', v.id,
	'status', 'open', 'amount_paid', 0, 'created', v.created)))
from (values ('in_old', 1797000000), ('in_new', 1798000000)) v (id, created) \g /dev/null
select tap.sync('subscription', tap.subscription('ivy', :'ivy', '{"status": "past_due"}')),
	tap.sync('invoice', tap.invoice('ivy', '{"id": "in_old", "created": 1797000000}')) \g /dev/null
select is(pg_temp.told(:'ivy'), 'payment_failed in_new:1, payment_failed in_old:1',
	'C41 who has paid an earlier one has not recovered');
select tap.sync('invoice', tap.invoice('ivy', '{"id": "in_new"}')) \g /dev/null
select is(pg_temp.told(:'ivy'), 'payment_failed in_new:1, payment_failed in_old:1, recovered in_new',
	'C41 but who has paid the newest');

-- what is paid after the end is a receipt: nothing is available again
select tap.hint('invoice', 'invoice.payment_failed', 1798000000, pg_temp.open_invoice('zoe', 1)),
	tap.sync('invoice', tap.invoice('zoe', jsonb_build_object('status_transitions',
		jsonb_build_object('paid_at', extract(epoch from now())::bigint)))) \g /dev/null
select is(count(*), 0::bigint, 'C41 what has ended does not recover')
	from billing.notifications where tenant_id = :'zoe' and kind = 'recovered';
select is(data -> 'renews', null, 'C41 its receipt names no next payment')
	from mail.outbox where template = 'notice_paid' and data ->> 'tenant' = :'zoe';
create function pg_temp.late() returns text language sql as $$
	select string_agg(concat_ws(' ', a.subject, a.detail ->> 'amount', a.cleared_at is not null), ', ')
	from ops.alerts a where a.kind = 'paid_after_end'
$$;
select is(pg_temp.late(), null, 'C80 what was paid before its subscription ended is no alert');
select tap.sync('invoice', tap.invoice('zoe', '{"id": "in_end", "created": 1798000000}')),
	tap.sync('subscription', tap.subscription('zoe', :'zoe', '{"status": "canceled", "ended_at": 1798000000}'))
	\g /dev/null
select is(pg_temp.late(), null, 'C80 nor what was billed at the end');
select tap.sync('subscription', tap.subscription('zoe', :'zoe', '{"status": "canceled", "ended_at": 1798000030}'))
	\g /dev/null
select is(pg_temp.late(), 'in_end 1900 f',
	'C80 what was open at the end and is paid after it is, whatever comes first');
update ops.alerts set cleared_at = now() where kind = 'paid_after_end';
select tap.sync('invoice', tap.invoice('zoe', '{"id": "in_end", "created": 1798000000}')) \g /dev/null
select is(pg_temp.late(), 'in_end 1900 t', 'C80 once');
select is((billing.renewal_document(s) is null)::text, v.none, 'C41 a next payment is announced: ' || v.more)
from (values ('{}', 'false'), ('{"cancel_at": 1800000000}', 'true'), ('{"cancel_at": 1900000000}', 'false'),
	('{"pause_collection": {"behavior": "void"}}', 'true'), ('{"status": "unpaid"}', 'true')) v (more, none)
	cross join lateral billing.subscription_row(:'ann', 'sub_ann', tap.subscription('ann', :'ann', v.more::jsonb)) s;

-- an invoice of no subscription is told without the plan, which does not hang on it
select tap.paid('pia') as pia \gset
select ops.put_settings('{"receipts": true, "limits": {}}') \g /dev/null
create function pg_temp.apart(p_id text, p_more jsonb) returns jsonb language sql as $$
	select tap.invoice('pia', jsonb_build_object('id', p_id, 'parent', null, 'status', 'open', 'amount_paid', 0,
		'attempt_count', 0, 'status_transitions', jsonb_build_object('paid_at', floor(extract(epoch from now()))))
			|| p_more)
$$;
select tap.sync('invoice', pg_temp.apart('in_s', '{"collection_method": "send_invoice", "due_date": 1900000000}')),
	tap.hint('invoice', 'invoice.overdue', 1798000000, pg_temp.apart('in_s', '{"collection_method": "send_invoice",
		"due_date": 1900000000}')),
	tap.hint('invoice', 'invoice.payment_failed', 1798000000, pg_temp.apart('in_f', '{"attempt_count": 1}')),
	tap.hint('invoice', 'invoice.payment_action_required', 1798000000, pg_temp.apart('in_f', '{"attempt_count": 1}')),
	tap.sync('invoice', pg_temp.apart('in_f', '{"status": "paid", "amount_paid": 1900}')),
	tap.sync('invoice', pg_temp.apart('in_p', '{"status": "paid", "amount_paid": 1900}')) \g /dev/null
select is(string_agg(concat_ws(' ', replace(o.template, 'notice_', ''), o.data ->> 'apart', o.data #>> '{amount,minor}',
	o.data ->> 'plan', o.data ->> 'price', o.data ->> 'renews', o.data ->> 'until'), ', ' order by o.template),
	'action_required true 1900, invoice_overdue true 1900, invoice_sent true 1900, paid true 1900, '
		'payment_failed true 1900, recovered true 1900', 'C41 mails of an invoice of no subscription name no plan')
	from mail.outbox o where o.key like 'notice:' || :'pia' || ':%';

-- the language is that of the last sign-in
select tap.ask('tollgate_signin',
	format('api.request_link(%L, %L, null, %L, %L)', 'ann@example.org', sha256('f'), 'de', '192.0.2.9')) \g /dev/null
select tap.sign_in(tap.mailed('ann@example.org') ->> 'hash', null, 'f', 'S') \g /dev/null
select is(language, 'de', 'C41 mails speak as the last sign-in did')
	from app.profiles p join auth.users u on u.id = p.user_id where u.email = 'ann@example.org';

-- seen
select tap.session('mia@example.org', 'm') as m, tap.session('max@example.org', 'x') as x, id as notice
from billing.notifications where tenant_id = :'ann' order by id limit 1 \gset
select is(tap.state_of('tollgate_billing', format('select api.see_notice(%s)', :'notice'), v.bearer), v.state, 'C41 '
	|| v.description)
from (values ('', 'TG401', 'nobody sees a notice'), (:'m', 'TG404', 'nor does a plain member'),
	(:'x', '00000', 'an admin does')) v (bearer, state, description);
select is(user_id, :'max', 'C41 and it is kept who')
	from billing.notifications where id = :'notice' and seen_at is not null;

-- seen once, by the first who manages the tenant
delete from auth.hits;
select tap.session('ann@example.org', 'again') as owner, tap.paid('eva') as eva \gset
select tap.ask('tollgate_billing', format('api.see_notice(%s)', :'notice'), :'owner') \g /dev/null
select is((select user_id from billing.notifications where id = :'notice'), :'max'::uuid,
	'C41 who sees a notice later is not who has seen it');
select is(tap.state_of('tollgate_billing', format('select api.see_notice(%s)', :'notice'),
	tap.session('eva@example.org', 'eva')), 'TG404', 'D11 nobody sees a notice of another tenant');

select * from finish();
rollback;
