-- What the operator asks for is found without reading all that ever came in.

set role tollgate_owner;

-- Events of an object. Those that are through are indexed by jobs, when they become so: intake pays nothing for it. Ids
-- of Stripe's name one object whatever its kind.
create index on inbox.events (object_id) where state = 'done';
drop index inbox.events_object_kind_object_id_idx;
create index on inbox.events (object_id) where state <> 'done' and object_id is not null;

-- What was given up, and what nobody understood: both are few.
create index on inbox.events (received_at) where state = 'dead';
create index on inbox.events (type, received_at) where state = 'ignored' and object_kind is null;
create index on sync.objects (kind, id) where dead_at is not null;
create index on mail.outbox (created_at) where state = 'dead';

reset role;
