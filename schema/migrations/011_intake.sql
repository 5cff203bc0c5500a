-- Which secret signed an event, by an id that stays the same when secrets are replaced.

set role tollgate_owner;
alter table inbox.events add key_id text;
alter table inbox.events drop column key_index;
reset role;
