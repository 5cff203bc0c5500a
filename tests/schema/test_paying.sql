-- Addresses that pay already: told by mail before another checkout, and by an alert to the operator.
begin;
select no_plan();

create function pg_temp.alert() returns text language sql as $$
	select string_agg(a.subject || ' ' || jsonb_array_length(a.detail -> 'tenants'), ', ' order by a.subject)
	from ops.alerts a where a.kind = 'paying_twice' and a.cleared_at is null
$$;
create function pg_temp.draft(p_key text, p_email text) returns jsonb language sql as $$
	select tap.ask('tollgate_signup', format('api.open_draft(%L, %L, %L, %L, %L, %L)', p_key::bytea, p_email,
		'starter', 'en', sha256('flow of ' || p_key::bytea), '192.0.2.1'))
$$;
-- What came of the mail about the newest draft of this address: the recipient, or the state of its row.
create function pg_temp.told(p_key text, p_email text) returns text language plpgsql as $$
declare
	draft jsonb := pg_temp.draft(p_key, p_email);
	mail jsonb;
begin
	update mail.outbox o set next_at = case o.key when 'paying:' || (draft ->> 'tenant') then now() else 'infinity' end
	where o.state = 'pending';
	mail := tap.ask('tollgate_mailer', 'service.claim_mail(60)');
	return coalesce(concat_ws(' ', mail ->> 'template', mail ->> 'recipient', mail ->> 'language', mail -> 'data'),
		'') || (select ' ' || o.state from mail.outbox o where o.key = 'paying:' || (draft ->> 'tenant'));
end
$$;

-- by mail
select is(pg_temp.told('new', 'new@example.org'), ' void', 'C114 who pays for nothing is told nothing');
select tap.paid('ann') as ann \gset
update app.profiles set language = 'de' where user_id = auth.find_user('ann@example.org');
select is(pg_temp.told('ann 2', 'Ann@Example.org'), 'paying ann@example.org de {} pending',
	'C114 who pays is told before the checkout, as the user is called, without a link that signs in');
select tap.sync('subscription', tap.subscription('ann', :'ann', '{"status": "past_due"}')) \g /dev/null
select is(pg_temp.told('ann 3', 'ann@example.org'), 'paying ann@example.org de {} pending', 'C114 past due too');
select is(pg_temp.told('ann 4', 'ann@example.org'), null, 'C114 a mailbox gets so many a day');
delete from auth.hits where kind = 'paying_mail';
update auth.hits set spent_until = now();
select tap.sync('subscription', tap.subscription('ann', :'ann', '{"status": "canceled"}')) \g /dev/null
select is(pg_temp.told('ann 5', 'ann@example.org'), ' void', 'C114 whose plan has ended is not');
select tap.open_draft('eve', 'eve@example.org') ->> 'tenant' as eve \gset
select tap.ask('tollgate_signup', format('api.checkout_opened(%L, 1, %L)', 'eve'::bytea, 'cs_eve')),
	tap.sync('checkout', tap.checkout('eve', :'eve', '{"payment_status": "unpaid"}')) \g /dev/null
select is(pg_temp.told('eve 2', 'eve@example.org'), 'paying eve@example.org en {} pending',
	'C114 whose bank has the payment is');
select is((select count(*) from mail.outbox where key = 'paying:' || (pg_temp.draft('eve 2', 'eve@example.org')
	->> 'tenant')), 1::bigint, 'C114 once for a draft, however often it is sent');

-- late
select tap.paid('zoe') as zoe \gset
insert into mail.outbox (key, recipient, template, language, data) values ('paying:' || :'zoe', 'zoe@example.org',
	'paying', 'en', jsonb_build_object('draft', :'zoe'));
update mail.outbox set next_at = case recipient when 'zoe@example.org' then now() else 'infinity' end
	where state = 'pending' and template = 'paying';
delete from mail.outbox where recipient = 'zoe@example.org' and template <> 'paying';
select tap.ask('tollgate_mailer', 'service.claim_mail(60)') \g /dev/null
select is(state, 'void', 'C114 a mail that waited until its own draft was paid is not sent')
	from mail.outbox where recipient = 'zoe@example.org';

-- to the operator
select is(pg_temp.alert(), null, 'C114 who pays once is nobody to look at');
select tap.sync('subscription', tap.subscription('ann', :'ann')) \g /dev/null
select tap.ask('tollgate_signup', format('api.checkout_opened(%L, 1, %L)', 'ann 2'::bytea, 'cs_two')) \g /dev/null
select tenant_id as two from billing.checkouts where key = 'ann 2' \gset
select tap.sync('checkout', tap.checkout('two', :'two')), tap.sync('subscription', tap.subscription('two', :'two',
	'{"status": "incomplete"}')) \g /dev/null
select is(pg_temp.alert(), null, 'C114 nor while the second is not paid');
select tap.sync('subscription', tap.subscription('two', :'two')) \g /dev/null
select is(pg_temp.alert(), 'ann@example.org 2', 'C114 an address that pays twice is');
update ops.alerts set cleared_at = now() where kind = 'paying_twice';
select tap.sync('subscription', tap.subscription('two', :'two', '{"status": "past_due"}')) \g /dev/null
select is(pg_temp.alert(), null, 'C114 once cleared it stays so');
select tap.sync('subscription', tap.subscription('two', :'two', '{"status": "canceled"}')),
	tap.sync('subscription', tap.subscription('two', :'two', '{"status": "active"}')) \g /dev/null
select is(pg_temp.alert(), 'ann@example.org 2', 'C114 until another begins');
select is(jsonb_array_length(ops.find_tenants('ann@example.org')) >= 2, true, 'C114 explain names them');
select tap.sync('subscription', tap.subscription('ann', :'ann', '{"status": "canceled"}')) \g /dev/null
select is(pg_temp.alert(), null, 'C114 it ends with one of them');

select tap.paid('kim') as kim \gset
select tap.sync('subscription', tap.subscription('ann', :'ann')), tap.sync('customer', tap.customer('kim',
	'{"email": "Ann@example.org"}')) \g /dev/null
update ops.alerts set cleared_at = now() where kind = 'paying_twice';
select tap.sync('customer', tap.customer('kim')), tap.sync('customer', tap.customer('kim',
	'{"email": "Ann@example.org"}')) \g /dev/null
select is(pg_temp.alert(), 'ann@example.org 3', 'C114 the address of a customer at Stripe counts too');

select * from finish();
rollback;
