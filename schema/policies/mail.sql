-- mail: only the functions of tollgate_service read the outbox. tollgate_auth, which makes links, may only insert.

grant select, insert, update, delete on mail.outbox to tollgate_service;
create policy service on mail.outbox to tollgate_service using (true) with check (true);

grant insert on mail.outbox to tollgate_auth;
create policy minting on mail.outbox for insert to tollgate_auth with check (true);
