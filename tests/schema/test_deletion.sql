-- The deletion of a user: asked for, taken back, carried out, and what is left afterwards.
begin;
select no_plan();

create temp table person (who text primary key, id uuid, bearer text);
grant select on person to public;
create function pg_temp.enter(p_who text) returns void language sql as $$
	insert into person select p_who, tap.user(p_who || '@example.org'), tap.session(p_who || '@example.org',
		p_who || gen_random_uuid())
	on conflict (who) do update set bearer = excluded.bearer $$;
create function pg_temp.state(p_who text, p_call text) returns text language sql as $$
	select tap.state_of('tollgate_account', 'select ' || p_call,
		coalesce((select p.bearer from person p where p.who = p_who), '')) $$;
create function pg_temp.ask(p_who text, p_call text) returns jsonb language sql as $$
	select tap.ask('tollgate_account', p_call, (select p.bearer from person p where p.who = p_who)) $$;
create function pg_temp.id(p_who text) returns uuid language sql as $$ select p.id from person p where p.who = p_who $$;
create function pg_temp.due() returns text language sql as $$
	select string_agg(o.kind || ' ' || o.id, ', ' order by o.kind, o.id) from sync.objects o
	where o.version > o.clean_version and o.kind in ('cancellation', 'expiry', 'erasure') $$;
create function pg_temp.told() returns text language sql as $$
	select string_agg(e.kind, ' ' order by e.n) from audit.entries e where e.kind ~ 'delet' $$;
-- A whole pass of jobs' housekeeping: how many users went.
create function pg_temp.pass() returns int language plpgsql as $$
declare
	gone int := 0;
	n int;
begin
	loop
		n := tap.ask('tollgate_jobs', 'service.apply_retention(90)') -> 'users';
		exit when n = 0;
		gone := gone + n;
	end loop;
	return gone;
end
$$;
-- Tables with a row in which the text stands, as text or as bytes.
create function pg_temp.left_of(p_needle text) returns text[] language plpgsql as $$
declare
	item record;
	found_here boolean;
	places text[] := '{}';
begin
	for item in
		select format('%I.%I', n.nspname, c.relname) as place
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.relkind = 'r' and n.nspname in ('auth', 'app', 'billing', 'inbox', 'sync', 'mail', 'ops', 'audit',
			'usage', 'chat')
	loop
		execute format('select exists (select from %s t where strpos(lower(t::text), $1) > 0
			or strpos(t::text, $2) > 0)', item.place) into found_here
		using lower(p_needle), encode(convert_to(p_needle, 'UTF8'), 'hex');
		if found_here then
			places := places || item.place;
		end if;
	end loop;
	return places;
end
$$;

select tap.paid('ann') as ann, tap.paid('bob') as bob \gset
select pg_temp.enter(w) from unnest('{ann,bob,mia,owen}'::text[]) w \g /dev/null
select pg_temp.ask('ann', 'api.name_user(''Annabel Lee'')') \g /dev/null

