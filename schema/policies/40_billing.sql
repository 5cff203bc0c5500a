-- billing: written from Stripe's objects by the functions of tollgate_service; a user's part is to read.

grant select on billing.subscriptions to tollgate_account, tollgate_billing;
create policy member on billing.subscriptions for select to tollgate_account, tollgate_billing
	using (tenant_id = any ((select app.my_tenants())::uuid[]));

grant select (id, tenant_id, deleted) on billing.customers to tollgate_billing;
create policy manager on billing.customers for select to tollgate_billing
	using (tenant_id = any ((select app.managed_tenants())::uuid[]));

grant select, insert, update on billing.plans, billing.checkouts, billing.customers, billing.subscriptions
	to tollgate_service;
create policy service on billing.plans to tollgate_service using (true) with check (true);
create policy service on billing.checkouts to tollgate_service using (true) with check (true);
create policy service on billing.customers to tollgate_service using (true) with check (true);
create policy service on billing.subscriptions to tollgate_service using (true) with check (true);
