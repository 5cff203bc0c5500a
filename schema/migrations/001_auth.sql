-- Who somebody is: users, their sessions, the links that sign them in, and how often one may ask.
-- Row-level security is switched on, and forced, for every table of ours by policies/00_reset.sql.

create schema auth authorization tollgate_owner;
grant usage, create on schema auth to tollgate_auth;
set role tollgate_owner;

create table auth.users (
	id uuid primary key default gen_random_uuid(),
	email text not null,			-- as typed, for display and as recipient
	email_canonical text not null unique,	-- lower(btrim(email))
	created_at timestamptz not null default now(),
	disabled_at timestamptz
);

create table auth.sessions (
	id uuid primary key default gen_random_uuid(),
	user_id uuid not null references auth.users on delete cascade,
	created_at timestamptz not null default now(),
	absolute_until timestamptz not null,
	idle_until timestamptz not null,
	auth_at timestamptz not null,
	amr text[] not null,
	revoked_at timestamptz,
	revoke_reason text check (revoke_reason in ('logout', 'reuse', 'password', 'admin', 'limit', 'deleted')),
	ip inet,
	agent text,
	check ((revoked_at is null) = (revoke_reason is null))
);
create index on auth.sessions (user_id, created_at desc);

-- hash is sha256(D); D = sha256("db1" || T) is the bearer a worker sends and T the cookie: neither is stored anywhere.
create table auth.tokens (
	hash bytea primary key check (octet_length(hash) = 32),
	session_id uuid not null references auth.sessions on delete cascade,
	issued_at timestamptz not null default now(),
	confirmed_at timestamptz,
	retired_at timestamptz
);
create index on auth.tokens (session_id);

-- One asked-for sign-in. user_id is null when the address is nobody's: such a link was sent to nobody.
create table auth.links (
	hash bytea primary key check (octet_length(hash) = 32),	-- sha256 of the token in the mail
	code_hash bytea not null,				-- sha256(hash || code): the code alone is short
	flow_hash bytea,					-- the browser that asked
	user_id uuid references auth.users on delete cascade,
	email_canonical text not null,
	next text,
	language text,
	ip inet,
	created_at timestamptz not null default now(),
	expires_at timestamptz not null,
	used_at timestamptz,
	token_hash bytea,					-- of the session it made: the same call again answers the same
	attempts int not null default 0
);
create index on auth.links (flow_hash, created_at desc);
create index on auth.links (email_canonical) where used_at is null;
create index on auth.links (created_at);
create index on auth.links (user_id);

-- "allowed" at once, refilled evenly over "per".
create table auth.limits (
	kind text primary key,
	allowed int not null check (allowed > 0),
	per interval not null check (per > interval '0')
);

create table auth.hits (
	kind text references auth.limits,
	subject bytea,			-- sha256: addresses of people who never became users are not kept
	spent_until timestamptz not null,
	primary key (kind, subject)
);

insert into auth.limits (kind, allowed, per) values
	('link_address', 5, '1 hour'),
	('link_ip', 20, '1 hour'),
	('draft_address', 10, '1 hour'),
	('draft_ip', 30, '1 hour'),
	('draft_global', 2000, '1 hour');

reset role;
