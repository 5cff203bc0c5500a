-- The free plan: what a tenant without a live subscription has.
begin;
select no_plan();
create function pg_temp.brief(p_tenant text, p_at timestamptz default now()) returns text language sql as $$
	select concat_ws(' ', case when e -> 'allowed' = 'true' then 'yes' else 'no' end, e ->> 'plan', e ->> 'reason',
		nullif(e ->> 'features', '[]'), e ->> 'until')
	from billing.entitlement(p_tenant::uuid, p_at) e
$$;
create function pg_temp.plans(p_free text) returns void language sql as $$
	select ops.put_plans(jsonb_path_query_array(jsonb_build_array(
		jsonb_build_object('id', 'free', 'rank', 1, 'features', '["chat"]'::jsonb, 'free', p_free = 'free'),
		jsonb_build_object('id', 'starter', 'rank', 2, 'price', 'price_starter', 'features', '["chat", "mail"]'::jsonb),
		jsonb_build_object('id', 'basic', 'rank', 3, 'features', '["basic"]'::jsonb, 'free', p_free = 'basic')),
		'$[*] ? (@.id == "starter" || @.free == true)'))
$$;

select pg_temp.plans('none') \g /dev/null
select tap.paid('ann') as ann \gset
select tap.open_draft('dora', 'dora@example.org') ->> 'tenant' as dora \gset
update billing.subscriptions set status = 'canceled' where id = 'sub_ann';
select is(pg_temp.brief(:'ann'), 'no starter canceled', 'C17 without a free plan an ended subscription grants nothing');
select pg_temp.plans('free') \g /dev/null

create temp table life (status text, expected text);
insert into life values ('active', 'yes starter active ["chat", "mail"]'), ('unpaid', 'no starter unpaid'),
	('incomplete', 'no starter incomplete'), ('paused', 'no starter paused'),
	('canceled', 'yes free free ["chat"]'), ('incomplete_expired', 'yes free free ["chat"]');
create function pg_temp.with_status(p_tenant text, p_status text) returns text language plpgsql as $$
begin
	update billing.subscriptions set status = p_status where id = 'sub_ann';
	return pg_temp.brief(p_tenant);
end
$$;
select is(pg_temp.with_status(:'ann', l.status), l.expected,
	'C17 the free plan beside a subscription that is ' || l.status)
from life l;
select is(pg_temp.brief(:'dora'), 'no no_subscription', 'C17 nothing for a draft');
select is(pg_temp.brief(gen_random_uuid()::text), 'no no_subscription', 'C17 nothing for a tenant that is not there');
update app.tenants set created_at = now() - interval '1 day';
update billing.subscription_history set from_at = now() - interval '1 day' where to_at is null;
select is(pg_temp.brief(:'ann', now() - interval '1 s'), 'no starter incomplete_expired',
	'C17 nothing before the plan was there');
update billing.plan_history set from_at = now() - interval '3 days' where plan = 'free';
select is(pg_temp.brief(:'ann', now() - interval '1 s'), 'yes free free ["chat"]',
	'C17 and what was had before is known');
select is(pg_temp.brief(:'ann', now() - interval '2 days'), 'no no_subscription',
	'C17 nothing before the tenant was there');
update billing.subscriptions set status = 'active', cancel_at = now() - interval '1 s' where id = 'sub_ann';
select is(pg_temp.brief(:'ann'), 'yes free free ["chat"]', 'C17 from the scheduled end, before Stripe has told of it');
update billing.subscriptions set status = 'canceled', cancel_at = null where id = 'sub_ann';

-- what people see, and cannot buy
select tap.session('ann@example.org', 'a') as a \gset
select is(p -> 'account' @> '{"plan": "plan_free", "status": "status_free", "status_class": "good",
	"can_subscribe": true}', true, 'C17 the page shows the free plan, and others to choose') from
	tap.ask('tollgate_billing', 'api.billing_page()', :'a') p;
select is(tap.ask('tollgate_signup', 'api.offered_plans()') @? '$[*] ? (@.id == "free")', false,
	'C17 which is not among them');
select is(tap.state_of('tollgate_signup', $$select api.open_draft('\x02', 'a@b.c', 'free', 'en', null, null)$$),
	'TG422', 'C17 and cannot be bought at sign-up');
select is(tap.state_of('tollgate_billing', $$select api.open_checkout('\x02', 'free', 'en')$$, :'a'), 'TG422',
	'C17 nor later');

-- who registers has it
select tap.ask('tollgate_signin', format('api.request_registration(%L, %L, %L, %L, null, %L, %L, %L)',
	'bea@example.org', sha256('flow'), 'en', '192.0.2.1', sha256('salt'), '{19456,2,1}', sha256('K'))) \g /dev/null
select tap.mailed('bea@example.org') ->> 'hash' as hash \gset
select is(tap.ask('tollgate_signin', format('api.register(%L, null, %L, %L, %L, %L, null, null, null, null, false)',
	:'hash', sha256('flow'), sha256(sha256('b')), '192.0.2.1', 'a browser')), '{"ok": true}', 'C46 somebody registers');
select encode(sha256('b'), 'hex') as b, tenant_id as bea
from app.members where user_id = auth.find_user('bea@example.org') \gset
select is(pg_temp.brief(:'bea'), 'yes free free ["chat"]', 'C46 and has what the free plan includes');
select is(p #> '{tenants,0}' @> '{"plan": "plan_free", "status": "status_free", "status_class": "good"}', true,
	'C46 which the workspace shows') from tap.ask('tollgate_account', 'api.workspace_page()', :'b') p;
select is(p -> 'account' @> '{"plan": "plan_free", "status": "status_free", "can_subscribe": true}', true,
	'C46 and the billing page, with others to choose') from tap.ask('tollgate_billing', 'api.billing_page()', :'b') p;

-- the operator's word goes before it
select ops.put_override(:'ann', false, null, null, 'a test', 'tests') \g /dev/null
select is(pg_temp.brief(:'ann'), 'no free override', 'C17 denied by the operator');
select ops.put_override(:'ann', true, 'starter', null, 'a test', 'tests') \g /dev/null
select is(pg_temp.brief(:'ann'), 'yes starter override ["chat", "mail"]', 'C17 given more by the operator');
update billing.overrides set until = now() - interval '1 s';

-- the configuration changes
select pg_temp.plans('basic') \g /dev/null
select is(pg_temp.brief(:'ann'), 'yes basic free ["basic"]', 'C17 another plan is the free one');
select pg_temp.plans('none') \g /dev/null
select is(pg_temp.brief(:'ann'), 'no starter canceled', 'C17 none is');
select is(tap.state_of('none', $$select ops.put_plans('[{"id": "free", "rank": 1, "free": true},
	{"id": "basic", "rank": 2, "free": true}]')$$), '23505', 'C17 two are refused');

select * from finish();
rollback;
