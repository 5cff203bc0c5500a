-- sync: only the functions of tollgate_service read or write these tables.

grant select, insert, update on sync.objects to tollgate_service;
create policy service on sync.objects to tollgate_service using (true) with check (true);
grant select, insert, update, delete on sync.orphans, sync.cursors to tollgate_service;
create policy service on sync.orphans to tollgate_service using (true) with check (true);
create policy service on sync.cursors to tollgate_service using (true) with check (true);
