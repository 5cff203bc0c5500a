-- Nothing breaks the rules, and a violation is found.
begin;
select no_plan();

select is_empty('select fault from tap.escapee', 'C62 no table, policy, function or schema escapes the rules');
select cmp_ok((select count(*) from tap.our_table), '>=', 14::bigint, 'C62 the check looks at the tables');
select cmp_ok((select count(*) from tap.our_function), '>=', 60::bigint, 'C62 the check looks at the functions');

-- the fault that is found after p_statement, which is undone again
create function pg_temp.caught(p_statement text) returns text[] language plpgsql as $$
declare
	faults text[];
begin
	execute p_statement;
	faults := array(select fault from tap.escapee order by fault);
	raise exception 'undo' using errcode = 'TG999', detail = faults::text;
exception when sqlstate 'TG999' then
	return faults;
end
$$;

select is(pg_temp.caught($$create table app.stray (tenant_id uuid); alter table app.stray owner to tollgate_owner$$),
	array['app.stray does not force row-level security', 'app.stray has no policy'],
	'C62 a new table without row-level security is caught');
select is(pg_temp.caught($$create table app.stray (tenant_id uuid); alter table app.stray owner to tollgate_owner;
	alter table app.stray enable row level security; create policy p on app.stray to tollgate_account using (true)$$),
	array['app.stray does not force row-level security'],
	'D27 a new table that does not force it on its owner is caught');
select is(pg_temp.caught($$alter table app.tenants no force row level security$$),
	array['app.tenants does not force row-level security'], 'D27 a table that stops forcing it is caught');
select is(pg_temp.caught($$drop policy own on app.profiles; drop policy trigger on app.profiles;
	drop policy language on app.profiles; drop policy prefer on app.profiles;
	drop policy service on app.profiles; drop policy choice on app.profiles;
	drop policy page on app.profiles$$),
	array['app.profiles has no policy'], 'D22 a table without any policy is caught');
select is(pg_temp.caught($$create policy p on app.tenants using (true)$$),
	array['policy p on app.tenants is for public'],
	'C62 a policy for everybody is caught');
select is(pg_temp.caught($$create policy p on app.tenants to tollgate_account using (id = any (app.my_tenants()))$$),
	array['policy p on app.tenants calls a function for each row'], 'C62 a policy that asks for each row is caught');
select is(pg_temp.caught($$grant select on app.tenants to public$$), array['app.tenants grants SELECT to public'],
	'C62 a grant to everybody is caught');
select is(pg_temp.caught($$grant truncate on app.tenants to tollgate_billing$$),
	array['app.tenants grants TRUNCATE to tollgate_billing'], 'C62 a right to truncate is caught');
select is(pg_temp.caught(
	$$create view app.stray as select id from app.tenants; alter view app.stray owner to tollgate_owner$$),
		array['app.stray is a view that is not security_invoker'], 'C62 a view with its owner''s rights is caught');
select is(pg_temp.caught($$create table app.stray (); alter table app.stray enable row level security;
	alter table app.stray force row level security; create policy p on app.stray to tollgate_account using (true)$$),
	array['app.stray is not owned by tollgate_owner'], 'C62 a table of another owner is caught');

select is(pg_temp.caught(
	$$create function api.stray() returns int language plpgsql security definer as 'begin return 1; end';
	alter function api.stray() owner to tollgate_service; revoke execute on function api.stray() from public$$),
	array['api.stray has no pinned search_path'], 'D23 a definer function without search_path is caught');
select is(pg_temp.caught($$set role tollgate_owner; create function api.stray() returns int language plpgsql
	as 'begin return 1; end'; reset role$$),
	array['api.stray has no pinned search_path'], 'D23 one that programs call too');
select is(pg_temp.caught($$set role tollgate_owner; create function billing.stray() returns int language plpgsql
	as 'begin return 1; end'; reset role$$),
	'{}'::text[], 'D23 one below them has its caller''s, as it has its rights');
select is(pg_temp.caught(
	$$create function api.stray() returns int language plpgsql set search_path = pg_catalog, pg_temp
	as 'begin return 1; end'; alter function api.stray() owner to tollgate_service$$),
	array['api.stray is executable by public'], 'C52 a function open to everybody is caught');
select is(pg_temp.caught($$grant create on schema api to tollgate_jobs;
	grant usage on language plpgsql to tollgate_jobs; set role tollgate_jobs;
	create function api.stray() returns int language plpgsql set search_path = pg_catalog, pg_temp
	as 'begin return 1; end'; reset role; revoke execute on function api.stray() from public$$),
	array['api.stray is owned by tollgate_jobs', 'schema api is open to tollgate_jobs'],
	'C52 a function of a login role, and its right to make one, are caught');
