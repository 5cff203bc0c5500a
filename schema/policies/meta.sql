-- meta: only migrate, as the administrator, changes the stamp, except for the account, which jobs learns from Stripe.

grant select on meta.migrations to tollgate_service;
grant select, update (account) on meta.stamp to tollgate_service;
create policy service on meta.stamp to tollgate_service using (true) with check (true);
