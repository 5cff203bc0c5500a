-- What has come in (inbox), what must be fetched (sync), what must go out (mail); and the schemas of the functions.

create schema inbox authorization tollgate_owner;
create schema sync authorization tollgate_owner;
create schema mail authorization tollgate_owner;
create schema api authorization tollgate_owner;
create schema service authorization tollgate_owner;
create schema ops authorization tollgate_owner;
grant usage, create on schema api to tollgate_auth;
grant usage, create on schema inbox, sync, mail, api, service, ops to tollgate_service;
set role tollgate_owner;

-- The exact bytes of every verified event: a JSON text may hold what jsonb cannot.
create table inbox.events (
	id text primary key,
	type text not null,
	api_version text,
	created timestamptz,
	livemode boolean not null,
	received_at timestamptz not null default now(),
	raw bytea not null,
	signature_header text not null,
	key_index int not null,
	state text not null check (state in ('received', 'done', 'ignored', 'dead')),
	object_kind text,
	object_id text,
	done_at timestamptz
);
create index on inbox.events (object_kind, object_id) where state <> 'done' and object_kind is not null;
create index on inbox.events (received_at) where state = 'received';

-- One row for each of Stripe's objects. Each mark raises version; a fetch makes clean the version it started from.
create table sync.objects (
	kind text,
	id text,
	version bigint not null default 1,
	clean_version bigint not null default 0,
	claim uuid,
	claimed_until timestamptz,		-- null: nobody is at it
	attempts int not null default 0,
	next_at timestamptz not null default now(),
	last_error text,
	dead_at timestamptz,
	primary key (kind, id)
);
create index on sync.objects (next_at) where version > clean_version and dead_at is null;

-- key says what the mail is about: two causes of one fact send one mail.
create table mail.outbox (
	id uuid primary key default gen_random_uuid(),
	key text not null unique,
	recipient text not null,
	template text not null,
	language text not null,
	data jsonb not null default '{}',	-- token and code leave it as soon as the mail is sent or dead
	state text not null default 'pending' check (state in ('pending', 'sent', 'dead', 'void')),
	attempts int not null default 0,
	next_at timestamptz not null default now(),
	claim uuid,
	claimed_until timestamptz,
	created_at timestamptz not null default now(),
	sent_at timestamptz,
	last_error text
);
create index on mail.outbox (next_at) where state = 'pending';
create index on mail.outbox (created_at) where state <> 'pending';

reset role;
