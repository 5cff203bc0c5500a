-- Which environment this database is for, and whose account at Stripe it mirrors. Written by `tollgate migrate`.

grant usage, create on schema meta to tollgate_owner;
grant usage on schema meta to tollgate_service;
set role tollgate_owner;

create table meta.stamp (
	one boolean primary key default true check (one),	-- there is no second row
	environment text not null check (environment in ('production', 'preview', 'development')),
	account text check (account ~ '^acct_'),		-- null: nobody has asked Stripe yet
	migrated_to text not null,				-- the last migration, with the functions that belong to it
	stamped_at timestamptz not null default now()
);

reset role;
