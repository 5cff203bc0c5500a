-- Old events are found without reading the whole inbox, at next to no cost for those that come in.

set role tollgate_owner;
create index on inbox.events using brin (received_at) with (pages_per_range = 32, autosummarize = on);
reset role;
