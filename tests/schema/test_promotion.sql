-- From paid to active with an owner: exactly once, in every order, from any of Stripe's objects.
begin;
select no_plan();

-- Plays steps of a purchase named p_name, then handles what is due until all is clean; answers the final state.
create function pg_temp.play(p_name text, p_steps text[], p_checkout jsonb default '{}',
	p_subscription jsonb default '{}') returns jsonb
language plpgsql as $$
declare
	tenant text := tap.open_draft(p_name, p_name || '@example.org') ->> 'tenant';
	docs jsonb := jsonb_build_object('checkout', tap.checkout(p_name, tenant, p_checkout),
		'subscription', tap.subscription(p_name, tenant, p_subscription), 'customer', tap.customer(p_name));
	step text;
	claim jsonb;
begin
	delete from auth.hits;
	perform tap.ask('tollgate_signup', format('api.checkout_opened(%L, 1, %L)', p_name::bytea, 'cs_' || p_name));
	foreach step in array p_steps loop
		perform tap.sync(step, docs -> step);
	end loop;
	loop
		claim := tap.ask('tollgate_jobs', 'service.claim_object(60)');
		exit when claim is null;
		perform tap.write(claim, docs -> (claim ->> 'kind'));
	end loop;
	return jsonb_build_object(
		'tenant', (select status from app.tenants where id::text = tenant),
		'owners', (select jsonb_agg(u.email) from app.members m join auth.users u on u.id = m.user_id
			where m.tenant_id::text = tenant and m.role = 'owner'),
		'customer', (select jsonb_agg(array[c.id, c.email]) from billing.customers c where c.tenant_id::text = tenant),
		'subscription', (select jsonb_agg(array[s.id, s.status, s.plan])
			from billing.subscriptions s where s.tenant_id::text = tenant),
		'mails', (select count(*) from mail.outbox o where o.recipient = p_name || '@example.org'),
		'open', (select count(*) from inbox.events e where e.state <> 'done' and e.object_id like '%\_' || p_name));
end
$$;
create function pg_temp.expected(p_name text) returns jsonb language sql as $$
	select jsonb_build_object('tenant', 'active', 'owners', jsonb_build_array(p_name || '@example.org'),
		'customer', jsonb_build_array(array['cus_' || p_name, p_name || '@stripe.test']),
		'subscription', jsonb_build_array(array['sub_' || p_name, 'active', 'starter']), 'mails', 1, 'open', 0)
$$;

-- all orders of one, two and three steps, each once and with every step twice
select is(pg_temp.play(v.name, v.steps) - v.apart, pg_temp.expected(v.name) - v.apart,
	'C14 draft becomes active once: ' || array_to_string(v.steps, ', '))
from (
	select 'p' || row_number() over () as name, steps, case when steps @> '{checkout}' or steps @> '{subscription}'
		then '' else 'none' end as apart
	from (values ('{checkout,subscription,customer}'::text[]), ('{checkout,customer,subscription}'),
		('{subscription,checkout,customer}'),
		('{subscription,customer,checkout}'), ('{customer,checkout,subscription}'),
		('{customer,subscription,checkout}'),
		('{checkout}'), ('{subscription}'), ('{checkout,subscription}'), ('{subscription,checkout}'),
		('{customer,checkout}'),
		('{customer,subscription}'),
		('{checkout,checkout,subscription,subscription,customer,customer}'),
		('{customer,subscription,checkout,customer,subscription,checkout}'),
		('{subscription,checkout,subscription,checkout,subscription,checkout}')) v (steps)) v;
select is(pg_temp.play('only_customer', '{customer}'),
	'{"tenant": "draft", "owners": null, "customer": null, "subscription": null, "mails": 0, "open": 1}',
	'C14 a customer alone promotes nobody');

select is(pg_temp.play(v.name, '{checkout}', v.doc) ->> 'tenant', v.status, 'C14 ' || v.description)
from (values
	('free', '{"payment_status": "no_payment_required"}'::jsonb, 'active', 'nothing to pay is paid'),
	('objects', '{"customer": {"id": "cus_objects"}, "subscription": {"id": "sub_objects"}}',
		'active', 'expanded objects are ids')) v (name, doc, status, description);
-- a checkout on its own: no subscription event comes, and Stripe's object says otherwise
select is(pg_temp.play(v.name, '{checkout,customer}', v.doc, '{"status": "incomplete"}') ->> 'tenant', v.status, 'C13 '
	|| v.description)
from (values
	('unpaid', '{"payment_status": "unpaid"}'::jsonb, 'draft', 'complete and unpaid promotes nobody'),
	('open', '{"status": "open", "payment_status": "unpaid"}', 'draft', 'open promotes nobody'),
	('strange', '{"payment_status": "some_new_word"}', 'draft', 'a word we do not know promotes nobody'))
	v (name, doc, status, description);
