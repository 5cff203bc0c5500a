-- app: members read their own rows. Only promotion makes tenants and memberships, and only a trigger makes profiles.

grant select (id, status, created_at) on app.tenants to tollgate_account, tollgate_billing;
create policy member on app.tenants for select to tollgate_account, tollgate_billing
	using (id = any ((select app.my_tenants())::uuid[]));

grant select on app.members to tollgate_account, tollgate_billing;
create policy own on app.members for select to tollgate_account, tollgate_billing
	using (user_id = (select auth.uid()));

grant select (user_id, display_name, avatar_url) on app.profiles to tollgate_account;
create policy own on app.profiles for select to tollgate_account using (user_id = (select auth.uid()));

grant select (tenant_id, user_id, role) on app.members to tollgate_rls;
create policy helper on app.members for select to tollgate_rls using (true);

grant insert on app.profiles to tollgate_auth;
create policy trigger on app.profiles for insert to tollgate_auth with check (true);
grant select (user_id, language), update (language) on app.profiles to tollgate_auth;
create policy language on app.profiles for select to tollgate_auth using (true);
create policy prefer on app.profiles for update to tollgate_auth using (true) with check (true);

grant select, insert, delete on app.tenants to tollgate_service;
grant update (status, activated_at) on app.tenants to tollgate_service;
create policy service on app.tenants to tollgate_service using (true) with check (true);
grant select, insert on app.members to tollgate_service;
create policy service on app.members to tollgate_service using (true) with check (true);
