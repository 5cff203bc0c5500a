-- meta: only migrate, as the administrator, changes these tables, except for the account of the stamp, which jobs
-- learns from Stripe. The policies are for an administrator who is no superuser, but a member of the owners.

grant select on meta.migrations to tollgate_service;
grant select, update (account) on meta.stamp to tollgate_service;
create policy service on meta.stamp to tollgate_service using (true) with check (true);
create policy service on meta.rights to tollgate_service using (true) with check (true);