select is(pg_temp.caught(
	$$set role tollgate_owner; create function api.stray() returns int language plpgsql security definer
	set search_path = pg_catalog, pg_temp as 'begin return 1; end'; reset role$$),
	array['api.stray is security definer with the rights of the tables'' owner'],
	'D27 a definer with the tables'' owner''s rights is caught');
select is(pg_temp.caught($$set role tollgate_owner; create function auth.stray() returns text language sql
	set search_path = pg_catalog, pg_temp as 'select current_setting(''app.bearer'')'; reset role$$),
	array['auth.stray is not written in PL/pgSQL'], 'C52 an identity function in SQL is caught');
select is(pg_temp.caught($$set role tollgate_service; create function api.stray() returns bigint language sql stable
	security definer as 'select count(*) from app.tenants'; reset role$$),
	array['api.stray is not written in PL/pgSQL'], 'D23 a definer function in SQL is caught');
select is(pg_temp.caught($$set role tollgate_owner; create function api.stray(s text) returns void language plpgsql
	set search_path = pg_catalog, pg_temp as 'begin execute s; end'; reset role$$),
	array['api.stray builds statements from text'], 'F94 a function that runs text is caught');
select is(pg_temp.caught($$set role tollgate_owner; create function api.stray() returns timestamptz language plpgsql
	set search_path = pg_catalog, pg_temp as 'begin return now() + interval ''7 days''; end'; reset role$$),
	array['api.stray counts days in whatever time zone its session has'],
	'C41 a function whose days depend on the session is caught');
select is(pg_temp.caught($$set role tollgate_page; create function api.stray() returns bigint language plpgsql
	security definer set search_path = pg_catalog, pg_temp as 'begin return count(*) from app.tenants; end';
	reset role$$),
	array['api.stray is of tollgate_page and does not enter first'],
	'D27 a page that believes the settings it finds is caught');
