-- billing: the functions of tollgate_service write these tables, from Stripe's objects; users only read.

grant select on billing.subscriptions to tollgate_account, tollgate_billing;
create policy member on billing.subscriptions for select to tollgate_account, tollgate_billing
	using (tenant_id = any ((select app.my_tenants())::uuid[]));

grant select (id, tenant_id, deleted) on billing.customers to tollgate_billing;
create policy manager on billing.customers for select to tollgate_billing
	using (tenant_id = any ((select app.managed_tenants())::uuid[]));

-- the inputs of an entitlement: any member may read them
grant select on billing.plans, billing.status_rules, billing.pause_rules, billing.dispute_rules to tollgate_billing;
create policy everybody on billing.plans for select to tollgate_billing using (true);
create policy everybody on billing.status_rules for select to tollgate_billing using (true);
create policy everybody on billing.pause_rules for select to tollgate_billing using (true);
create policy everybody on billing.dispute_rules for select to tollgate_billing using (true);
grant select on billing.plan_history, billing.subscription_history, billing.disputes to tollgate_billing;
create policy everybody on billing.plan_history for select to tollgate_billing using (true);
create policy member on billing.subscription_history for select to tollgate_billing
	using (tenant_id = any ((select app.my_tenants())::uuid[]));
create policy member on billing.disputes for select to tollgate_billing
	using (tenant_id = any ((select app.my_tenants())::uuid[]));
grant select (tenant_id, from_at, to_at, allowed, plan, until) on billing.override_history to tollgate_billing;
create policy member on billing.override_history for select to tollgate_billing
	using (tenant_id = any ((select app.my_tenants())::uuid[]));

-- money, and links that give access to it: for managers only
grant select on billing.invoices, billing.notifications to tollgate_billing;
create policy manager on billing.invoices for select to tollgate_billing
	using (tenant_id = any ((select app.managed_tenants())::uuid[]));
create policy manager on billing.notifications for select to tollgate_billing
	using (tenant_id = any ((select app.managed_tenants())::uuid[]));

-- The functions of pages: the same rows, by what app.enter_page() has found. A tenant's id stands in the setting's list
-- or does not: to search its text takes no plan of its own for each table, as an array does. Statements name the
-- tenant, and find it by index.
grant select on billing.plans, billing.status_rules, billing.pause_rules, billing.dispute_rules,
	billing.plan_history to tollgate_page;
create policy page on billing.plans for select to tollgate_page using (true);
create policy page on billing.status_rules for select to tollgate_page using (true);
create policy page on billing.pause_rules for select to tollgate_page using (true);
create policy page on billing.dispute_rules for select to tollgate_page using (true);
create policy page on billing.plan_history for select to tollgate_page using (true);
grant select on billing.subscriptions, billing.subscription_history, billing.disputes, billing.invoices,
	billing.notifications to tollgate_page;
grant select (id, tenant_id, deleted) on billing.customers to tollgate_page;
grant select (tenant_id, from_at, to_at, allowed, plan, until) on billing.override_history to tollgate_page;
create policy page on billing.subscriptions for select to tollgate_page
	using (strpos(current_setting('page.tenants', true), tenant_id::text) > 0);
create policy page on billing.subscription_history for select to tollgate_page
	using (strpos(current_setting('page.tenants', true), tenant_id::text) > 0);
create policy page on billing.disputes for select to tollgate_page
	using (strpos(current_setting('page.tenants', true), tenant_id::text) > 0);
create policy page on billing.override_history for select to tollgate_page
	using (strpos(current_setting('page.tenants', true), tenant_id::text) > 0);
create policy page on billing.customers for select to tollgate_page
	using (strpos(current_setting('page.managed', true), tenant_id::text) > 0);
create policy page on billing.invoices for select to tollgate_page
	using (strpos(current_setting('page.managed', true), tenant_id::text) > 0);
create policy page on billing.notifications for select to tollgate_page
	using (strpos(current_setting('page.managed', true), tenant_id::text) > 0);

grant select, insert, update on billing.plans, billing.prices, billing.checkouts, billing.customers,
	billing.subscriptions, billing.overrides, billing.invoices, billing.disputes, billing.notifications,
	billing.portal_configurations, billing.calls to tollgate_service;
grant select, update on billing.pace to tollgate_service;
grant select, insert on billing.plan_history, billing.subscription_history,
	billing.override_history to tollgate_service;
grant update (to_at) on billing.plan_history, billing.subscription_history,
	billing.override_history to tollgate_service;
grant select on billing.status_rules, billing.pause_rules, billing.dispute_rules,
	billing.notice_kinds to tollgate_service;
create policy service on billing.plans to tollgate_service using (true) with check (true);
create policy service on billing.plan_history to tollgate_service using (true) with check (true);
create policy service on billing.prices to tollgate_service using (true) with check (true);
create policy service on billing.checkouts to tollgate_service using (true) with check (true);
create policy service on billing.customers to tollgate_service using (true) with check (true);
create policy service on billing.subscriptions to tollgate_service using (true) with check (true);
create policy service on billing.subscription_history to tollgate_service using (true) with check (true);
create policy service on billing.overrides to tollgate_service using (true) with check (true);
create policy service on billing.override_history to tollgate_service using (true) with check (true);
create policy service on billing.invoices to tollgate_service using (true) with check (true);
create policy service on billing.disputes to tollgate_service using (true) with check (true);
create policy service on billing.notifications to tollgate_service using (true) with check (true);
create policy service on billing.portal_configurations to tollgate_service using (true) with check (true);
create policy service on billing.calls to tollgate_service using (true) with check (true);
create policy service on billing.pace to tollgate_service using (true) with check (true);
create policy service on billing.status_rules for select to tollgate_service using (true);
create policy service on billing.pause_rules for select to tollgate_service using (true);
create policy service on billing.dispute_rules for select to tollgate_service using (true);
create policy service on billing.notice_kinds for select to tollgate_service using (true);
