-- Conversations with models: who runs them, what was said, and which calls are under way.

create schema chat authorization tollgate_owner;
grant usage, create on schema chat to tollgate_service;

set role tollgate_owner;

-- One row, of the configuration.
create table chat.settings (
	one boolean primary key default true check (one),
	meter text references usage.meters,		-- counts tokens; null: nobody chats
	model text,					-- of a conversation that names none
	title_model text,				-- null: the conversation's
	system text					-- what every model is told first
);
insert into chat.settings default values;

create table chat.models (
	name text primary key check (name ~ '^[A-Za-z0-9._-]{1,64}$'),	-- ours
	label text not null,
	provider text not null,
	model text not null,				-- the provider's name of it
	max_tokens int not null check (max_tokens > 0),
	context int not null check (context > max_tokens),
	fallback text,
	plans text[] not null,
	rank int not null,
	offered boolean not null default true		-- false: left the configuration; conversations name it
);

-- The id is the browser's, one of its user's.
create table chat.conversations (
	user_id uuid references auth.users on delete cascade,
	id text check (id ~ '^[A-Za-z0-9_-]{1,64}$'),
	tenant_id uuid not null references app.tenants on delete cascade,
	model text not null,				-- chat.models, which it keeps
	opening text not null,				-- how its first message begins
	title text,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	primary key (user_id, id)
);
create index on chat.conversations (user_id, created_at desc, id desc);
create index on chat.conversations (tenant_id);

create table chat.messages (
	user_id uuid,
	chat_id text,
	id text check (id ~ '^[A-Za-z0-9_-]{1,64}$'),	-- a user's: the browser's; an answer's: ours
	n bigint not null generated always as identity,	-- their order
	tenant_id uuid not null,
	role text not null check (role in ('user', 'assistant')),
	text text not null,
	attempt int not null,				-- of a user's: how often it was answered; of an answer: which, from 0
	answers text,					-- of an answer: the user's message
	state text check (state in ('open', 'complete', 'partial', 'empty', 'failed')),
	finish text,
	model text,					-- of the conversation
	provider text,					-- who answered
	provider_model text,
	input bigint,					-- tokens
	output bigint,
	counted text,					-- usage.holds has it, too
	hold_id uuid unique,
	first_ms int,
	ms int,
	created_at timestamptz not null default now(),
	primary key (user_id, chat_id, id),
	foreign key (user_id, chat_id) references chat.conversations on delete cascade,
	unique (user_id, chat_id, answers, attempt),
	check ((role = 'assistant') = (state is not null) and (role = 'assistant') = (answers is not null))
);
create index on chat.messages (user_id, chat_id, n desc);
create index on chat.messages (user_id, created_at desc);

-- A piece of work of a model, from its hold to its end. It outlives the conversation, so that what was used is settled
-- whatever was deleted meanwhile.
create table chat.turns (
	hold_id uuid primary key,			-- usage.holds
	user_id uuid not null references auth.users on delete cascade,
	tenant_id uuid not null references app.tenants on delete cascade,
	chat_id text not null,
	kind text not null check (kind in ('answer', 'title', 'summary', 'classify')),
	session_id uuid,				-- auth.sessions that asked
	state text not null default 'open' check (state in ('open', 'later', 'deleted', 'ended')),
	seen_at timestamptz not null default now(),	-- begun, or its last checkpoint
	created_at timestamptz not null default now()
);
create unique index on chat.turns (user_id, chat_id) where state = 'open' and kind = 'answer';
create index on chat.turns (user_id, created_at desc);
create index on chat.turns (created_at);
create index on chat.turns (hold_id) where state = 'open';

-- Of each model at its provider; one without a row is closed.
create table chat.breakers (
	provider text,
	model text,
	state text not null check (state in ('closed', 'open', 'half')),	-- half: one call tries
	trips int not null default 0 check (trips >= 0),	-- since it was closed last
	until timestamptz,				-- when one call may try, or another one
	changed_at timestamptz not null default now(),
	primary key (provider, model),
	check ((state = 'closed') = (until is null))
) with (fillfactor = 50);

-- Calls of ten seconds each, for breakers and the error rate.
create table chat.calls (
	provider text,
	model text,
	at timestamptz,
	calls int not null default 0,
	failures int not null default 0,
	primary key (provider, model, at),
	check (failures between 0 and calls)
) with (fillfactor = 50);

reset role;
