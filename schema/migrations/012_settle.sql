-- An object that was just looked at is left alone for a moment: of a burst of events the last is enough.

set role tollgate_owner;
alter table sync.objects add quiet_until timestamptz;	-- as the one who claimed it last said
reset role;
