-- What the program of the pages tries: it may read tables, and row-level security decides which rows.

-- nothing reads tenants without a session
select id from app.tenants;

-- nothing reads with a bearer that is no bearer
select set_config('app.bearer', E'\'; select true --', false);
select id from app.tenants;

-- nothing reads with a bearer that is too long
select set_config('app.bearer', repeat('a', 100000), false);
select id from app.tenants;

-- nothing reads with a bearer in capitals
select set_config('app.bearer', upper('{bearer}'), false);
select id from app.tenants;

-- nothing reads with a bearer and a line break
select set_config('app.bearer', '{bearer}' || E'\n', false);
select id from app.tenants;

-- nothing reads with a user's id as bearer
select set_config('app.bearer', '{ann}', false);
select id from app.tenants;

-- nothing asks for another tenant by its id
select set_config('app.bearer', '{bearer}', false);
select id from app.tenants where id = '{bob}';

-- nothing asks for another tenant's subscription
select set_config('app.bearer', '{bearer}', false);
select id from billing.subscriptions where tenant_id = '{bob}';

-- nothing asks for another tenant's members
select set_config('app.bearer', '{bearer}', false);
select user_id from app.members where tenant_id = '{bob}';

-- nothing has an operator that fails look at a hidden row
select set_config('app.bearer', '{bearer}', false);
select id from app.tenants where id = '{bob}' and 1 / (id <> '{bob}')::int = 1;

-- nothing has a cast that fails tell a hidden value
select set_config('app.bearer', '{bearer}', false);
select id from app.tenants where id = '{bob}' and id::text::int = 1;

-- nothing has a regular expression that fails look at a hidden row
select set_config('app.bearer', '{bearer}', false);
select id from app.tenants where id = '{bob}' and 'x' ~ replace(id::text, '{bob}', '(');

-- nothing joins a hidden row
select set_config('app.bearer', '{bearer}', false);
select m.user_id from app.members m right join app.tenants t on true where m.tenant_id = '{bob}' or t.id = '{bob}';

-- nothing reads after the session, with a statement that was planned for it
prepare attack as select id from app.tenants;
select set_config('app.bearer', '{bearer}', false);
execute attack;
select set_config('app.bearer', '', false);
execute attack;

-- nothing reads after the transaction whose bearer it was
begin;
select set_config('app.bearer', '{bearer}', true);
select id from app.tenants;
commit;
select id from app.tenants;

-- 34000 fetches, after the transaction, what was a cursor of it
begin;
select set_config('app.bearer', '{bearer}', true);
declare attack cursor for select id from app.tenants;
commit;
fetch all from attack;

-- harmless keeps rows in a cursor with hold: the rows of a bearer it was given, which it could have kept itself
begin;
select set_config('app.bearer', '{bearer}', true);
declare attack cursor with hold for select id from app.tenants;
commit;
fetch all from attack;

-- nothing asks for another tenant's log
select set_config('app.bearer', '{bearer}', false);
select n from audit.entries where tenant_id = '{bob}';

-- nothing asks for another tenant's invitations
select set_config('app.bearer', '{bearer}', false);
select email from app.invitations where tenant_id = '{bob}';

-- TG404 asks for the names of another tenant's members
select set_config('app.bearer', '{bearer}', false);
select app.people('{bob}');

-- TG404 asks for the pages of another tenant's team
select set_config('app.bearer', '{bearer}', false);
select api.team_page('{bob}');

-- TG404 makes itself an owner of another tenant
select set_config('app.bearer', '{bearer}', false);
select api.set_role('{bob}', auth.uid(), 'owner');

-- TG404 invites itself into another tenant
select set_config('app.bearer', '{bearer}', false);
select api.invite('{bob}', 'ann2@example.org', 'owner', 'en');

-- TG404 renames another tenant
select set_config('app.bearer', '{bearer}', false);
select api.name_tenant('{bob}', 'Mine');

-- TG403 makes itself less than an owner
select set_config('app.bearer', '{bearer}', false);
select api.set_role('{ann}', auth.uid(), 'member');

-- nothing accepts an invitation without its link
select set_config('app.bearer', '{bearer}', false);
select api.accept_invitation(null, null, 'en') ->> 'state' <> 'gone';

-- 42501 writes into the log itself
select audit.note('signed_in');

-- 42501 puts a table of its own before ours
set search_path = pg_temp, app;
create temp table tenants (id uuid);

