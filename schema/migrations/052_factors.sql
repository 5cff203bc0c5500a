-- Second factors: a seed for codes by time (TOTP), and codes for the day when the device is lost. Until a sign-in has
-- both proofs it is pending, and no session.

-- Its functions are anybody's to execute, so their schema is what keeps login roles out. Where the database has the
-- extension already, it moves here: nothing but Tollgate uses this database.
create schema crypto;
do $$
begin
	if exists (select from pg_catalog.pg_extension e where e.extname = 'pgcrypto') then
		alter extension pgcrypto set schema crypto;
	else
		create extension pgcrypto with schema crypto;
	end if;
end
$$;

set role tollgate_owner;

create table auth.factors (
	user_id uuid primary key references auth.users on delete cascade,
	seed bytea not null,			-- under the key of the workers' file: auth.seal_seed()
	last_step bigint not null default 0,	-- of the last code that was accepted: none up to it is good any more
	created_at timestamptz not null default now(),
	confirmed_at timestamptz		-- null: not in use yet, its user has shown no code
);
create index on auth.factors (user_id, created_at);
create index on auth.factors (created_at) where confirmed_at is null;

create table auth.recovery_codes (
	hash bytea primary key check (octet_length(hash) = 32),	-- auth.recovery_hash()
	user_id uuid not null references auth.factors on delete cascade,
	created_at timestamptz not null default now(),
	used_at timestamptz
);
create index on auth.recovery_codes (user_id, created_at);

-- Sign-ins with one proof of two. hash is of the bearer, as in auth.tokens.
create table auth.pending (
	hash bytea primary key check (octet_length(hash) = 32),
	user_id uuid not null references auth.users on delete cascade,
	amr text[] not null,			-- what was proved
	next text,
	language text,
	tenant_id uuid references app.tenants on delete cascade,	-- that the first proof accepts
	remember boolean not null default false,
	created_at timestamptz not null default now(),
	attempts int not null default 0,
	used_at timestamptz,
	token_hash bytea			-- of the session it made: the same call again answers the same
);
create index on auth.pending (user_id, created_at);
create index on auth.pending (tenant_id);
create index on auth.pending (created_at);

alter table app.tenants
	add column demands_factor boolean not null default false;	-- members without a second factor are kept out

reset role;

-- Wrong codes of one user, who has shown a first proof each time. A right code gives back what its user has spent.
insert into auth.limits (kind, allowed, per) values ('second_totp', 20, '1 day'), ('second_recovery', 20, '1 day');
