-- audit: tollgate_service appends, and nobody changes or deletes a row. Owners read what is told of their tenants, and
-- everybody what was done with the own user.

grant select, insert on audit.entries to tollgate_service;
create policy read on audit.entries for select to tollgate_service using (true);
create policy append on audit.entries for insert to tollgate_service with check (true);
grant select, update on audit.head to tollgate_service;
create policy service on audit.head to tollgate_service using (true) with check (true);
grant select on audit.kinds to tollgate_service;
grant select on audit.kinds to tollgate_account;
create policy all_alike on audit.kinds for select to tollgate_account using (true);
create policy service on audit.kinds for select to tollgate_service using (true);

grant select (n, at, kind, tenant_id, user_id, subject_id, detail) on audit.entries to tollgate_account;
create policy told on audit.entries for select to tollgate_account
	using (tenant_id = any ((select app.tenants_for('audit'))::uuid[])
		or tenant_id is null and subject_id = (select auth.uid()));
