-- A purchase for the address of a user who exists: offered, accepted by its own link, and never in the way of what the
-- user has.
begin;
select no_plan();

select tap.paid('ann') as ann \gset
select tap.session('ann@example.org', 'a') as a \gset

-- what pages and forms answer to ann
create function pg_temp.answers(p_bearer text) returns jsonb language plpgsql as $$
begin
	return jsonb_build_array(tap.ask('tollgate_billing', 'api.billing_page()', p_bearer),
		tap.ask('tollgate_billing', 'api.portal_customer()', p_bearer),
		tap.ask('tollgate_billing', 'api.match_tenant(null, null)', p_bearer),
		tap.ask('tollgate_account', 'api.workspace_page()', p_bearer) - 'offers');
end
$$;

-- A purchase by a stranger who types p_email: the tenant's id.
create function pg_temp.bought(p_name text, p_email text, p_plan text default 'growth') returns text
	language plpgsql as $$
declare
	tenant text;
begin
	delete from auth.hits;
	tenant := tap.open_draft(p_name, p_email, p_plan => p_plan) ->> 'tenant';
	perform tap.ask('tollgate_signup', format('api.checkout_opened(%L, 1, %L)', p_name::bytea, 'cs_' || p_name)),
		tap.sync('checkout', tap.checkout(p_name, tenant)), tap.sync('customer', tap.customer(p_name)),
		tap.sync('subscription', tap.subscription(p_name, tenant));
	return tenant;
end
$$;
create function pg_temp.role_in(p_tenant text) returns text language sql as $$
	select string_agg(u.email || ' ' || m.role, ', ' order by u.email)
	from app.members m join auth.users u on u.id = m.user_id where m.tenant_id = p_tenant::uuid
$$;
create function pg_temp.alerts() returns text language sql as $$
	select string_agg(a.tenant_id || ' ' || a.subject, ', ') from ops.alerts a
	where a.kind = 'offer' and a.cleared_at is null
$$;

select pg_temp.answers(:'a') as before \gset
update app.profiles set language = 'de';
select pg_temp.bought('evil', 'ANN@example.org') as evil \gset
select is(pg_temp.answers(:'a'), :'before', 'S01 a purchase for a member''s address changes no answer to the member');
select is(pg_temp.role_in(:'evil'), null, 'S01 it makes no membership');
select is((select status from app.tenants where id = :'evil'), 'active', 'S01 the tenant is paid all the same');
select is((select array[email, plan] from app.offers where tenant_id = :'evil' and accepted_at is null),
	array['ANN@example.org', 'growth'], 'S01 it is offered');
select is((select array_agg(language) from app.profiles), '{de}', 'S01 a stranger''s form sets no language');
select is((select array[recipient, template, language] from mail.outbox where key = 'offer:' || :'evil'),
	'{ANN@example.org,offer,de}', 'S01 a mail offers it, in the member''s language');
select is(tap.ask('tollgate_account', 'api.workspace_page()', :'a') -> 'offers', jsonb_build_array(jsonb_build_object(
	'id', :'evil', 'plan', 'plan_growth', 'date', api.date_document(now()))), 'S01 the workspace tells of it');
select is((select jsonb_agg(t.name order by t.name) from app.tenants t where t.id in (:'ann', :'evil')),
	'["ANN 2", "ann"]',
	'S01 a tenant is called after the address');

-- nothing but its link accepts it
select tap.session('ann@example.org', 'again') as again \gset
select is(pg_temp.role_in(:'evil'), null, 'S01 a plain sign-in accepts nothing');
select tap.ask('tollgate_signin', 'api.sign_out()', :'again') \g /dev/null
select tap.session('ann@example.org', 'again 2') \g /dev/null
select is(pg_temp.role_in(:'evil'), null, 'S01 nor do sign-out and sign-in');
select is(tap.state_of('tollgate_account', format('select api.choose_tenant(%L)', :'evil'), :'a'), 'TG404',
	'S01 nobody chooses a tenant that is only offered');
select is(tap.state_of(v.role, format(v.call, :'evil'), :'a'), 'TG404', 'S01 nor is it reached: ' || v.call)
from (values ('tollgate_billing', 'select api.billing_page(%L)'), ('tollgate_account', 'select api.workspace_page(%L)'),
	('tollgate_billing', 'select api.portal_customer(%L)'),
	('tollgate_billing', 'select api.open_checkout(''k'', ''growth'', ''en'', %L)'),
	('tollgate_billing', 'select api.match_tenant(%L, null)')) v (role, call);
select tap.sync('subscription', tap.subscription('evil', :'evil', '{"status": "canceled"}')) \g /dev/null
select is(pg_temp.answers(:'a'), :'before', 'S01 its end changes nothing either');