select is(status, 'unpaid', 'C13 unpaid is written down') from billing.checkouts where session_id = 'cs_unpaid';

select is(pg_temp.play(v.status, '{subscription}', '{}', jsonb_build_object('status', v.status)) ->> 'tenant', v.tenant,
	format('C44 a subscription %s: tenant %s', v.status, v.tenant))
from (values ('active', 'active'), ('trialing', 'active'), ('incomplete', 'draft'), ('incomplete_expired', 'draft'),
	('past_due', 'draft'),
	('unpaid', 'draft'), ('canceled', 'draft'), ('paused', 'draft'), ('some_new_word', 'draft')) v (status, tenant);

-- the owner
select tap.paid('ann') as ann \gset
select is(tap.mailed('ann@example.org') ->> 'template', 'welcome', 'C14 the owner is sent a link');
select is(tap.sign_in(tap.mailed('ann@example.org') ->> 'hash', null, 'flow of ann', 'T') -> 'ok', 'true',
	'C14 which the paying browser only has to press');
select is(count(*), 1::bigint, 'D24 nobody was signed in by paying') from auth.sessions;
select tap.open_draft('second', 'ANN@example.org') ->> 'tenant' as second \gset
select tap.sync('checkout', tap.checkout('second', :'second')) \g /dev/null
select tap.sign_in(tap.mailed('ANN@example.org') ->> 'hash', null, 'flow of second', 'T2') \g /dev/null
select is(count(distinct m.tenant_id), 2::bigint, 'C66 who pays twice and accepts owns both tenants')
	from app.members m join auth.users u on u.id = m.user_id
	where u.email_canonical = 'ann@example.org';
select is(count(*), 1::bigint, 'C53 and stays one user') from auth.users where email_canonical = 'ann@example.org';

-- one customer for each tenant
select is(tap.sync('subscription', tap.subscription('other', :'ann', '{"customer": "cus_other"}')) - 'warning',
	'{"clean": true}', 'D2 a second customer');
select is(array_agg(id), '{cus_ann}', 'C15 does not replace the first') from billing.customers where tenant_id = :'ann';
select ok(last_error ~ 'another customer', 'D2 and is noted') from sync.objects where id = 'sub_other';
select is(count(*), 1::bigint, 'D2 its subscription is recorded')
	from billing.subscriptions where id = 'sub_other' and tenant_id = :'ann';
select is(tap.sync('subscription', tap.subscription('theft', :'second', '{"customer": "cus_ann"}')) ? 'warning', true,
	'D2 a tenant''s customer');
select is(tenant_id, :'ann', 'D2 is never another''s') from billing.customers where id = 'cus_ann';
select is(tap.sync('customer', '{"id": "cus_ann", "object": "customer", "deleted": true}'), '{"clean": true}',
	'C36 a customer deleted at Stripe');
select is(deleted, true, 'C36 is deleted here') from billing.customers where id = 'cus_ann';
select tap.sync('subscription', tap.subscription('third', :'ann', '{"customer": "cus_third"}')) \g /dev/null
select is(array_agg(id), '{cus_other}', 'C15 and makes room for who pays already')
	from billing.customers where tenant_id = :'ann' and not deleted;

-- when the alert about another customer ends
create function pg_temp.others() returns text language sql as $$
	select string_agg(subject, ' ' order by subject)
		from ops.alerts where kind = 'second_customer' and cleared_at is null
$$;
select is(pg_temp.others(), 'cus_third', 'D2 while it pays');
select tap.sync('subscription', tap.subscription('third', :'ann', '{"customer": "cus_third", "status": "canceled"}'))
	\g /dev/null
select is(pg_temp.others(), null, 'D2 its subscription canceled, it is told no more');
select tap.sync('subscription',
	tap.subscription('third', :'ann', '{"customer": "cus_third", "status": "canceled", "quantity": 2}')) \g /dev/null
select is(pg_temp.others(), null, 'D2 nor again when that is written anew');
select tap.sync('subscription', tap.subscription('fourth', :'ann', '{"customer": "cus_fourth"}')),
	tap.sync('customer', '{"id": "cus_fourth", "object": "customer", "deleted": true}') \g /dev/null
select is(pg_temp.others(), null, 'D2 nor once it is deleted');
select tap.open_draft('slow', 'slow@example.org') ->> 'tenant' as slow \gset
select tap.sync('subscription', tap.subscription('slow', :'slow', '{"status": "incomplete"}')) \g /dev/null
select is(pg_temp.others(), null, 'D2 nor the first of a tenant that has not paid yet');

-- a session whose id was not recorded
select tap.open_draft('lost', 'lost@example.org') ->> 'tenant' as lost \gset
select tap.sync('checkout', tap.checkout('lost', :'lost')) \g /dev/null
select is(session_id || ' ' || status, 'cs_lost complete',
	'F103 a paid session that was never recorded finds its checkout') from billing.checkouts
	where tenant_id = :'lost';
