-- ops: only the functions of tollgate_service read or write these tables.

grant select, insert, update on ops.alerts to tollgate_service;
create policy service on ops.alerts to tollgate_service using (true) with check (true);
