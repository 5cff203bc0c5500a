-- Keys of seeds can be changed: recovery codes stay good, which are stored as digests by a key.

set role tollgate_owner;

alter table auth.factors
	add codes_key bytea;	-- sealed: the key of the recovery codes' digests, where the seed's has changed since

reset role;
