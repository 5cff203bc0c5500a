-- app: members read their own rows, and in account those of their tenants. Only promotion makes tenants, only it and
-- what was accepted (offers, invitations) make memberships, and a trigger alone makes profiles.

grant select (id, status, created_at, name) on app.tenants to tollgate_account, tollgate_billing;
create policy member on app.tenants for select to tollgate_account, tollgate_billing
	using (id = any ((select app.my_tenants())::uuid[]));

grant select on app.members to tollgate_account, tollgate_billing;
create policy own on app.members for select to tollgate_billing using (user_id = (select auth.uid()));
create policy tenants on app.members for select to tollgate_account
	using (tenant_id = any ((select app.tenants_for('see'))::uuid[]));

grant select (user_id, display_name, avatar_url, tenant_id) on app.profiles to tollgate_account;
grant select (user_id, tenant_id) on app.profiles to tollgate_billing;
create policy own on app.profiles for select to tollgate_account, tollgate_billing
	using (user_id = (select auth.uid()));

grant select on app.offers to tollgate_account;
create policy own on app.offers for select to tollgate_account using (user_id = (select auth.uid()));

grant select (id, tenant_id, email, role, created_at, expires_at, accepted_at, revoked_at) on app.invitations
	to tollgate_account;
create policy inviting on app.invitations for select to tollgate_account
	using (tenant_id = any ((select app.tenants_for('invite'))::uuid[]));

-- what roles may do is the same for all
grant select on app.roles, app.role_verbs to tollgate_account, tollgate_service, tollgate_rls;
create policy all_alike on app.roles for select to tollgate_account, tollgate_service, tollgate_rls using (true);
create policy all_alike on app.role_verbs for select to tollgate_account, tollgate_service, tollgate_rls using (true);

-- the functions of pages: what app.enter_page() has found. Without a subquery, because a statement then looks for one
-- user and few tenants by index, and asks the setting once.
grant select (id, status, created_at, name) on app.tenants to tollgate_page;
create policy page on app.tenants for select to tollgate_page
	using (id = any (nullif(current_setting('page.tenants', true), '')::uuid[]));
grant select on app.members to tollgate_page;
create policy page on app.members for select to tollgate_page
	using (user_id = nullif(current_setting('page.user', true), '')::uuid);
grant select (user_id, display_name, tenant_id) on app.profiles to tollgate_page;
create policy page on app.profiles for select to tollgate_page
	using (user_id = nullif(current_setting('page.user', true), '')::uuid);
grant select on app.offers to tollgate_page;
create policy page on app.offers for select to tollgate_page
	using (user_id = nullif(current_setting('page.user', true), '')::uuid);

grant select (tenant_id, user_id, role) on app.members to tollgate_rls;
create policy helper on app.members for select to tollgate_rls using (true);
grant select (id, name, status, demands_factor, closes_at) on app.tenants to tollgate_rls;
create policy helper on app.tenants for select to tollgate_rls using (true);

grant insert on app.profiles to tollgate_auth;
create policy trigger on app.profiles for insert to tollgate_auth with check (true);
grant select (user_id, language, display_name), update (language, display_name, avatar_url) on app.profiles
	to tollgate_auth;
create policy language on app.profiles for select to tollgate_auth using (true);
create policy prefer on app.profiles for update to tollgate_auth using (true) with check (true);

grant select, insert, delete on app.tenants to tollgate_service;
grant update (status, activated_at, name, demands_factor, closes_at) on app.tenants to tollgate_service;
create policy service on app.tenants to tollgate_service using (true) with check (true);
grant select, insert, update (role), delete on app.members to tollgate_service;
create policy service on app.members to tollgate_service using (true) with check (true);
grant select, update (tenant_id, display_name) on app.profiles to tollgate_service;
create policy service on app.profiles for select to tollgate_service using (true);
create policy choice on app.profiles for update to tollgate_service using (true) with check (true);
grant select, insert, update (accepted_at), delete on app.offers to tollgate_service;
create policy service on app.offers to tollgate_service using (true) with check (true);
grant select, insert, update, delete on app.invitations to tollgate_service;
create policy service on app.invitations to tollgate_service using (true) with check (true);
grant select, insert, update, delete on app.address_changes to tollgate_service;
create policy service on app.address_changes to tollgate_service using (true) with check (true);
grant select, insert, update (tenants, done_at), delete on app.deletions to tollgate_service;
create policy service on app.deletions to tollgate_service using (true) with check (true);

grant select, insert, update (used_at, revoked_at) on app.keys to tollgate_service;
create policy service on app.keys to tollgate_service using (true) with check (true);
