-- What the program of the site's operators tries without an operator's session: it reads no table, and each of its
-- functions looks at who asks.

-- TG401 lists users without a session
select api.admin_users('');

-- TG404 lists users for a user who is no operator
select set_config('app.bearer', '{bearer}', false);
select api.admin_users('');

-- TG404 looks at a tenant, be it the user's own
select set_config('app.bearer', '{bearer}', false);
select api.admin_tenant('{ann}');

-- TG404 overrides what the user's own tenant may use
select set_config('app.bearer', '{bearer}', false);
select api.override_tenant('{ann}', true, 'growth', '2030-01-01', 'attack');

-- TG404 asks whether a user is there by what an act says of one who is not
select set_config('app.bearer', '{bearer}', false);
select api.suspend_user(gen_random_uuid(), 'attack');

-- TG404 asks whether a reason is judged before the operator is
select set_config('app.bearer', '{bearer}', false);
select api.suspend_user(gen_random_uuid(), '');

-- TG404 says that it is an operator to the settings of pages
select set_config('app.bearer', '{bearer}', false), set_config('page.user', '{ann}', false),
	set_config('page.tenants', array['{bob}']::text, false), set_config('page.managed', array['{bob}']::text, false);
select api.admin_tenant('{bob}');

-- 42501 names itself an operator
insert into auth.operators (user_id, added_by) select '{ann}', 'attack';

-- 42501 has the operator's command name one
select ops.add_operator('ann@example.org', 'attack');

-- 42501 names one below the command
select auth.add_operator('{ann}', 'attack');

-- 42501 suspends somebody past the gate
select auth.suspend_user('{ann}', '{ann}', 'attack');

-- 42501 ends sessions past the gate
select auth.end_sessions('{ann}');

-- 42501 overrides past the gate
select ops.put_override('{ann}', true, null, null, 'attack', 'attack');

-- 42501 reads who is there past the gate
select auth.search_users('', null, 1000);

-- 42501 signs in as somebody
select auth.open_session('{ann}', sha256('attack'), array['link'], null, null, true);

-- 42501 mints a link
select auth.mint_link('{ann}');

-- 42501 lets a user off the second factor
select auth.remove_factor('{ann}');

-- 42501 shows a page of the user's
select set_config('app.bearer', '{bearer}', false);
select api.workspace_page();

-- 42501 acts on the user's team
select set_config('app.bearer', '{bearer}', false);
select api.name_tenant('{ann}', 'attack');

-- 42501 writes the log
select audit.note('override_set', '{ann}', '{ann}');
