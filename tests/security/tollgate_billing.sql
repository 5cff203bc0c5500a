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

-- nothing asks for what another tenant may use
select set_config('app.bearer', '{bearer}', false);
select i from billing.invoice_documents('{bob}') i where i::text <> '[]';

-- nothing asks for another tenant's notices
select set_config('app.bearer', '{bearer}', false);
select n from billing.notice_documents('{bob}') n where n::text <> '[]';

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
