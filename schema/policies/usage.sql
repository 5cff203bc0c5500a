-- usage: the functions of tollgate_service write it, and no login role reads a table. Holds, corrections and prices
-- lose no row.

grant select, insert, update on usage.meters, usage.accounts, usage.holds, usage.outbox, usage.days
	to tollgate_service;
grant select, insert, update, delete on usage.quotas, usage.rates, usage.caps, usage.windows to tollgate_service;
grant select, insert on usage.corrections to tollgate_service;
grant select, insert, update on usage.comparisons to tollgate_service;
grant select, insert, update (to_at) on usage.costs to tollgate_service;
create policy service on usage.meters to tollgate_service using (true) with check (true);
create policy service on usage.quotas to tollgate_service using (true) with check (true);
create policy service on usage.rates to tollgate_service using (true) with check (true);
create policy service on usage.windows to tollgate_service using (true) with check (true);
create policy service on usage.caps to tollgate_service using (true) with check (true);
create policy service on usage.costs to tollgate_service using (true) with check (true);
create policy service on usage.accounts to tollgate_service using (true) with check (true);
create policy service on usage.holds to tollgate_service using (true) with check (true);
create policy service on usage.comparisons to tollgate_service using (true) with check (true);
create policy service on usage.corrections to tollgate_service using (true) with check (true);
create policy service on usage.days to tollgate_service using (true) with check (true);
create policy service on usage.outbox to tollgate_service using (true) with check (true);
