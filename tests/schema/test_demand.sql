-- A tenant that demands a second factor of its members.
begin;
select no_plan();

select tap.paid('ann') as ann \gset
select tap.paid('bob') as bob \gset
select tap.user('mia@example.org') as mia \gset
insert into app.members (tenant_id, user_id, role) values (:'ann', :'mia', 'admin'), (:'bob', :'mia', 'member');
select tap.session('ann@example.org', 'a') as owner, tap.session('mia@example.org', 'm') as member \gset

-- who has a factor from now on
create function pg_temp.give(p_email text) returns void language plpgsql as $$
begin
	insert into auth.factors (user_id, seed, confirmed_at) values (auth.find_user(p_email), 'x', now());
end
$$;
create function pg_temp.demand(p_tenant text, p_on boolean, p_bearer text) returns text language plpgsql as $$
begin
	return tap.state_of('tollgate_account', format('select api.demand_factor(%L, %L)', p_tenant, p_on), p_bearer);
end
$$;
-- the names of the tenants that a workspace shows, and of those that are closed
create function pg_temp.shown(p_bearer text, p_tenant text default null) returns text language plpgsql as $$
declare
	page jsonb := tap.ask('tollgate_account', format('api.workspace_page(%L)', p_tenant), p_bearer);
begin
	return concat_ws(' / ', (select string_agg(t ->> 'name', ' ' order by t ->> 'name')
		from jsonb_array_elements(page -> 'tenants') t),
		(select string_agg('closed ' || (t ->> 'name'), ' ') from jsonb_array_elements(page -> 'closed') t));
end
$$;

select is(pg_temp.shown(:'member'), 'ann bob', 'C63 a member comes in without a factor');
select is(pg_temp.demand(:'ann', true, :'owner'), 'TG409', 'C63 who demands one of others has one');
select pg_temp.give('ann@example.org') \g /dev/null
select is(pg_temp.demand(:'ann', true, :'member'), 'TG403', 'C63 an admin demands nothing');
select is(pg_temp.demand(:'bob', true, :'owner'), 'TG403', 'C63 nor does another tenant''s owner');
select is(tap.ask('tollgate_account', 'api.security_page()', :'owner') - 'tenant',
	'{"factor": true, "may_demand": true, "name": "ann", "on": false, "owner": true, "without": 1}',
	'C63 the owner is told who has none');
create function pg_temp.told() returns text language sql as $$
	select string_agg(o.recipient || ' ' || (o.data ->> 'demanded'), ', ') from mail.outbox o
	where o.template = 'factor_demanded' $$;
select is(pg_temp.demand(:'ann', true, :'owner'), '00000', 'C63 the owner demands it');
select is(pg_temp.told(), 'mia@example.org ann', 'C63 and who has none is told by mail');
select pg_temp.demand(:'ann', on_, :'owner') from unnest('{f,t}'::boolean[]) on_ \g /dev/null
select is(pg_temp.told(), 'mia@example.org ann', 'C63 once a day');

select is(pg_temp.shown(:'member'), 'bob / closed ann', 'C63 then a member without one sees its name only');
select is(pg_temp.shown(:'member', :'ann'), 'bob / closed ann', 'C63 also when asking for it');
select is(pg_temp.shown(:'owner'), 'ann', 'C63 and one who has a factor sees it');
select is(tap.ask('tollgate_billing', format('api.billing_page(%L)', :'ann'), :'member'), '{"closed": true}',
	'C63 its billing is closed');
select is(tap.ask('tollgate_billing', 'api.billing_page()', :'member') ->> 'tenant', :'bob', 'C63 another''s is not');
select is(tap.ask(r, format('(select to_jsonb(count(*)) from %s where %s = %L)', t, c, :'ann'), :'member'), '0',
	format('C63 as %s no row of %s is seen', r, t))
from (values ('tollgate_account', 'app.tenants', 'id'), ('tollgate_billing', 'billing.invoices', 'tenant_id'),
	('tollgate_billing', 'billing.customers', 'tenant_id'), ('tollgate_account', 'billing.subscriptions', 'tenant_id'))
	v (r, t, c);
select is(tap.state_of(r, format('select %s(%L)', call, :'ann'), :'member'), 'TG404', format('C63 %s finds none', call))
from (values ('tollgate_account', 'api.choose_tenant'), ('tollgate_billing', 'api.portal_customer'),
	('tollgate_billing', 'api.my_plan')) v (r, call);
select is(tap.ask('tollgate_billing', format('api.match_tenant(null, %L)', :'ann'), :'member') ->> 'state', 'gone',
	'C63 a form for it comes too late');
select is(tap.ask('tollgate_signup', 'api.has_tenant()', :'member'), 'true', 'C63 its member need not sign up');

-- who belongs to nothing else
delete from app.members where tenant_id = :'bob' and user_id = :'mia';
select is(pg_temp.shown(:'member'), 'closed ann', 'C63 a member of nothing else is told too');
select is(tap.ask('tollgate_billing', 'api.billing_page()', :'member'), '{"closed": true}',
	'C63 and finds no billing page of nobody');

select pg_temp.give('mia@example.org') \g /dev/null
select is(pg_temp.shown(:'member'), 'ann', 'C63 a factor opens it');
delete from auth.factors where user_id = auth.find_user('ann@example.org');
select is(pg_temp.shown(:'owner'), 'closed ann', 'C63 its owner is no exception');
select is(pg_temp.demand(:'ann', false, :'owner'), 'TG403', 'C63 and does not lift it without one');
select pg_temp.give('ann@example.org') \g /dev/null
select is(pg_temp.demand(:'ann', false, :'owner'), '00000', 'C63 with one the owner may');
delete from auth.factors;
select is(pg_temp.shown(:'member'), 'ann', 'C63 then everybody comes in');

select * from finish();
rollback;
