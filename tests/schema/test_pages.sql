-- The documents of pages, read under row-level security.
begin;
select no_plan();

select tap.paid('ann') as ann \gset
select tap.session('ann@example.org', 'a') as a \gset
select tap.user('mia@example.org') as mia, tap.user('sam@example.org') as sam \gset
insert into app.members (tenant_id, user_id, role) values (:'ann', :'mia', 'member');
select tap.session('mia@example.org', 'm') as m, tap.session('sam@example.org', 's') as s \gset

create function pg_temp.account(p_bearer text, p_more jsonb default '{}') returns jsonb language plpgsql as $$
begin
	perform tap.sync('subscription', tap.subscription('ann', null, p_more));
	return tap.ask('tollgate_billing', 'api.billing_page()', p_bearer) -> 'account';
end
$$;

select is(api.date_document('2026-12-01 00:30+01'),
	'{"iso": "2026-11-30T23:30:00Z"}', 'C45 a date is a time in UTC, whatever is asked in');
select is(api.date_document(v), null, 'C45 no date is null') from (values (null::timestamptz), ('infinity')) t (v);

select is(tap.ask('tollgate_account', 'api.workspace_page()', :'a'),
	format('{"email": "ann@example.org", "display_name": "ann", "several": false, "offers": [], "closed": [], "tenants":
	[{"id": "%s", "name": "ann", "current": true, "role": "role_owner", "plan": "plan_starter",
		"status": "status_active", "status_class": "good"}]}', :'ann')::jsonb, 'C63 the owner''s workspace');
select is(tap.ask('tollgate_account', 'api.workspace_page()', :'m') #>> '{tenants,0,role}',
	'role_member', 'C56 a member''s');
select is(tap.ask('tollgate_account', 'api.workspace_page()', :'s') -> 'tenants', '[]', 'C63 a stranger''s');

-- what the policies of pages go by is written over by each page, whatever it was
select set_config('page.user', :'ann', true), set_config('page.tenants', array[:'ann']::text, true),
	set_config('page.managed', array[:'ann']::text, true) \g /dev/null
select is(tap.ask('tollgate_account', 'api.workspace_page()', :'s') -> 'tenants', '[]',
	'D27 what a role says to the policies of pages is forgotten by the workspace');
select is(tap.ask('tollgate_billing', 'api.billing_page()', :'m') -> 'invoices', '[]',
	'D27 and by the billing page');
select is(tap.state_of('tollgate_billing', 'select api.billing_page()'), 'TG401', 'D27 and is no session');
select is(tap.state_of(v.role, format('select api.%s(%L)', v.page, :'ann'), :'s'), 'TG404',
	'D27 and no membership, for ' || v.page)
from (values ('tollgate_billing', 'billing_page'), ('tollgate_account', 'workspace_page'),
	('tollgate_billing', 'my_plan')) v (role, page);

-- a dispute is a payment's end, which managers see
select tap.sync('dispute', tap.dispute('ann')) \g /dev/null
select is(jsonb_array_length(tap.ask('tollgate_billing', 'api.billing_page()', v.bearer) -> 'payments'), v.n,
	'C56 ' || v.description)
from (values (:'a', 1, 'an owner sees a dispute'), (:'m', 0, 'a plain member does not')) v (bearer, n, description);
delete from billing.disputes;

create function pg_temp.line(p_account jsonb) returns text language sql as $$
	select concat_ws(' ', p_account #>> '{next,line}', p_account #>> '{next,date,iso}') $$;

select is(pg_temp.account(:'a') - '{can_subscribe,next,later,todo}'::text[],
	'{"plan": "plan_starter", "status": "status_active", "status_class": "good", "reason": "reason_active",
		"pay": null, "manage_first": true, "can_manage": true}',
	'C45 the billing page of an active subscription');
select is(tap.ask('tollgate_billing', 'api.billing_page()', :'a') -> 'email', '"ann@example.org"',
	'C45 and whose it is');
select is(pg_temp.line(pg_temp.account(:'a')), 'renews-on 2027-01-15T08:00:00Z', 'C45 it renews with the period');
select is(pg_temp.line(a), 'ends-on 2027-01-15T08:00:00Z',
	'C45 ends with the period, renews not')
	from pg_temp.account(:'a', '{"cancel_at_period_end": true}') a;
select is(pg_temp.line(a), 'ends-on 2027-01-03T18:13:20Z',
	'C45 ends at a time, renews not')
	from pg_temp.account(:'a', '{"cancel_at": 1799000000}') a;
select is(concat_ws(' ', pg_temp.line(a), a ->> 'status', a ->> 'status_class'),
	'ended-on 2026-12-23T04:26:40Z status_canceled bad', 'C45 ended')
	from pg_temp.account(:'a', '{"status": "canceled", "ended_at": 1798000000, "cancel_at_period_end": true}') a;
select is(pg_temp.line(a), 'trial-ends-on 2027-01-15T08:00:00Z', 'C45 a trial')
	from pg_temp.account(:'a', '{"status": "trialing", "trial_end": 1800000000}') a;
select is((a ->> 'status') || ' ' || (a ->> 'status_class'), v.shown, 'C44 ' || v.status || ' is shown as ' || v.shown)
from (values ('active', 'status_active good'), ('trialing', 'status_trialing good'),
	('past_due', 'status_past_due warn'),
	('unpaid', 'status_unpaid bad'), ('canceled', 'status_canceled bad'), ('incomplete', 'status_incomplete warn'),
	('incomplete_expired', 'status_incomplete_expired bad'), ('paused', 'status_paused bad'),
	('some_new_word', 'status_unknown warn')) v (status, shown)
	cross join lateral pg_temp.account(:'a', jsonb_build_object('status', v.status)) a;
select pg_temp.account(:'a', '{"status": "canceled"}') \g /dev/null
select tap.sync('subscription', tap.subscription('new', :'ann', '{"created": 1, "customer": "cus_ann"}')) \g /dev/null
select is(tap.ask('tollgate_billing', 'api.billing_page()', :'a') #>> '{account,status}',
	'status_active', 'C45 a live subscription comes before an ended one');

select is(tap.ask('tollgate_billing', 'api.billing_page()', :'m') #> '{account,can_manage}',
	'false', 'D14 a plain member manages nothing');
select is(tap.ask('tollgate_billing', 'api.billing_page()', :'s'), '{"email": "sam@example.org", "account": null}',
	'C63 a stranger has no account');
select is(tap.state_of('tollgate_billing', 'select api.billing_page()', v.bearer), 'TG401', 'C20 ' || v.description)
from (values ('', 'no bearer, no page'), (repeat('0', 64), 'an unknown bearer, no page')) v (bearer, description);
select is(tap.state_of('tollgate_account', 'select api.workspace_page()'), 'TG401', 'C20 nor a workspace');

select is(tap.ask('tollgate_billing', 'api.portal_customer()', :'a'), '{"customer": "cus_ann"}',
	'D14 the customer is the tenant''s');
-- what has changed since the portal was opened is for its managers
create function pg_temp.news(p_bearer text) returns text language sql as $$
	select tap.ask('tollgate_billing', format('api.portal_news(%L)', (select t.id from app.tenants t
		join billing.customers c on c.tenant_id = t.id where c.id = 'cus_ann')), p_bearer) #>> '{0,label}'
$$;
select is(pg_temp.news(:'a'), 'news_none', 'C116 an owner is told that nothing has changed');
select is(coalesce(pg_temp.news(:'m'), pg_temp.news(:'s')), null,
	'C116 a plain member and a stranger are told nothing');
select is(tap.state_of('tollgate_billing', 'select api.portal_customer()'), 'TG401', 'C20 for nobody');
select is(tap.state_of('tollgate_billing', 'select api.portal_customer()', :'m'), 'TG403',
	'D14 not for a plain member');
select is(tap.state_of('tollgate_billing', 'select api.portal_customer()', :'s'), 'TG400',
	'C21 none for who has no tenant');
update app.members set role = 'admin' where user_id = :'mia';
select is(tap.ask('tollgate_billing', 'api.portal_customer()', :'m'), '{"customer": "cus_ann"}', 'C56 an admin may');
update billing.customers set deleted = true;
select is(tap.state_of('tollgate_billing', 'select api.portal_customer()', :'a'), 'TG400',
	'C21 none after its deletion');

-- paid, and the subscription is not stored yet
select tap.open_draft('zoe', 'zoe@example.org') ->> 'tenant' as zoe \gset
select tap.sync('checkout', tap.checkout('zoe', :'zoe')) \g /dev/null
select is((a -> 'account') - '{status_class,can_subscribe,reason,pay,manage_first,later,todo}'::text[],
	jsonb_build_object('plan', null, 'status', 'status_pending', 'can_manage', true, 'next',
		'{"kind": "nothing", "label": "next_nothing", "line": null, "date": null, "amount": null,
			"coming": null}'::jsonb),
	'C45 paid, and the subscription is on its way')
	from tap.ask('tollgate_billing', 'api.billing_page()', tap.session('zoe@example.org', 'z')) a;

-- nothing was ever bought, and there is no free plan
create function pg_temp.badge(p_bearer text) returns text language sql as $$
	select concat_ws(' ', t ->> 'status', t ->> 'status_class', t ->> 'choose')
	from tap.ask('tollgate_account', 'api.workspace_page() #> ''{tenants,0}''', p_bearer) t
$$;
select is(pg_temp.badge(tap.session('zoe@example.org', 'zoe')), 'status_pending warn', 'C45 in the workspace too');
select tap.user('yan@example.org') as yan \gset
select billing.found_tenant(:'yan', 'yan@example.org'), tap.session('yan@example.org', 'y') as y \gset
select is(pg_temp.badge(:'y'), 'status_unchosen warn true', 'C46 who registers is shown the way to a plan');
select is(a -> 'account' @> '{"status": "status_unchosen", "reason": "reason_no_plan", "can_subscribe": true}', true,
	'C46 on the billing page too') from tap.ask('tollgate_billing', 'api.billing_page()', :'y') a;
update app.members set role = 'member' where user_id = :'yan';
select is(pg_temp.badge(:'y'), 'status_unchosen warn', 'C46 a member cannot buy one');

-- the policies themselves, table by table: without what app.enter_page() finds, the pages' role sees no row of a tenant
select tap.sync('invoice', tap.invoice('ann')) \g /dev/null
create function pg_temp.seen(p_table text) returns bigint language plpgsql as $$
declare
	n bigint;
begin
	perform set_config('role', 'tollgate_page', true);
	execute format('select count(1) from %s', p_table) into n;
	perform set_config('role', 'none', true);
	return n;
end
$$;
select set_config('page.user', '', true), set_config('page.tenants', '', true), set_config('page.managed', '', true)
	\g /dev/null
select is(pg_temp.seen(t), 0::bigint, 'D27 pages see nothing of ' || t || ' before they know for whom')
from unnest('{app.tenants,app.members,app.profiles,app.offers,billing.subscriptions,billing.subscription_history,
	billing.customers,billing.disputes,billing.override_history,billing.invoices,billing.notifications}'::text[]) t;
select set_config('page.user', user_id::text, true) from app.members where tenant_id = :'ann' and role = 'owner'
	\g /dev/null
select set_config('page.tenants', array[:'ann']::text, true), set_config('page.managed', '{}', true) \g /dev/null
select tap.paid('yan'), tap.sync('invoice', tap.invoice('yan')) \g /dev/null
select is(pg_temp.seen(t), 1::bigint, 'D27 and of ' || t || ' then what is the user''s')
from unnest('{app.tenants,app.members,app.profiles}'::text[]) t;
select is(pg_temp.seen(t), 0::bigint, 'D27 and of ' || t || ' what the user manages')
from unnest('{billing.customers,billing.invoices,billing.notifications}'::text[]) t;

select * from finish();
rollback;