-- 42501 reads a column that is not its own
select tenant_id from billing.invoices;

-- 42501 mints a session
select api.sign_in(null, null, null, null, null, null);

-- 42501 mints a session from a user's id
select auth.open_session(null, null, null, null, null, null);

-- nothing reads another tenant by what it says to the policies of pages
select set_config('app.bearer', '{bearer}', false), set_config('page.user', '{bob}', false),
	set_config('page.tenants', array['{bob}']::text, false), set_config('page.managed', array['{bob}']::text, false);
select id from billing.subscriptions where tenant_id = '{bob}'
union all select id::text from app.tenants where id = '{bob}';

-- nothing has its page show another tenant by what it says to the policies of pages
select set_config('app.bearer', '{bearer}', false), set_config('page.user', '{bob}', false),
	set_config('page.tenants', array['{bob}']::text, false), set_config('page.managed', array['{bob}']::text, false);
select p from api.workspace_page() p where p::text like '%{bob}%' or p::text like '%bob@%';

-- TG404 asks its page for another tenant by what it says to the policies of pages
select set_config('app.bearer', '{bearer}', false), set_config('page.user', '{bob}', false),
	set_config('page.tenants', array['{bob}']::text, false), set_config('page.managed', array['{bob}']::text, false);
select api.workspace_page('{bob}');

-- TG401 has its page shown without a session, by what it says to the policies of pages
select set_config('page.user', '{ann}', false), set_config('page.tenants', array['{ann}']::text, false),
	set_config('page.managed', array['{ann}']::text, false);
select api.workspace_page();

-- TG401 has its page shown again after the session, by what the first has left in the transaction
begin;
select set_config('app.bearer', '{bearer}', true);
select api.workspace_page();
select set_config('app.bearer', '', true);
select api.workspace_page();

-- nothing reads after its page and the session, by what the page has left in the transaction
begin;
select set_config('app.bearer', '{bearer}', true);
select api.workspace_page();
select set_config('app.bearer', '', true);
select id from billing.subscriptions;

-- nothing reads in the next transaction by what a page has left in the last one, which it has kept
begin;
select set_config('app.bearer', '{bearer}', true);
select api.workspace_page();
select set_config('page.tenants', current_setting('page.tenants'), false),
	set_config('page.managed', current_setting('page.managed'), false);
commit;
select set_config('app.bearer', '', false);
select id from billing.subscriptions;

-- TG401 has its page shown by what it has said in the same transaction, which a savepoint keeps
begin;
select set_config('page.user', '{ann}', true), set_config('page.tenants', array['{ann}']::text, true),
	set_config('page.managed', array['{ann}']::text, true);
savepoint kept;
select api.workspace_page();

-- nothing reads by what its page had left before it was rolled back to a savepoint
begin;
select set_config('page.user', '{bob}', true), set_config('page.tenants', array['{bob}']::text, true),
	set_config('page.managed', array['{bob}']::text, true);
savepoint forged;
select set_config('app.bearer', '{bearer}', true);
select api.workspace_page();
rollback to forged;
select id from billing.subscriptions;

-- TG401 asks a cursor for its page once more, after the session
begin;
select set_config('app.bearer', '{bearer}', true);
declare twice no scroll cursor for select api.workspace_page() from generate_series(1, 2);
fetch twice;
select set_config('app.bearer', '', true);
fetch twice;

-- nothing has its page show another tenant by what the statement that asks for it says between its calls
select set_config('app.bearer', '{bearer}', false);
select p from generate_series(1, 3) n, lateral set_config('page.tenants', array['{bob}']::text, n > 1) a,
	lateral set_config('page.user', '{bob}', n > 1) b, lateral set_config('page.managed', a, n > 1) c,
	lateral (select api.workspace_page() as p where c is not null) q
where p::text like '%{bob}%' or p::text like '%bob@%';

-- TG403 demands a second factor of another tenant's members
select set_config('app.bearer', '{bearer}', false);
select api.demand_factor('{bob}', true);

-- nothing learns by what everybody may ask whose session, tenant or mail there is
select set_config('app.bearer', '{bearer}', false);
select s from api.site_status() s where s::text ~ '{ann}|{bob}|ann@|bob@|[0-9a-f]+-[0-9a-f]+-[0-9a-f]+-[0-9a-f]+-';

-- 42501 learns when other programs ask the database, which tells when others work
select state_change from pg_stat_activity where usename <> current_user;