-- asking
select is(pg_temp.state('nobody', 'api.delete_user()'), 'TG401', 'C57 without a session nobody is deleted');
update auth.sessions set auth_at = now() - interval '11 min';
select is(pg_temp.state('ann', 'api.delete_user()'), 'TG40C', 'C57 nor with an old proof');
select is(pg_temp.state('ann', 'api.export_user()'), 'TG40C', 'C57 and no data is handed out by one');
update auth.sessions set auth_at = now();
select is(pg_temp.state('ann', 'api.delete_user(''mia@example.org'')'), 'TG422', 'C57 nor with another address');
select is(pg_temp.state('ann', 'api.delete_user('''')'), 'TG422', 'C57 nor with none');
select is(pg_temp.state('ann', 'api.keep_user()'), 'TG404', 'C57 nothing is taken back that was not asked for');
insert into app.members (tenant_id, user_id, role) values (:'ann', pg_temp.id('mia'), 'member');
select is(pg_temp.ask('ann', 'api.delete_user()'), jsonb_build_object('tenants',
	jsonb_build_array(jsonb_build_object('id', :'ann', 'name', 'ann'))),
	'F210 who owns what others use hands over first');
select is(pg_temp.due(), null, 'F210 and nothing has changed');
select is(pg_temp.ask('ann', 'api.account_page()') #> '{hold,0,name}', '"ann"', 'F210 the page says of which');
select is(pg_temp.ask('mia', 'api.delete_user()') -> 'tenants', null, 'F210 a member just goes');
select is(pg_temp.ask('ann', 'api.delete_user()') -> 'tenants', null, 'F210 and then the tenant closes with its owner');
select pg_temp.enter('ann'), pg_temp.ask('ann', 'api.keep_user()') \g /dev/null
select pg_temp.enter('mia'), pg_temp.ask('mia', 'api.keep_user()') \g /dev/null
select is(closes_at, null, 'F211 until both have taken it back') from app.tenants where id = :'ann';
delete from app.members where user_id = pg_temp.id('mia');
delete from sync.objects;

-- two owners: the one who stays must stay
insert into app.members (tenant_id, user_id, role) values (:'ann', pg_temp.id('owen'), 'owner');
select is(pg_temp.ask('ann', 'api.delete_user()') -> 'tenants', null, 'F210 one of two owners may go');
select is(pg_temp.due(), null, 'F211 and their tenant goes on');
select is(pg_temp.state('owen', format('api.leave_tenant(%L)', :'ann')), 'TG409', 'F210 the other stays');
select is(pg_temp.state('owen', format('api.hand_over(%L, %L)', :'ann', pg_temp.id('ann'))), 'TG409',
	'F210 and does not hand over to who goes');
select pg_temp.enter('ann'), pg_temp.ask('ann', 'api.keep_user()') \g /dev/null
update auth.users set disabled_at = now() where id = pg_temp.id('owen');
select is(pg_temp.ask('ann', 'api.delete_user()') #>> '{tenants,0,name}', 'ann',
	'F210 one of two owners does not go while the other is kept out');
select is(tap.ask('tollgate_operator', 'ops.delete_user(''ann@example.org'')') #>> '{tenants,0,name}', 'ann',
	'F210 nor when the operator asks');
update auth.users set disabled_at = null where id = pg_temp.id('owen');
select is(pg_temp.state('owen', format('api.leave_tenant(%L)', :'ann')), '00000', 'F210 until the first stays');

-- alone
select pg_temp.ask('ann', format('api.invite(%L, ''ida@example.org'', ''member'', ''en'')', :'ann')) \g /dev/null
select tap.open_draft('more', 'ann@example.org') ->> 'tenant' as more \gset
update billing.checkouts set tenant_id = :'ann' where tenant_id = :'more';
select tap.ask('tollgate_signup', format('api.checkout_opened(%L, 1, ''cs_more'')', 'more'::bytea)) \g /dev/null
delete from mail.outbox;
select pg_temp.ask('ann', 'api.delete_user(''Ann@example.org '')') as done \gset
select is((:'done'::jsonb #>> '{until,iso}')::timestamptz, date_trunc('second', now() + interval '720 hours'),
	'C57 it is said until when it can be taken back');
select is(pg_temp.due(), 'cancellation sub_ann, expiry cs_more', 'F211 what would be charged is ended at once');
select is(count(*), 0::bigint, 'C57 all sessions have ended') from auth.sessions
	where user_id = pg_temp.id('ann') and revoked_at is null;
select is(revoked_at, now(), 'C57 nobody is invited any more') from app.invitations where email = 'ida@example.org';
select is(string_agg(concat_ws(' ', o.template, o.recipient, o.data -> 'tenants'), ', '),
	'deletion ann@example.org [{"name": "ann"}]', 'C57 the user is told, with what closes') from mail.outbox o;
select is(tap.mailed('ann@example.org') -> 'token', null, 'C57 by a mail without a link that signs in');
update mail.outbox set state = 'sent', sent_at = now();
select tap.request('ann@example.org', 'flow') \g /dev/null
select is(tap.sign_in(tap.mailed('ann@example.org') ->> 'hash', null, 'flow', 'again') ->> 'next',
	'/settings/account', 'C57 who signs in is led to where it can be taken back');
select is(auth.proof_answer(sha256(sha256('again')), '/workspace') ->> 'next', '/settings/account',
	'C57 by whichever proof');
update person set bearer = encode(sha256('again'), 'hex') where who = 'ann';
select is(pg_temp.ask('ann', 'api.delete_user()'), :'done'::jsonb, 'C57 asked for again it is the same');
select is(pg_temp.ask('ann', 'api.account_page()') -> 'until', :'done'::jsonb -> 'until', 'C57 the page says when');
select is(pg_temp.ask('ann', 'api.workspace_page()') -> 'tenants', '[]', 'C57 the tenant that closes is not entered');
select is(pg_temp.ask('ann', 'api.workspace_page()') -> 'closed', '[]',
	'C57 nor called one that wants a second factor');
select is(tap.state_of('tollgate_billing', 'select api.open_checkout(''k'', ''starter'', ''en'')',
	(select bearer from person where who = 'ann')), 'TG404', 'F211 and nothing is sold to it');
select is(pg_temp.told(), 'deletion_requested deletion_requested deletion_undone deletion_undone deletion_requested '
	|| 'deletion_undone deletion_requested', 'C57 each is in the log');
select pg_temp.ask('ann', 'api.keep_user()') \g /dev/null
select is(closes_at, null, 'C57 taken back, the tenant stays') from app.tenants where id = :'ann';
select is(jsonb_array_length(pg_temp.ask('ann', 'api.workspace_page()') -> 'tenants'), 1, 'C57 and is entered');
select is(pg_temp.due(), null, 'C57 and what Stripe has not ended yet goes on');
select pg_temp.ask('ann', 'api.delete_user()') \g /dev/null
select tap.claim('cancellation', 'sub_ann') as claim \gset
select pg_temp.enter('ann'), pg_temp.ask('ann', 'api.keep_user()') \g /dev/null
select tap.ask('tollgate_jobs', format('service.fail_object(%L, ''cancellation'', ''sub_ann'', ''unavailable'')',
	:'claim'::jsonb ->> 'claim')) \g /dev/null
select is(pg_temp.due(), null, 'C57 a call that fails at that moment is not made again');

-- what was used before is billed with the end
select pg_temp.ask('ann', 'api.delete_user()') \g /dev/null
select ops.put_usage('{"meters": ["tokens"], "quotas": [], "rates": [], "caps": [], "costs": []}') \g /dev/null
insert into usage.outbox (id, tenant_id, meter, units, at) values (gen_random_uuid(), :'ann', 'tokens', 9, now());
create function pg_temp.ends() returns boolean language sql as $$
	select coalesce(tap.claim('cancellation', 'sub_ann') ->> 'kind', '') = 'cancellation' $$;
select is(pg_temp.ends(), false, 'C76 the end waits until Stripe is told what was used');
select is(o.next_at, now() + interval '30 s', 'C76 and is tried soon') from sync.objects o
	where o.kind = 'cancellation';
update usage.outbox set state = 'sent', sent_at = now();
select is(pg_temp.ends(), false, 'C76 and has counted it, some minutes later');
update usage.outbox set sent_at = now() - interval '6 min';
insert into usage.holds (tenant_id, request, digest, meter, sold, models, accounts, units, micros, costs, expires_at)
values (:'ann', 'under way', sha256(''), 'tokens', true, '[]', '{}', 1, 0, '{}', now() + interval '1 hour');
select is(pg_temp.ends(), false, 'C76 it waits for work that is under way, too');
delete from usage.holds;
select is(pg_temp.ends(), true, 'C76 and comes then');
update usage.outbox set state = 'pending';
update app.tenants set closes_at = now() + interval '695 hours' where id = :'ann';
select is(pg_temp.ends(), true, 'C76 it waits for a day at most');
select is(a.detail, '{"records": 1}', 'C76 then the operator is told') from ops.alerts a
	where a.kind = 'usage_unbilled' and a.subject = 'sub_ann' and a.tenant_id = :'ann';
update app.tenants set closes_at = now() + interval '720 hours' where id = :'ann';
update sync.objects set claimed_until = null;
delete from usage.outbox;
delete from ops.alerts where kind = 'usage_unbilled';

-- carrying it out
select is(pg_temp.pass(), 0, 'C57 nothing is carried out before its time');
update app.deletions set until = now() - interval '25 hours';
select is(pg_temp.pass(), 0, 'F211 nor while a subscription is live');
select is(count(*), 1::bigint, 'F211 after a day the operator is told') from ops.alerts
	where kind = 'deletion' and subject = pg_temp.id('ann')::text and cleared_at is null;
select tap.sync('invoice', tap.invoice('ann', '{"status": "open", "amount_paid": 0, "paid_at": null}')) \g /dev/null
select tap.sync('dispute', tap.dispute('ann')) \g /dev/null
select tap.sync('customer', tap.customer('ann', '{"email": "ann@example.org"}')) \g /dev/null
update inbox.events set raw = convert_to('{"customer_email": "ann@example.org"}', 'UTF8') where object_id ~ 'ann$';
select tap.write(tap.claim('cancellation', 'sub_ann'), '{"id": "sub_ann", "status": "canceled"}') \g /dev/null
select is(pg_temp.pass(), 0, 'F211 nor before what Stripe says of it is written down');
select tap.write(tap.claim('subscription', 'sub_ann'), tap.subscription('ann', :'ann', '{"status": "canceled"}'))
	\g /dev/null
select is(pg_temp.pass(), 0, 'F211 nor while a checkout may be paid');
select tap.write(tap.claim('expiry', 'cs_more'), '{"id": "cs_more", "status": "expired"}') \g /dev/null
select tap.write(tap.claim('checkout', 'cs_more'), tap.checkout('more', :'ann',
	'{"status": "expired", "customer": null, "subscription": null}')) \g /dev/null
insert into ops.alerts (kind, subject) values ('paying_twice', 'ann@example.org');
insert into app.address_changes (user_id, was, email, done_at)
	values (pg_temp.id('ann'), 'ann.before@example.org', 'ann@example.org', now());
insert into auth.operators (user_id, added_by) values (pg_temp.id('ann'), 'root');
insert into auth.identities (user_id, provider, label, issuer, subject, account)
	values (pg_temp.id('ann'), 'p', 'P', 'https://issuer.example', '1', 'Annabel Lee');
insert into mail.outbox (key, recipient, template, language, data, state) values
	('a', 'ann.before@example.org', 'address', 'en', '{}', 'sent'),
	('b', 'x@example.org', 'notice', 'en', '{"list": [{"to": "To <ANN@example.org>."}]}', 'sent');
insert into mail.outbox (key, recipient, template, language, data, state)
	select format('invitation:%s:member:1', i.id), i.email, 'invitation', 'en', '{"inviter": "Annabel Lee"}', 'pending'
	from app.invitations i where i.user_id = pg_temp.id('ann');
select tap.receive('evt_ignored', null, null, '{"type": "payment_method.attached"}',
	convert_to('{"customer": "cus_ann", "billing_details": {"email": "ann@example.org"}}', 'UTF8')) \g /dev/null
insert into chat.conversations (user_id, id, tenant_id, model, opening, title)
	values (pg_temp.id('ann'), 'c', :'ann', 'm', 'I am Annabel Lee', 'Of ann@example.org');
insert into chat.messages (user_id, chat_id, id, tenant_id, role, text, attempt)
	values (pg_temp.id('ann'), 'c', 'q', :'ann', 'user', 'I am Annabel Lee', 0);
create temp table money as select i.id, i.amount_due, i.total, i.status, i.hosted_url, i.number from billing.invoices i;
create temp table kept as select
	(select count(*) from billing.checkouts) as checkouts,
	(select count(*) from billing.subscriptions) as subscriptions,
	(select count(*) from billing.customers) as customers, (select count(*) from billing.disputes) as disputes,
	(select count(*) from billing.subscription_history) as histories,
	(select count(*) from billing.notifications) as notices, (select count(*) from inbox.events) as events,
	(select count(*) from audit.entries) as entries;
select ok(cardinality(pg_temp.left_of('ann@example.org')) >= 8, 'F211 the address stands in many tables');
select is(pg_temp.pass(), 1, 'F211 then it is carried out');
select is(pg_temp.left_of(n), '{}', 'F211 nothing is left of ' || n)
from unnest('{ann@example.org,ann.before@example.org,Annabel Lee}'::text[]) n;
select is(count(*), 0::bigint, 'F211 nor of whom they invited') from app.invitations;
select results_eq('select i.id, i.amount_due, i.total, i.status, i.hosted_url, i.number from billing.invoices i',
	'select * from money', 'F211 bills are whole, and an open one can be paid');
select is(row(count(*), min(k.disputes)), row(min(k.disputes), min(k.disputes)), 'F211 a dispute goes on')
from billing.disputes cross join kept k;
select is(to_jsonb(k) - 'entries', jsonb_build_object('checkouts', (select count(*) from billing.checkouts),
	'subscriptions', (select count(*) from billing.subscriptions),
	'customers', (select count(*) from billing.customers),
	'disputes', (select count(*) from billing.disputes), 'notices', (select count(*) from billing.notifications),
	'histories', (select count(*) from billing.subscription_history), 'events', (select count(*) from inbox.events)),
	'F211 and no row of billing is gone')
from kept k;
select is(ops.verify_audit() -> 'faults', '[]', 'F211 the chain of the log is whole');
select ok((select count(*) from audit.entries) > k.entries, 'F211 and no row of it is gone') from kept k;
select is(concat_ws(' ', t.status, t.name), 'closed', 'F211 the tenant is closed')
from app.tenants t where t.id = :'ann';
select is(count(*), 0::bigint, 'F211 the operator''s alert has ended') from ops.alerts
	where kind = 'deletion' and cleared_at is null;
select is(pg_temp.due(), 'cancellation sub_ann, erasure cus_ann', 'F211 Stripe is asked to empty the customer');
select is(pg_temp.pass(), 0, 'F211 once');
select is((select array_agg(p.user_id order by p.user_id) from app.profiles p where p.user_id = any (
	array[pg_temp.id('bob'), pg_temp.id('mia'), pg_temp.id('owen')])), (
	select array_agg(v order by v) from unnest(array[pg_temp.id('bob'), pg_temp.id('mia'), pg_temp.id('owen')]) v),
	'F211 nobody else is');

-- afterwards
select tap.write(tap.claim('erasure', 'cus_ann'), '{"id": "cus_ann", "email": null}') \g /dev/null
select tap.receive('evt_late', 'customer', 'cus_ann', '{}', convert_to('{"email": "ann@example.org"}', 'UTF8'))
	\g /dev/null
select tap.write(tap.claim('customer', 'cus_ann'), tap.customer('ann', '{"email": "ann@example.org"}')) \g /dev/null
select is(pg_temp.left_of('ann@example.org'), '{inbox.events}', 'F211 a late webhook writes the address into no row');
select is(pg_temp.pass(), 0, 'F211 and its bytes');
select is(pg_temp.left_of('ann@example.org'), '{}', 'F211 are forgotten too');
select tap.sync('subscription', tap.subscription('late', :'ann')) \g /dev/null
select is(pg_temp.due(), 'cancellation sub_ann, cancellation sub_late',
	'F211 a subscription that begins later is ended');
select ok(tap.ask('tollgate_operator', format('ops.explain(%L, null)', :'ann')) is not null,
	'F211 the operator may ask why it is closed');
select tap.sync('invoice', tap.invoice('ann')) \g /dev/null
select is(status, 'paid', 'F211 the open invoice is paid') from billing.invoices where id = 'in_ann';
select tap.sync('dispute', tap.dispute('ann', '{"status": "lost"}')) \g /dev/null
select is(status, 'lost', 'F211 and the dispute ends') from billing.disputes where id = 'dp_ann';
select is(tap.ask('tollgate_operator', 'ops.show_user(''ann@example.org'')'), null, 'F211 the operator finds nobody');
select isnt(tap.user('ann@example.org'), pg_temp.id('ann'), 'F211 who comes again is another user');

-- a customer of a tenant that others go on with: Stripe's address is not kept here
insert into app.members (tenant_id, user_id, role) values (:'bob', pg_temp.id('owen'), 'owner');
select tap.sync('customer', tap.customer('bob', '{"email": "Bob@example.org"}')) \g /dev/null
select is(tap.ask('tollgate_operator', 'ops.delete_user(''bob@example.org'')') -> 'tenants', null,
	'C57 the operator may ask for a user');
select is((tap.ask('tollgate_operator', 'ops.show_user(''bob@example.org'')') ->> 'deleted_at')::timestamptz,
	now() + interval '720 hours', 'C57 and sees when it is due');
select is(tap.ask('tollgate_operator', 'ops.keep_user(''bob@example.org'')') -> 'kept', 'true',
	'C57 and takes it back');
select is(tap.state_of('tollgate_operator', 'select ops.keep_user(''bob@example.org'')'), 'TG409', 'C57 once');
select tap.ask('tollgate_operator', 'ops.delete_user(''bob@example.org'')') \g /dev/null
update app.deletions set until = now() where done_at is null;
create table app.stray (user_id uuid references auth.users);
insert into app.stray values (pg_temp.id('bob'));
select is(pg_temp.pass(), 0, 'F211 a row that still names the user refuses it');
select alike(detail ->> 'error', '%"stray"%', 'F211 and the operator is told which') from ops.alerts
	where kind = 'deletion' and subject = pg_temp.id('bob')::text and cleared_at is null;
drop table app.stray;
select is(pg_temp.pass(), 1, 'F211 one of two owners is deleted though their tenant pays');
update inbox.events set raw = '';
select tap.sync('customer', tap.customer('bob', '{"email": "Bob@example.org"}')) \g /dev/null
select is(array_remove(pg_temp.left_of('bob@example.org'), 'inbox.events'), '{}', 'F211 the address is kept nowhere');
select tap.sync('customer', tap.customer('bob', '{"email": "owen@example.org"}')) \g /dev/null
select is(email, 'owen@example.org', 'F211 another one is') from billing.customers where id = 'cus_bob';
select audit.note('tenant_named', :'bob', pg_temp.id('bob')) \g /dev/null
select is(pg_temp.ask('owen', 'api.audit_page()') #>> '{entries,0,gone}', 'true',
	'F211 its log says that somebody did it who is gone');
select is(status, 'active', 'F211 and the tenant lives') from app.tenants where id = :'bob';

-- an invitation that two have mailed
select pg_temp.enter(w) from unnest('{amy,owen}'::text[]) w \g /dev/null
insert into app.members (tenant_id, user_id, role) values (:'bob', pg_temp.id('amy'), 'admin');
select pg_temp.ask('amy', 'api.name_user(''Amy Archer'')') \g /dev/null
create function pg_temp.invite(p_who text, p_email text, p_earlier text) returns void language plpgsql as $$
begin
	perform pg_temp.ask(p_who, format('api.invite(%L, %L, ''member'', ''en'')',
		(select m.tenant_id from app.members m where m.user_id = pg_temp.id(p_who)), p_email));
	update mail.outbox o set key = o.key || p_earlier where o.recipient = p_email;
end
$$;
delete from mail.outbox;
select pg_temp.invite('amy', 'ida@example.org', ' earlier'), pg_temp.invite('owen', 'ida@example.org', ''),
	pg_temp.invite('owen', 'ike@example.org', ' earlier'), pg_temp.invite('amy', 'ike@example.org', ''),
	pg_temp.invite('amy', 'ilse@example.org', '') \g /dev/null
select pg_temp.ask('owen', format('api.invite_again(%L, %L, ''en'')', :'bob', i.id)) from app.invitations i
where i.email = 'ilse@example.org' \g /dev/null
select pg_temp.ask('amy', 'api.delete_user()') \g /dev/null
update app.deletions set until = now() where done_at is null;
select is(pg_temp.pass(), 1, 'F211 one of those who have mailed an invitation is deleted');
select is(pg_temp.left_of('Amy Archer'), '{}', 'F211 the name stands in none of its mails');
select is(string_agg(concat_ws(' ', o.recipient, o.data ->> 'inviter'), ', ' order by o.recipient),
	'ida@example.org owen, ike@example.org owen', 'F211 those of the others stay')
from mail.outbox o where o.template = 'invitation';

-- the checkout that a deleted user has left open becomes that of who buys next
select tap.sync('subscription', tap.subscription('bob', :'bob', '{"status": "canceled"}')) \g /dev/null
update billing.checkouts set status = 'open' where tenant_id = :'bob';
select alike(email, 'deleted:%', 'F211 a checkout keeps no address of a deleted user')
from billing.checkouts where tenant_id = :'bob';
select is(tap.ask('tollgate_billing', 'api.open_checkout(''k'', ''starter'', ''en'')',
	(select bearer from person where who = 'owen')) ->> 'email', 'owen@example.org',
	'F211 and gets that of who buys next');
select is(string_agg(concat_ws(' ', email_canonical, user_id), ', '), 'owen@example.org ' || pg_temp.id('owen'),
	'F211 for good') from billing.checkouts where tenant_id = :'bob';

-- sign-ups with the address of who goes: one on Stripe's page, one that a bank has under way, one nowhere yet
select pg_temp.enter('zoe') \g /dev/null
insert into app.address_changes (user_id, was, email, done_at)
	values (pg_temp.id('zoe'), 'mia@example.org', 'zoe@example.org', now());
select tap.open_draft('z' || n, 'Zoe@example.org') from generate_series(1, 3) n \g /dev/null
select tap.open_draft('zmia', 'mia@example.org') \g /dev/null
create function pg_temp.draft(p_key text) returns app.tenants language sql as $$
	select t from app.tenants t join billing.checkouts c on c.tenant_id = t.id where c.key = p_key::bytea $$;
select tap.ask('tollgate_signup', format('api.checkout_opened(%L, 1, %L)', ('z' || n)::bytea, 'cs_z' || n))
from generate_series(1, 2) n \g /dev/null
select tap.sync('checkout', tap.checkout('z2', (pg_temp.draft('z2')).id::text, '{"payment_status": "unpaid"}'))
	\g /dev/null
delete from sync.objects;
delete from mail.outbox;
select pg_temp.ask('zoe', 'api.delete_user()') \g /dev/null
select is(pg_temp.due(), 'expiry cs_z1', 'F211 a sign-up with the address may not be paid any more');
select is((pg_temp.draft('zmia')).closes_at, null, 'F211 but one with an address that is another''s by now');
select is(o.data -> 'closes', 'false', 'C57 the mail names no sign-up') from mail.outbox o;
select pg_temp.enter('zoe'), pg_temp.ask('zoe', 'api.keep_user()') \g /dev/null
select is(array_agg((pg_temp.draft('z' || n)).closes_at), '{null,null,null}', 'C57 taken back, they may be')
from generate_series(1, 3) n;
select pg_temp.ask('zoe', 'api.delete_user()') \g /dev/null
update app.deletions set until = now() where done_at is null;
delete from sync.objects;
select is(pg_temp.pass(), 0, 'F211 while one may be paid nothing is carried out');
select is(pg_temp.due(), 'expiry cs_z1', 'F211 and its end is asked for again');
select tap.sync('checkout', tap.checkout('z1', (pg_temp.draft('z1')).id::text, '{"status": "expired",
	"customer": null, "subscription": null}')) \g /dev/null
delete from sync.objects;
update billing.checkouts set subscription_id = null where key = 'z2';
select is(pg_temp.pass(), 0, 'F211 nor while a bank has a debit under way');
update billing.checkouts set subscription_id = 'sub_z2' where key = 'z2';
select tap.sync('subscription', tap.subscription('z2', (pg_temp.draft('z2')).id::text,
	'{"status": "incomplete_expired"}')) \g /dev/null
select tap.sync('checkout', tap.checkout('z2', (pg_temp.draft('z2')).id::text, '{"payment_status": "unpaid"}'))
	\g /dev/null
delete from sync.objects;
delete from mail.outbox;
insert into mail.outbox (key, recipient, template, language, data, state) values
	('a', 'x@example.org', 'notice', 'en', '{"to": ["joezoe@example.org", "zoe@example.org.example"]}', 'sent'),
	('b', 'joezoe@example.org', 'signin', 'en', '{"to": "joezoe@example.org"}', 'pending'),
	('c', 'x@example.org', 'invitation', 'en', '{"inviter": "zoe"}', 'sent'),
	('d', 'x@example.org', 'notice', 'en', '{"to": "zoe@example.org"}', 'sent');
insert into ops.alerts (kind, subject) values ('paying_twice', 'joezoe@example.org');
select is(pg_temp.pass(), 1, 'F211 but once it has failed');
select is(string_agg(o.key, ' ' order by o.key), 'a b c',
	'F211 mails of others stay, with a longer address or of the same name') from mail.outbox o;
select is(cleared_at, null, 'F211 and so do their alerts') from ops.alerts where subject = 'joezoe@example.org';
select is(string_agg((pg_temp.draft(c.key)).status, ' ' order by c.key), 'closed closed closed draft',
	'F211 the sign-ups are closed') from unnest('{z1,z2,z3,zmia}'::text[]) c (key);
select tap.sync('checkout', tap.checkout('z2', (pg_temp.draft('z2')).id::text)) \g /dev/null
select tap.sync('subscription', tap.subscription('z2', (pg_temp.draft('z2')).id::text)) \g /dev/null
select is(pg_temp.due(), 'cancellation sub_z2', 'F211 what is paid all the same is ended');
select is(count(*), 0::bigint, 'F211 and makes nobody a user') from auth.users u where u.email like 'deleted:%';

-- of two who go, the member has second thoughts
select tap.paid('una') as una \gset
select pg_temp.enter(w) from unnest('{una,carl}'::text[]) w \g /dev/null
insert into app.members (tenant_id, user_id, role) values (:'una', pg_temp.id('carl'), 'admin');
select pg_temp.ask('carl', 'api.delete_user()'), pg_temp.ask('una', 'api.delete_user()') \g /dev/null
select pg_temp.enter('carl'), pg_temp.ask('carl', 'api.keep_user()') \g /dev/null
select is(pg_temp.ask('carl', 'api.account_page()') -> 'closing', jsonb_build_array(jsonb_build_object('name', 'una',
	'at', (select api.date_document(d.until) from app.deletions d where d.user_id = pg_temp.id('una')))),
	'F210 a member who stays after all is told when the tenant closes');
select is(pg_temp.ask('carl', 'api.workspace_page()') -> 'tenants', '[]', 'F210 which is not entered meanwhile');
select pg_temp.enter('una') \g /dev/null
select is(pg_temp.ask('una', 'api.account_page()') @> '{"closing": [], "closes": [{"name": "una"}]}', true,
	'F210 for the owner it closes as before');
select pg_temp.ask('una', 'api.keep_user()') \g /dev/null
select is(pg_temp.ask('carl', 'api.account_page()') -> 'closing', '[]', 'F210 it does not when the owner stays');
select pg_temp.ask('carl', 'api.delete_user()'), pg_temp.ask('una', 'api.delete_user()') \g /dev/null
select pg_temp.enter('carl'), pg_temp.ask('carl', 'api.keep_user()') \g /dev/null
select tap.sync('subscription', tap.subscription('una', :'una', '{"status": "canceled"}')) \g /dev/null
update app.deletions set until = now() where done_at is null;
select is(pg_temp.pass(), 1, 'F211 a tenant that was to close does so with its owner');
select is(concat_ws(' ', t.status, (select count(*) from app.members m where m.tenant_id = t.id)), 'closed 0',
	'F211 and those who had changed their minds belong to it no more') from app.tenants t where t.id = :'una';
select is(pg_temp.ask('carl', 'api.export_user()') #>> '{user,email}', 'carl@example.org', 'F211 but they stay');

-- addresses that a user had long ago
select tap.ask('tollgate_operator', 'ops.change_address(''carl@example.org'', ''Karl@example.org'')') \g /dev/null
update app.address_changes set created_at = now() - interval '1 year', done_at = now() - interval '1 year';
select pg_temp.pass() \g /dev/null
select set_eq($$select unnest(app.addresses_of(pg_temp.id('carl')))$$, '{carl@example.org,karl@example.org}'::text[],
	'F211 an address that the operator changed is forgotten too, whenever it was');

insert into mail.outbox (key, recipient, template, language, data)
values ('long ago', 'Carl@example.org', 'signin', 'en', '{}');
insert into auth.requests (purpose, email, email_canonical) values ('signin', 'Carl@example.org', 'carl@example.org');
insert into app.invitations (tenant_id, user_id, email, email_canonical, role, expires_at)
values (:'bob', pg_temp.id('owen'), 'Carl@example.org', 'carl@example.org', 'member', now());
update billing.checkouts c set email = 'carl@example.org', email_canonical = 'carl@example.org'
where c.tenant_id = :'bob';
select is(array(
	select count(*) from jsonb_path_query(pg_temp.ask('carl', 'api.export_user()'), v.path::jsonpath) r),
	'{1}'::bigint[], 'C57 what is under such an address is in the copy of the data: ' || v.path)
from (values ('$.mails[*].recipient ? (@ == "Carl@example.org")'),
	('$.requests[*].email ? (@ == "Carl@example.org")'), ('$.invitations[*].email ? (@ == "Carl@example.org")'),
	('$.billing.checkouts[*].email ? (@ == "carl@example.org")')) v (path);

-- a copy of the data
select pg_temp.ask('owen', 'api.export_user()') as copy \gset
select is(concat_ws(' ', c #>> '{user,email}', c #>> '{profile,display_name}', c #>> '{memberships,0,role}',
	c #>> '{billing,subscriptions,0,id}', c #>> '{sessions,0,agent}', jsonb_typeof(c #> '{audit,0}')),
	'owen@example.org owen owner sub_bob a browser object',
	'C57 who is signed in gets the own data') from (values (:'copy'::jsonb)) v (c);
select is(jsonb_array_length(pg_temp.ask('mia', 'api.export_user()') #> '{billing,subscriptions}'), 0,
	'C57 and bills with a role that sees them only');
select unalike(:'copy'::text, '%' || n || '%', 'C57 without ' || n)
from unnest('{hash,token,seed,salt,stored_key,https://,\\\\x}'::text[]) n;

-- no table may be forgotten
select set_eq($$
	select c.conrelid::regclass::text from pg_constraint c
	where c.contype = 'f' and c.confrelid = 'auth.users'::regclass and c.confdeltype not in ('c', 'n')$$,
	'{app.members,app.offers,auth.operators,billing.checkouts,billing.notifications}'::text[],
	'F211 these rows outlive their users, so app.delete_user() ends or changes them; all others go with the user');
create temp table known (place text, deleted text, exported text);
\copy known from 'tables' with (format csv, delimiter '|', header, null '')
select set_eq($$
	select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
	where c.relkind in ('r', 'p') and n.nspname in ('auth', 'app', 'billing', 'inbox', 'sync', 'mail', 'ops', 'meta',
		'audit', 'usage', 'chat')$$,
	'select place from known', 'F211 the file tables says of each what becomes of a person in it');
select is_empty($$
	select k.place, a.attname from known k join pg_attribute a on a.attrelid = k.place::regclass
	where k.deleted = 'nobody''s' and a.attnum > 0
		and a.attname ~ '^(user_id|subject_id|accepted_by|email|recipient|ip|agent|display_name|avatar_url)$'$$,
	'F211 and none with a person''s column is nobody''s');
select is_empty($$select place from known where (exported is null) <> (deleted = 'nobody''s')$$,
	'C57 whatever is a person''s is in the copy of the data, or it is said why not');
select set_eq($$
	select k from jsonb_object_keys(pg_temp.ask('mia', 'api.export_user()')) k
	where k not in ('exported', 'rows_at_most', 'billing') union
	select 'billing.' || k from jsonb_object_keys(pg_temp.ask('mia', 'api.export_user()') -> 'billing') k$$,
	$$select exported from known where exported !~ '^no: '$$, 'C57 and the copy has what the file says');

select * from finish();
rollback;