select is(pg_temp.caught($$set role tollgate_owner; create function api.stray() returns text language plpgsql
	set search_path = pg_catalog, pg_temp as 'begin return set_config(''page.user'', '''', true); end'; reset role$$),
	array['api.stray writes settings of pages'], 'D27 another function that says for whom a page is, is caught');
select is(pg_temp.caught($$create policy p on app.tenants for select to tollgate_billing
	using (id = any ((select current_setting('page.tenants', true))::uuid[]))$$),
	array['policy p on app.tenants of tollgate_billing believes a setting of pages'],
	'D27 a policy that believes what a login role may write is caught');
select is(pg_temp.caught($$create schema stray; grant usage on schema stray to public$$),
	array['schema stray is not owned by tollgate_owner', 'schema stray is open to public'],
	'C62 a new open schema is caught');

select set_eq($$select format('%s.%s.%s', table_schema, table_name, column_name) from information_schema.columns
		where table_schema in (select name from tap.our_schema) and column_name = 'tenant_id'$$,
	array['app.members.tenant_id', 'billing.checkouts.tenant_id', 'billing.customers.tenant_id',
		'billing.subscriptions.tenant_id',
		'billing.subscription_history.tenant_id', 'billing.overrides.tenant_id', 'billing.override_history.tenant_id',
		'ops.alerts.tenant_id', 'billing.invoices.tenant_id', 'billing.disputes.tenant_id',
		'billing.notifications.tenant_id', 'auth.requests.tenant_id', 'auth.pending.tenant_id',
		'app.offers.tenant_id', 'app.profiles.tenant_id', 'app.invitations.tenant_id', 'audit.entries.tenant_id',
		'app.keys.tenant_id', 'usage.comparisons.tenant_id', 'usage.windows.tenant_id',
		'usage.accounts.tenant_id', 'usage.holds.tenant_id', 'usage.days.tenant_id', 'usage.outbox.tenant_id',
		'chat.conversations.tenant_id', 'chat.messages.tenant_id', 'chat.turns.tenant_id'],
	'C98 these tables are tenants'' tables');
select is_empty($$select c.name from tap.our_table c join pg_attribute a on a.attrelid = c.oid and a.attname = 'user_id'
		join pg_attribute b on b.attrelid = c.oid and b.attname = 'created_at'
		where c.relkind = 'r' and c.name not in ('app.profiles', 'auth.links', 'auth.requests') and not exists (
			select from pg_index i where i.indrelid = c.oid and i.indkey[0] = a.attnum and i.indkey[1] = b.attnum)$$,
	'C71 what a user wrote is indexed by user and time');
select is_empty($$select name from tap.our_function
	where prosrc ~ 'auth\.users' and proowner <> 'tollgate_auth'::regrole$$,
	'C52 only functions of tollgate_auth read users');

-- policies that show every row are for what is the same for all, and login roles have none but to read
select set_eq($$select format('%s.%s %s', p.schemaname, p.tablename, r.rolname) from pg_policies p
		join pg_roles r on r.rolname = any (p.roles) and r.rolcanlogin where coalesce(p.qual, 'true') = 'true'$$,
	array['app.roles tollgate_account', 'app.role_verbs tollgate_account', 'audit.kinds tollgate_account',
		'billing.plans tollgate_billing', 'billing.plan_history tollgate_billing',
		'billing.status_rules tollgate_billing', 'billing.pause_rules tollgate_billing',
		'billing.dispute_rules tollgate_billing', 'chat.models tollgate_chat'],
	'C63 a login role sees all rows of what is the same for all, and of nothing else');
select is_empty($$select p.policyname from pg_policies p join pg_roles r on r.rolname = any (p.roles) and r.rolcanlogin
	where p.cmd <> 'SELECT'$$, 'C64 no policy lets a login role write');

-- what the owners of definer functions may do: "role table rights", a right to some columns with their names
create temp view owned_right as
	with given as (
		select c.oid, a.grantee, a.privilege_type as verb, null::name as col
		from pg_class c cross join aclexplode(c.relacl) a where c.relkind = 'r' and a.grantee <> c.relowner
		union all
		select t.attrelid, a.grantee, a.privilege_type, t.attname from pg_attribute t
			cross join aclexplode(t.attacl) a),
	verbs as (
		select g.oid, g.grantee, g.verb || coalesce('(' || string_agg(g.col, ',' order by g.col) || ')', '') as verb
		from given g group by g.oid, g.grantee, g.verb)
	select format('%s %s.%s %s', v.grantee::regrole, n.nspname, c.relname, string_agg(v.verb, ' ' order by v.verb))
		as grants
	from verbs v join pg_class c on c.oid = v.oid join pg_namespace n on n.oid = c.relnamespace
	where v.grantee::regrole::text in ('tollgate_auth', 'tollgate_rls', 'tollgate_service', 'tollgate_page')
	group by v.grantee, n.nspname, c.relname;
select set_eq('select grants from owned_right', string_to_array(btrim($$
	tollgate_auth app.profiles INSERT SELECT(display_name,language,user_id) UPDATE(avatar_url,display_name,language)
	tollgate_auth auth.asking SELECT UPDATE(flow,until)
	tollgate_auth auth.challenges DELETE INSERT SELECT
	tollgate_auth auth.devices DELETE INSERT SELECT UPDATE
	tollgate_auth auth.factors DELETE INSERT SELECT UPDATE
	tollgate_auth auth.flows DELETE INSERT SELECT UPDATE
	tollgate_auth auth.hits DELETE INSERT SELECT UPDATE
	tollgate_auth auth.identities DELETE INSERT SELECT UPDATE
	tollgate_auth auth.limits SELECT
	tollgate_auth auth.links INSERT SELECT
	tollgate_auth auth.operators DELETE INSERT SELECT
	tollgate_auth auth.passkeys DELETE INSERT SELECT UPDATE
	tollgate_auth auth.passwords DELETE INSERT SELECT UPDATE
	tollgate_auth auth.pending DELETE INSERT SELECT UPDATE
	tollgate_auth auth.pending_identities DELETE INSERT SELECT
	tollgate_auth auth.pending_passwords DELETE INSERT SELECT
	tollgate_auth auth.pepper SELECT
	tollgate_auth auth.recovery_codes DELETE INSERT SELECT UPDATE
	tollgate_auth auth.requests DELETE INSERT SELECT UPDATE
	tollgate_auth auth.sessions DELETE INSERT SELECT UPDATE
	tollgate_auth auth.suspensions INSERT SELECT UPDATE(lifted_at,lifted_by)
	tollgate_auth auth.tokens DELETE INSERT SELECT UPDATE(confirmed_at,retired_at)
	tollgate_auth auth.tries DELETE INSERT SELECT UPDATE
	tollgate_auth auth.users DELETE INSERT SELECT UPDATE(disabled_at,email,email_canonical)
	tollgate_auth mail.outbox INSERT
	tollgate_page app.members SELECT
	tollgate_page app.offers SELECT
	tollgate_page app.profiles SELECT(display_name,tenant_id,user_id)
	tollgate_page app.tenants SELECT(created_at,id,name,status)
	tollgate_page billing.customers SELECT(deleted,id,tenant_id)
	tollgate_page billing.dispute_rules SELECT
	tollgate_page billing.disputes SELECT
	tollgate_page billing.invoices SELECT
	tollgate_page billing.notifications SELECT
	tollgate_page billing.override_history SELECT(allowed,from_at,plan,tenant_id,to_at,until)
	tollgate_page billing.pause_rules SELECT
	tollgate_page billing.plan_history SELECT
	tollgate_page billing.plans SELECT
	tollgate_page billing.status_rules SELECT
	tollgate_page billing.subscription_history SELECT
	tollgate_page billing.subscriptions SELECT
	tollgate_rls app.members SELECT(role,tenant_id,user_id)
	tollgate_rls app.tenants SELECT(closes_at,demands_factor,id,name,status)
	tollgate_rls app.role_verbs SELECT
	tollgate_rls app.roles SELECT
	tollgate_service app.address_changes DELETE INSERT SELECT UPDATE
	tollgate_service app.deletions DELETE INSERT SELECT UPDATE(done_at,tenants)
	tollgate_service app.invitations DELETE INSERT SELECT UPDATE
	tollgate_service app.keys INSERT SELECT UPDATE(revoked_at,used_at)
	tollgate_service app.members DELETE INSERT SELECT UPDATE(role)
	tollgate_service app.role_verbs SELECT
	tollgate_service app.roles SELECT
	tollgate_service audit.entries INSERT SELECT
	tollgate_service audit.head SELECT UPDATE
	tollgate_service audit.kinds SELECT
	tollgate_service app.offers DELETE INSERT SELECT UPDATE(accepted_at)
	tollgate_service app.profiles SELECT UPDATE(display_name,tenant_id)
	tollgate_service app.tenants DELETE INSERT SELECT UPDATE(activated_at,closes_at,demands_factor,name,status)
	tollgate_service billing.calls INSERT SELECT UPDATE
	tollgate_service chat.breakers INSERT SELECT UPDATE
	tollgate_service chat.calls DELETE INSERT SELECT UPDATE
	tollgate_service chat.conversations DELETE INSERT SELECT UPDATE
	tollgate_service chat.messages DELETE INSERT SELECT UPDATE
	tollgate_service chat.models INSERT SELECT UPDATE
	tollgate_service chat.settings SELECT UPDATE
	tollgate_service chat.turns DELETE INSERT SELECT UPDATE
	tollgate_service billing.checkouts INSERT SELECT UPDATE
	tollgate_service billing.customers INSERT SELECT UPDATE
	tollgate_service billing.dispute_rules SELECT
	tollgate_service billing.pause_rules SELECT
	tollgate_service billing.disputes INSERT SELECT UPDATE
	tollgate_service billing.invoices INSERT SELECT UPDATE
	tollgate_service billing.notice_kinds SELECT
	tollgate_service billing.notifications INSERT SELECT UPDATE
	tollgate_service billing.override_history INSERT SELECT UPDATE(to_at)
	tollgate_service billing.overrides INSERT SELECT UPDATE
	tollgate_service billing.pace SELECT UPDATE
	tollgate_service billing.plan_history INSERT SELECT UPDATE(to_at)
	tollgate_service billing.plans INSERT SELECT UPDATE
	tollgate_service billing.portal_configurations INSERT SELECT UPDATE
	tollgate_service billing.prices INSERT SELECT UPDATE
	tollgate_service billing.status_rules SELECT
	tollgate_service billing.subscription_history INSERT SELECT UPDATE(to_at)
	tollgate_service billing.subscriptions INSERT SELECT UPDATE
	tollgate_service inbox.events DELETE INSERT SELECT UPDATE(attempts,done_at,object_id,object_kind,outcome,raw,state)
	tollgate_service mail.outbox DELETE INSERT SELECT UPDATE
	tollgate_service meta.migrations SELECT
	tollgate_service meta.stamp SELECT UPDATE(account)
	tollgate_service usage.accounts INSERT SELECT UPDATE
	tollgate_service usage.caps DELETE INSERT SELECT UPDATE
	tollgate_service usage.comparisons INSERT SELECT UPDATE
	tollgate_service usage.corrections INSERT SELECT
	tollgate_service usage.costs INSERT SELECT UPDATE(to_at)
	tollgate_service usage.days INSERT SELECT UPDATE
	tollgate_service usage.holds INSERT SELECT UPDATE
	tollgate_service usage.meters INSERT SELECT UPDATE
	tollgate_service usage.outbox INSERT SELECT UPDATE
	tollgate_service usage.quotas DELETE INSERT SELECT UPDATE
	tollgate_service usage.rates DELETE INSERT SELECT UPDATE
	tollgate_service usage.windows DELETE INSERT SELECT UPDATE
	tollgate_service ops.alerts INSERT SELECT UPDATE
	tollgate_service sync.cursors DELETE INSERT SELECT UPDATE
	tollgate_service sync.objects INSERT SELECT UPDATE
	tollgate_service sync.orphans DELETE INSERT SELECT UPDATE
$$, E'\n\t'), E'\n\t'), 'C62 the owners of functions hold these rights to tables, and no others');

select * from finish();
rollback;
