-- Accounts elsewhere that users sign in with, and the visits to their issuers that are under way.

set role tollgate_owner;

-- A user is known by issuer and subject alone: an address there may have had another owner.
create table auth.identities (
	id uuid primary key default gen_random_uuid(),
	user_id uuid not null references auth.users on delete cascade,
	provider text not null,			-- the configuration's name for the issuer
	label text not null,			-- and what pages and mails call it
	issuer text not null,
	subject text not null check (octet_length(subject) between 1 and 255),
	account text,				-- what its owner calls it: an address or a login
	vouches boolean not null default false,	-- the user was made by it: our mail has never proven the address
	created_at timestamptz not null default now(),
	used_at timestamptz not null default now(),
	unique (issuer, subject)
);
create index on auth.identities (user_id, created_at);

-- From the button to the way back. The digests are of what state and the browser's flow cookie hash to.
create table auth.flows (
	hash bytea primary key check (octet_length(hash) = 32),
	browser bytea not null check (octet_length(browser) = 32),
	provider text not null,
	user_id uuid references auth.users on delete cascade,	-- who connects an identity; null: somebody signs in
	next text,
	prefix text not null,			-- of paths: the language, where the address named it
	language text,
	remember boolean not null default false,
	created_at timestamptz not null default now(),
	called_at timestamptz			-- the provider is being asked for what the browser brought
);
create index on auth.flows (created_at);
create index on auth.flows (user_id, created_at);

-- Providers are asked about so many visits at a time: each holds a row, up to the number that is configured.
create table auth.asking (
	n int primary key,
	flow bytea references auth.flows on delete set null,	-- null: free
	until timestamptz not null default '-infinity'		-- from then on it is free too
);
create index on auth.asking (flow);
insert into auth.asking (n) select generate_series(1, 100);

-- An identity that waits for its mailbox to be proven.
create table auth.pending_identities (
	request_id uuid primary key references auth.requests on delete cascade,
	claims jsonb not null			-- as auth.add_identity() and auth.name_profile() take them
);

alter table auth.pending
	add column connects uuid references auth.requests on delete set null;	-- whose identity the second proof adds
create index on auth.pending (connects) where connects is not null;

-- A further purpose beside those that are there by now.
do $$
declare
	known text := (
		select string_agg(quote_literal(m[1]), ', ')
		from pg_constraint c cross join regexp_matches(pg_get_constraintdef(c.oid), '''([a-z_]+)''::text', 'g') m
		where c.conrelid = 'auth.requests'::regclass and c.conname = 'requests_purpose_check');
begin
	execute format('alter table auth.requests drop constraint requests_purpose_check, '
		'add constraint requests_purpose_check check (purpose in (%s, ''connect''))', known);
end
$$;

reset role;

insert into audit.kinds (kind) values ('identity_added'), ('identity_removed');
insert into auth.limits (kind, allowed, per) values
	('flow_near', 100, '1 hour'), ('flow_wide', 500, '1 hour'), ('flow_far', 1500, '1 hour');
