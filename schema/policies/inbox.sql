-- inbox: only the functions of tollgate_service read or write these tables.

grant select, insert, delete on inbox.events to tollgate_service;
-- the object: of an event whose type is known only now; raw: of one whose tenant is closed
grant update (raw, state, object_kind, object_id, done_at, outcome, attempts) on inbox.events to tollgate_service;
create policy service on inbox.events to tollgate_service using (true) with check (true);
