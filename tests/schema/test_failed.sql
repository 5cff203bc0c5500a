-- A bank debit that fails days after the buyer left: reported by an event, or by the end of the subscription.
begin;
select no_plan();

create function pg_temp.signed_up(p_name text) returns text language plpgsql as $$
declare
	tenant text := tap.open_draft(p_name, p_name || '@example.org') ->> 'tenant';
begin
	perform tap.ask('tollgate_signup', format('api.checkout_opened(%L, 1, %L)', p_name::bytea, 'cs_' || p_name));
	return tenant;
end
$$;
-- The steps of one purchase and their result: tenant, checkout, number of mails, the answers of page and form.
create function pg_temp.play(p_name text, p_steps text[]) returns text language plpgsql as $$
declare
	tenant text := pg_temp.signed_up(p_name);
	unpaid jsonb := tap.checkout(p_name, tenant, '{"payment_status": "unpaid"}');
	step text;
begin
	delete from auth.hits;
	foreach step in array p_steps loop
		perform case step
			when 'unpaid' then tap.sync('checkout', unpaid)
			when 'failed' then tap.hint('checkout', 'checkout.session.async_payment_failed', 1798000000, unpaid)
			when 'late' then tap.hint('checkout', 'checkout.session.async_payment_failed', 1798000000,
				tap.checkout(p_name, tenant))
			when 'paid' then tap.hint('checkout', 'checkout.session.async_payment_succeeded', 1798000000,
				tap.checkout(p_name, tenant))
			when 'look' then case when exists (select
				from sync.objects o where o.id = 'cs_' || p_name and o.version > o.clean_version)
				then tap.write(tap.claim('checkout', 'cs_' || p_name), unpaid) end
			else tap.sync('subscription', tap.subscription(p_name, tenant, jsonb_build_object('status', step))) end;
	end loop;
	return (select concat_ws(' ', t.status, c.status,
		(select count(*) from mail.outbox o where o.key like 'failed:' || tenant || ':%'),
		tap.ask('tollgate_signup', format('api.welcome(%L)', 'cs_' || p_name)) ->> 'state',
		tap.open_draft(p_name, p_name || '@example.org') ->> 'state')
		from billing.checkouts c join app.tenants t on t.id = c.tenant_id where c.key = p_name::bytea);
end
$$;

select is(pg_temp.play('p' || row_number() over (), steps), wanted, format('F82 %s: %s', steps, wanted))
from (values
	('{unpaid}'::text[], 'draft unpaid 0 unpaid complete'), ('{unpaid,incomplete}', 'draft unpaid 0 unpaid complete'),
	('{failed}', 'draft failed 1 failed open'), ('{unpaid,failed}', 'draft failed 1 failed open'),
	('{unpaid,failed,failed,unpaid}', 'draft failed 1 failed open'),
	('{failed,unpaid,incomplete,unpaid}', 'draft failed 1 failed open'),
	('{unpaid,incomplete_expired}', 'draft unpaid 0 unpaid complete'),
	('{unpaid,incomplete_expired,look}', 'draft failed 1 failed open'),
	('{incomplete_expired,unpaid}', 'draft failed 1 failed open'),
	('{unpaid,canceled,look,failed}', 'draft failed 1 failed open'),
	('{failed,incomplete_expired,look}', 'draft failed 1 failed open'),
	('{unpaid,failed,paid}', 'active complete 1 ready complete'), ('{paid,late}', 'active complete 0 ready complete'),
	('{unpaid,paid,late,active}', 'active complete 0 ready complete'), ('{late}', 'active complete 0 ready complete'),
	('{failed,active,paid}', 'active complete 1 ready complete'),
	('{failed,active}', 'active failed 1 ready complete')) v (steps, wanted);

-- what the buyer is told
select pg_temp.play('dora', '{failed}') \g /dev/null
select is(concat_ws(' ', recipient, template, language, data), 'dora@example.org failed en {}',
	'F82 the address that was typed is told') from mail.outbox where recipient = 'dora@example.org';
delete from mail.outbox where recipient = 'dora@example.org';

-- the next attempt, which play() has begun
select tenant_id as dora from billing.checkouts where key = 'dora' \gset
select tap.sync('checkout', tap.checkout('dora', :'dora', '{"payment_status": "unpaid"}')
	|| '{"subscription": "sub_p10"}') \g /dev/null
select is(concat_ws(' ', status, attempt, coalesce(session_id, 'none')), 'open 2 none',
	'F82 the first one''s failure told again does not touch the next') from billing.checkouts where key = 'dora';
select tap.ask('tollgate_signup', format('api.checkout_opened(%L, 2, %L)', 'dora'::bytea, 'cs_second')) \g /dev/null
select tap.sync('checkout', tap.checkout('dora', :'dora')) \g /dev/null
select is(status, 'active', 'F82 the first one paid after all still opens the account')
	from app.tenants where id = :'dora';

-- managers of a tenant are told about the invoice instead
select tap.paid('ann') as ann \gset
select tap.sync('subscription', tap.subscription('ann', :'ann', '{"status": "canceled"}')) \g /dev/null
select tap.ask('tollgate_billing', format('api.open_checkout(%L, %L, %L)', 'k'::bytea, 'starter', 'en'),
	tap.session('ann@example.org', 'a')) ->> 'key' as key \gset
select tap.ask('tollgate_billing', format('api.checkout_opened(%L, 1, %L)', '\x' || :'key', 'cs_again')) \g /dev/null
select tap.hint('checkout', 'checkout.session.async_payment_failed', 1798000000,
	tap.checkout('again', :'ann', '{"payment_status": "unpaid"}')) \g /dev/null
select is(count(*), 0::bigint, 'F82 and not of the checkout too')
	from mail.outbox where key like 'failed:' || :'ann' || '%';
select is(tap.ask('tollgate_billing', format('api.open_checkout(%L, %L, %L)', 'k'::bytea, 'starter', 'en'),
	tap.session('ann@example.org', 'b')) ->> 'state', 'open',
	'F82 who may buy again at once');

-- while a bank has the payment
select tap.open_draft('eve', 'eve@example.org') ->> 'tenant' as eve \gset
select tap.ask('tollgate_signup', format('api.checkout_opened(%L, 1, %L)', 'eve'::bytea, 'cs_eve')) \g /dev/null
select tap.hint('checkout', 'checkout.session.completed', 1798000000,
	tap.checkout('eve', :'eve', '{"payment_status": "unpaid"}')) \g /dev/null
select is(tap.ask('tollgate_signup', 'api.welcome(''cs_eve'')') #>> '{since,iso}', '2026-12-23T04:26:40Z',
	'C110 the page says since when, by Stripe''s clock');
select is(d ->> 'state' || ' ' || (d ->> 'session'), 'complete cs_eve', 'C110 the same browser begins no other sale')
	from tap.ask('tollgate_signup', format('api.open_draft(%L, %L, %L, %L, %L, %L)', 'eve again'::bytea,
		'Eve@example.org', 'starter', 'en', sha256('flow of eve'), '192.0.2.1')) d;
select is(tap.open_draft('other', 'eve@example.org') ->> 'state', 'open', 'C110 another one is told nothing');

select * from finish();
rollback;
