-- Passkeys: keys that the devices of a user hold for this site, each of which is two factors by itself, the device and
-- what unlocks it. Only the public part is here.

set role tollgate_owner;

create table auth.passkeys (
	id uuid primary key default gen_random_uuid(),
	user_id uuid not null references auth.users on delete cascade,
	credential bytea not null unique check (octet_length(credential) between 1 and 1023),	-- what its device calls it
	key bytea not null check (octet_length(key) between 1 and 1024),	-- public, as COSE writes it
	counter bigint not null,
	eligible boolean not null,		-- may be on several devices, so that its counter means nothing
	backed_up boolean not null,		-- is
	transports text[] not null,		-- how browsers reach its device
	name text not null check (char_length(name) between 1 and 64),
	created_at timestamptz not null default now(),
	used_at timestamptz
);
create index on auth.passkeys (user_id, created_at);

-- Challenges that were signed: none is good a second time. They are made without being stored.
create table auth.challenges (
	hash bytea primary key check (octet_length(hash) = 32),
	used_at timestamptz not null default now()
);
create index on auth.challenges (used_at);

reset role;

insert into audit.kinds (kind) values
	('passkey_added'), ('passkey_removed'), ('passkey_changed'), ('passkey_refused');
