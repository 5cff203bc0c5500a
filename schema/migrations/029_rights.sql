-- What migrate has last applied of policies/SCHEMA.sql: the digest of the file and of the rights it led to. While both
-- are unchanged the file is not applied again, because dropping and creating policies locks their tables.

set role tollgate_owner;

create table meta.rights (
	schema text primary key,
	file text not null,
	state text not null
);

reset role;
