-- Passwords. The database holds SHA-256(K) of the key K that a program stretches a password to, and decides whether the
-- K it is sent is the one. Registration: the password waits beside the request until its mailbox is proven.

set role tollgate_owner;

create table auth.passwords (
	user_id uuid primary key references auth.users on delete cascade,
	salt bytea not null check (octet_length(salt) = 32),
	cost int[] not null check (cardinality(cost) = 3),	-- of Argon2id: KiB, passes, lanes
	stored_key bytea not null check (octet_length(stored_key) = 32),
	changed_at timestamptz not null default now()
);

create table auth.pending_passwords (
	request_id uuid primary key references auth.requests on delete cascade,
	salt bytea not null check (octet_length(salt) = 32),
	cost int[] not null check (cardinality(cost) = 3),
	stored_key bytea not null check (octet_length(stored_key) = 32)
);

-- One row. Makes the salt of an address that has no password, always the same one.
create table auth.pepper (
	single boolean primary key default true check (single),
	bytes bytea not null check (octet_length(bytes) = 32)
);
insert into auth.pepper (bytes)
values (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));

-- Passwords tried in a row that were not right, and from when the next may be. The subject is an address and who asks.
create table auth.tries (
	subject bytea primary key check (octet_length(subject) = 32),
	failed int not null,
	last_at timestamptz not null,
	until timestamptz not null
);
create index on auth.tries (last_at);

alter table auth.requests
	drop constraint requests_purpose_check,
	add constraint requests_purpose_check
		check (purpose in ('signin', 'welcome', 'offer', 'checkout', 'confirm', 'register', 'reset'));

reset role;

-- password_tries, password_address: wrong passwords in a row before the next must wait, and the longest wait.
insert into auth.limits (kind, allowed, per) values
	('password_near', 100, '1 hour'), ('password_wide', 500, '1 hour'), ('password_far', 1500, '1 hour'),
	('password_global', 20000, '1 hour'), ('password_tries', 5, '15 min'), ('password_address', 50, '5 min');