-- its mails about money
select tap.sync('subscription', tap.subscription('evil', :'evil', '{"status": "past_due"}')),
	tap.sync('invoice', tap.invoice('evil', '{"status": "open", "attempt_count": 1, "action_required": true}'))
	\g /dev/null
select is(tap.notices(:'evil'), 'canceled ANN@example.org en, payment_failed ANN@example.org en',
	'S01 notices go to the checkout''s address');
select is((select array[r.purpose, r.tenant_id::text, r.next] from auth.requests r join mail.outbox o
	on r.id::text = o.data ->> 'request' where o.template = 'notice_payment_failed'),
	array['offer', :'evil', '/settings/billing?tenant=' || :'evil'], 'S01 with a link that accepts');
select is((select data ->> 'tenant' from mail.outbox where template = 'notice_payment_failed'), :'evil',
	'S01 a notice names its tenant');

-- an alert after a day, while somebody pays
update app.offers set created_at = now() - interval '23 hours';
select tap.ask('tollgate_jobs', 'service.apply_retention(90)') \g /dev/null
select is(pg_temp.alerts(), null, 'S01 a new offer is no alert');
update app.offers set created_at = now() - interval '25 hours';
select tap.ask('tollgate_jobs', 'service.apply_retention(90)') \g /dev/null
select is(pg_temp.alerts(), concat_ws(' ', :'evil', :'evil'), 'S01 unaccepted after a day it is one');
select is((ops.explain(:'evil', null) #> '{0,offers,0}') - '{created_at,accepted_at}'::text[],
	'{"email": "ANN@example.org", "plan": "growth"}', 'S01 which explain accounts for');

-- another mail
select tap.session('ann@example.org', 'asks') as asks \gset
create function pg_temp.asked(p_tenant text, p_bearer text) returns text language sql as $$
	select tap.state_of('tollgate_account', format('select api.send_offer(%L, %L)', p_tenant, sha256('ann''s browser')),
		p_bearer)
$$;
create function pg_temp.mails() returns bigint language sql as $$
	select count(*) from mail.outbox where template = 'offer'
$$;
select is(pg_temp.asked(:'evil', :'asks') || pg_temp.asked(:'evil', :'asks') || ' ' || pg_temp.mails(), '0000000000 2',
	'S01 the member may ask for the link: two clicks, one mail');
select is(pg_temp.asked(:'ann', :'asks'), 'TG404', 'S01 not for a tenant that is not offered');
select tap.paid('bob') \g /dev/null
select is(pg_temp.asked(:'evil', tap.session('bob@example.org', 'b')), 'TG404', 'S01 nor for another''s offer');
delete from mail.outbox where template = 'offer';
update auth.hits set spent_until = now() + interval '1 hour' where kind = 'offer_mail';
select is(pg_temp.asked(:'evil', :'asks'), 'TG429', 'S01 nor above the allowance');
update auth.hits set spent_until = now() where kind = 'offer_mail';
select pg_temp.asked(:'evil', :'asks') \g /dev/null

-- accepted, by a member of an older tenant
update app.members set created_at = created_at - interval '1 hour';
select tap.mailed('ANN@example.org') as mailed \gset
select is(tap.sign_in(:'mailed'::jsonb ->> 'hash', null, 'flow of evil', 'x') -> 'ok', 'false',
	'S01 the link alone proves nothing in the buyer''s browser');
select is(tap.sign_in(:'mailed'::jsonb ->> 'hash', null, 'ann''s browser', 'taken'),
	'{"ok": true, "next": "/workspace"}',
	'S01 the link signs in');
select encode(sha256('taken'), 'hex') as taken \gset
select is(pg_temp.role_in(:'evil'), 'ann@example.org owner', 'S01 and makes the tenant the user''s');
select is(pg_temp.alerts(), null, 'S01 which ends the alert');
select is(tap.ask('tollgate_account', 'api.workspace_page()', :'taken') -> 'offers', '[]', 'S01 and the offer');
select is(jsonb_path_query_array(tap.ask('tollgate_account', 'api.workspace_page()', :'taken'),
	'$.tenants[*] ? (@.current == true).name'), '["ANN 2"]', 'S01 what was accepted is the user''s choice');
select is(tap.ask('tollgate_billing', format('api.billing_page(%L)', :'ann'), :'taken') ->> 'name', 'ann',
	'S01 the first tenant is a choice away');
select is(tap.ask('tollgate_billing', format('api.portal_customer(%L)', :'ann'), :'taken'),
	jsonb_build_object('customer', 'cus_ann', 'page', '/settings/billing?tenant=' || :'ann'),
	'S01 with its portal, which comes back to it');
select tap.ask('tollgate_account', format('api.choose_tenant(%L)', :'ann'), :'taken') \g /dev/null
select is(tap.ask('tollgate_billing', 'api.billing_page()', :'taken') ->> 'tenant', :'ann',
	'S01 the last choice is what pages show');
select is(tap.ask('tollgate_billing', 'api.billing_page()', :'a') ->> 'tenant', :'ann',
	'S01 in every browser of theirs');
delete from app.members where tenant_id = :'evil';
update auth.requests set used_at = null, token_hash = null where tenant_id = :'evil';
select tap.sign_in(:'mailed'::jsonb ->> 'hash', null, 'ann''s browser', 'late') \g /dev/null
select is(pg_temp.role_in(:'evil'), null, 'S01 a link of an accepted offer makes nobody a member again');

-- names, and which tenant is shown without a choice
select pg_temp.bought('second', 'ann@example.org', 'starter') as second \gset
select pg_temp.bought('third', 'ann@example.org') as third \gset
select is((select array_agg(name order by name) from app.tenants where id in (:'second', :'third')),
	'{"ann 3","ann 4"}',
	'S01 later tenants of one address have a number');
update app.profiles set tenant_id = null;
insert into app.members (tenant_id, user_id, role, created_at)
select v.tenant::uuid, auth.find_user('ann@example.org'), v.role, now() + v.later
from (values (:'second', 'owner', interval '1 h'), (:'third', 'member', '-1 day')) v (tenant, role, later);
create function pg_temp.shown() returns text language sql as $$
	select tap.ask('tollgate_billing', 'api.billing_page()', encode(sha256('late'), 'hex')) ->> 'name'
$$;
select is(pg_temp.shown(), 'ann', 'S01 of those that the user manages the oldest is shown');
select tap.sync('subscription', tap.subscription('ann', :'ann', '{"status": "canceled"}')) \g /dev/null
select is(pg_temp.shown(), 'ann 3', 'S01 a live one before one that has ended');
select tap.sync('subscription', tap.subscription('second', :'second', '{"status": "canceled"}')) \g /dev/null
select is(pg_temp.shown(), 'ann 4', 'S01 even where the user only is a member');
select tap.sync('subscription', tap.subscription('third', :'third', '{"status": "canceled"}')) \g /dev/null
select is(pg_temp.shown(), 'ann', 'S01 and one that the user manages before another');

-- a form that was made for another tenant
create function pg_temp.match(p_shown text, p_form text) returns jsonb language sql as $$
	select tap.ask('tollgate_billing', format('api.match_tenant(%L, %L)', p_shown, p_form),
		encode(sha256('late'), 'hex'))
$$;
select is(pg_temp.match(null, :'ann'),
	jsonb_build_object('state', 'same', 'tenant', :'ann', 'asked', 'ann', 'shown', 'ann'),
	'F208 a form of the tenant that is shown');
select is(pg_temp.match(null, :'second'),
	jsonb_build_object('state', 'other', 'tenant', :'second', 'asked', 'ann 3', 'shown', 'ann'),
	'F208 of another one: both are named');
select is(pg_temp.match(:'second', :'second') ->> 'state', 'same', 'F208 unless the address names it');
select is(pg_temp.match(:'second', null) ->> 'tenant', :'second', 'F208 a form that names none is for the address''s');
delete from app.members where tenant_id = :'second';
select is(pg_temp.match(:'second', :'second') - 'tenant', '{"state": "gone", "asked": null, "shown": "ann"}',
	'F208 the user was removed: the next one is shown');
delete from app.members;
select is(pg_temp.match(null, :'ann') - 'tenant', '{"state": "gone", "asked": null, "shown": null}',
	'F208 or none, when there is no other');

select is(pg_temp.match(null, null), '{"state": "same", "tenant": null, "asked": null, "shown": null}',
	'F208 a form that names none of a user without one');

-- two purchases for an address that was nobody's
select pg_temp.bought('n1', 'new@example.org') as n1, pg_temp.bought('n2', 'new@example.org') as n2 \gset
select is(array[pg_temp.role_in(:'n1'), pg_temp.role_in(:'n2')], '{"new@example.org owner",null}',
	'S01 a new address becomes the owner of the first, and is offered the second');
update app.offers set created_at = now() - interval '25 hours' where accepted_at is null;
select tap.ask('tollgate_jobs', 'service.apply_retention(90)') \g /dev/null
select ok(pg_temp.alerts() like '%' || :'n2' || '%', 'S01 its alert is raised');
select tap.sync('subscription', tap.subscription('n2', :'n2', '{"status": "canceled"}')),
	tap.ask('tollgate_jobs', 'service.apply_retention(90)') \g /dev/null
select ok(pg_temp.alerts() is null or pg_temp.alerts() not like '%' || :'n2' || '%',
	'S01 and ends when nobody pays any more');

select * from finish();
rollback;
