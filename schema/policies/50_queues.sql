-- inbox, sync, mail: no process reads or writes these tables, only the functions of tollgate_service do; and who mints a
-- link puts it into the outbox without being able to read it there.

grant select, insert on inbox.events to tollgate_service;
grant update (state, done_at, outcome, attempts) on inbox.events to tollgate_service;
create policy service on inbox.events to tollgate_service using (true) with check (true);

grant select, insert, update on sync.objects to tollgate_service;
create policy service on sync.objects to tollgate_service using (true) with check (true);
grant select, insert, update, delete on sync.orphans to tollgate_service;
create policy service on sync.orphans to tollgate_service using (true) with check (true);

grant select, insert, update, delete on mail.outbox to tollgate_service;
create policy service on mail.outbox to tollgate_service using (true) with check (true);

grant insert on mail.outbox to tollgate_auth;
create policy minting on mail.outbox for insert to tollgate_auth with check (true);
grant usage on schema mail to tollgate_auth;

grant usage on schema meta to tollgate_service;
grant select on meta.migrations to tollgate_service;
