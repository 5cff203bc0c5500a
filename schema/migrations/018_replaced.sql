-- Who comes back from a session that another replaces is known by it too.

set role tollgate_owner;
create index on billing.checkouts (replaces) where replaces is not null;
reset role;