select is(status, 'active', 'F103 and promotes its tenant') from app.tenants where id = :'lost';
select is(tap.sync('checkout', tap.checkout('alien', v.tenant)), '{"clean": true, "orphan": true}',
	'C38 a session that is not ours: ' || v.tenant)
from (values ('org_42'), (gen_random_uuid()::text), ('')) v (tenant);

select tap.open_draft('link', 'link@example.org') ->> 'tenant' as link \gset
select is(tap.sync('checkout', tap.checkout('link', :'link', v.more)), '{"clean": true, "orphan": true}',
	'D2 nor one that somebody else made, who names a tenant of ours: ' || v.what)
from (values ('by a reference alone', '{"metadata": {}}'::jsonb), ('to pay once', '{"mode": "payment"}'))
	v (what, more);
select is(t.status || ' ' || (select count(*) from billing.customers where tenant_id = t.id), 'draft 0',
	'D2 which activates and binds nothing') from app.tenants t where id = :'link';
select tap.ask('tollgate_signup', $$api.checkout_opened('link', 1, 'cs_link')$$) \g /dev/null
select is(tap.sync('checkout', tap.checkout('link', :'link', '{"metadata": {}}')), '{"clean": true}',
	'C38 one whose id we know is ours, whatever it says');

-- the owner is who paid, whoever clicked later
delete from auth.hits;
select tap.ask('tollgate_signup', $$api.open_draft('payer', 'payer@example.org', 'starter', 'de', null, null)$$)
	->> 'tenant' as payer \gset
insert into billing.checkouts (key, tenant_id, email, email_canonical, plan, language, status, created_at)
values ('later', :'payer', 'later@example.org', 'later@example.org', 'starter', 'en', 'expired',
		now() + interval '1 h'),
	('earlier', :'payer', 'earlier@example.org', 'earlier@example.org', 'starter', 'en', 'expired', '2026-01-01Z');
select tap.ask('tollgate_signup', $$api.checkout_opened('payer', 1, 'cs_payer')$$),
	tap.sync('checkout', tap.checkout('payer', :'payer')) \g /dev/null
select is((select string_agg(u.email || ' ' || p.language, ', ')
	from app.members m join auth.users u on u.id = m.user_id join app.profiles p on p.user_id = u.id
	where m.tenant_id = :'payer'), 'payer@example.org de',
	'C14 of several checkouts the paid one names the owner, who is written to in its language');
select tap.open_draft('newest', 'older@example.org') ->> 'tenant' as newest \gset
insert into billing.checkouts (key, tenant_id, email, email_canonical, plan, language, status, created_at)
values ('newest 2', :'newest', 'newer@example.org', 'newer@example.org', 'starter', 'en', 'expired',
	now() + interval '1 h');
select tap.sync('subscription', tap.subscription('newest', :'newest')) \g /dev/null
select is((select string_agg(u.email, ' ') from app.members m join auth.users u on u.id = m.user_id
	where m.tenant_id = :'newest'), 'newer@example.org',
	'C14 or the newest, when the subscription tells that it is paid');

-- who follows a deleted customer
select tap.paid('r') as r \gset
select tap.session('r@example.org', 'r') as bearer \gset
create function pg_temp.bound(p_tenant text) returns text language sql as $$
	select string_agg(id, ' ') from billing.customers where tenant_id = p_tenant::uuid and not deleted
$$;
select tap.sync('subscription', tap.subscription(v.name, :'r', jsonb_build_object('created', v.created)))
from (values ('r2', 1767225000), ('r3', 1767224000), ('r4', 1767224500)) v (name, created) \g /dev/null
update sync.objects set clean_version = version where id = 'cus_r2';
select tap.sync('customer', '{"id": "cus_r", "deleted": true}') \g /dev/null
select is(pg_temp.bound(:'r'), 'cus_r2', 'C15 of those who pay too, the newest follows a deleted customer');
select ok((select version > clean_version from sync.objects where kind = 'customer' and id = 'cus_r2'),
	'C15 and is fetched, for its address');
select is(tap.ask('tollgate_billing', 'api.portal_customer()', :'bearer') ->> 'customer', 'cus_r2',
	'D2 whose portal is the tenant''s, though the subscription of the deleted one is the newest');
select tap.sync('customer', '{"id": "cus_r2", "deleted": true}') \g /dev/null
select is(pg_temp.bound(:'r'), 'cus_r4', 'C15 and is never one that is deleted itself');
select tap.sync('subscription', tap.subscription('theft', :'second', '{"customer": "cus_ann"}')) \g /dev/null
select is(pg_temp.others(), 'cus_r3', 'D2 a deleted customer of another tenant is not told of');

select * from finish();
rollback;
