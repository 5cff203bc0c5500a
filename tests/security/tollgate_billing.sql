-- What the program of the billing pages tries: it may read tables, and row-level security decides which rows.

-- nothing reads invoices without a session
select id from billing.invoices;

-- nothing asks for another tenant's invoices
select set_config('app.bearer', '{bearer}', false);
select id from billing.invoices where tenant_id = '{bob}';

-- nothing asks for another tenant's customer
select set_config('app.bearer', '{bearer}', false);
select id from billing.customers where tenant_id = '{bob}' or id = 'cus_bob';

-- nothing has an operator that fails look at a hidden amount
select set_config('app.bearer', '{bearer}', false);
select id from billing.invoices where tenant_id = '{bob}' and 1 / (amount_due - 1900) = 1;

-- nothing has a cast that fails tell a hidden value
select set_config('app.bearer', '{bearer}', false);
select id from billing.customers where tenant_id = '{bob}' and id::int = 1;

-- nothing asks whether another tenant's customer is its own
select set_config('app.bearer', '{bearer}', false);
select billing.is_my_customer('cus_bob');

-- 42501 asks for what another tenant may use
select set_config('app.bearer', '{bearer}', false);
select i from billing.invoice_list('{bob}') i where i::text <> '[]';

-- 42501 asks for another tenant's notices
select set_config('app.bearer', '{bearer}', false);
select n from billing.notice_list('{bob}') n where n::text <> '[]';

-- nothing asks what another tenant has changed at Stripe, or left there
select set_config('app.bearer', '{bearer}', false);
select billing.note_portal('{bob}');
select n from api.portal_news('{bob}') n where n <> '[]' union all
select n from api.checkout_news('{bob}', 'starter') n where n <> '[]';

-- TG401 opens the portal without a session
select api.portal_customer();

-- TG401 shows the page without a session
select api.billing_page();

-- 42501 writes a customer's id
update billing.customers set id = 'cus_bob';

-- 42501 makes a plan cheaper
update billing.plans set amount = 0;

-- 42501 overrides what a tenant may use
select ops.put_override('{ann}', true, null, null, 'attack', 'attack');

-- nothing reads another tenant by what it says to the policies of pages
select set_config('app.bearer', '{bearer}', false), set_config('page.user', '{bob}', false),
	set_config('page.tenants', array['{bob}']::text, false), set_config('page.managed', array['{bob}']::text, false);
select id from billing.invoices where tenant_id = '{bob}'
union all select id::text from app.tenants where id = '{bob}';

-- nothing has its page show another tenant by what it says to the policies of pages
select set_config('app.bearer', '{bearer}', false), set_config('page.user', '{bob}', false),
	set_config('page.tenants', array['{bob}']::text, false), set_config('page.managed', array['{bob}']::text, false);
select p from api.billing_page() p where p::text like '%{bob}%' or p::text like '%bob@%';

-- TG404 asks its page for another tenant by what it says to the policies of pages
select set_config('app.bearer', '{bearer}', false), set_config('page.user', '{bob}', false),
	set_config('page.tenants', array['{bob}']::text, false), set_config('page.managed', array['{bob}']::text, false);
select api.billing_page('{bob}');

-- TG401 has its page shown without a session, by what it says to the policies of pages
select set_config('page.user', '{ann}', false), set_config('page.tenants', array['{ann}']::text, false),
	set_config('page.managed', array['{ann}']::text, false);
select api.billing_page();

-- TG401 has its page shown again after the session, by what the first has left in the transaction
begin;
select set_config('app.bearer', '{bearer}', true);
select api.billing_page();
select set_config('app.bearer', '', true);
select api.billing_page();

-- nothing reads after its page and the session, by what the page has left in the transaction
begin;
select set_config('app.bearer', '{bearer}', true);
select api.billing_page();
select set_config('app.bearer', '', true);
select id from billing.invoices;

-- nothing reads in the next transaction by what a page has left in the last one, which it has kept
begin;
select set_config('app.bearer', '{bearer}', true);
select api.billing_page();
select set_config('page.tenants', current_setting('page.tenants'), false),
	set_config('page.managed', current_setting('page.managed'), false);
commit;
select set_config('app.bearer', '', false);
select id from billing.invoices;

-- TG401 has its page shown by what it has said in the same transaction, which a savepoint keeps
begin;
select set_config('page.user', '{ann}', true), set_config('page.tenants', array['{ann}']::text, true),
	set_config('page.managed', array['{ann}']::text, true);
savepoint kept;
select api.billing_page();

-- nothing reads by what its page had left before it was rolled back to a savepoint
begin;
select set_config('page.user', '{bob}', true), set_config('page.tenants', array['{bob}']::text, true),
	set_config('page.managed', array['{bob}']::text, true);
savepoint forged;
select set_config('app.bearer', '{bearer}', true);
select api.billing_page();
rollback to forged;
select id from billing.invoices;

-- TG401 asks a cursor for its page once more, after the session
begin;
select set_config('app.bearer', '{bearer}', true);
declare twice no scroll cursor for select api.billing_page() from generate_series(1, 2);
fetch twice;
select set_config('app.bearer', '', true);
fetch twice;

-- nothing has its page show another tenant by what the statement that asks for it says between its calls
select set_config('app.bearer', '{bearer}', false);
select p from generate_series(1, 3) n, lateral set_config('page.tenants', array['{bob}']::text, n > 1) a,
	lateral set_config('page.user', '{bob}', n > 1) b, lateral set_config('page.managed', a, n > 1) c,
	lateral (select api.billing_page() as p where c is not null) q
where p::text like '%{bob}%' or p::text like '%bob@%';
