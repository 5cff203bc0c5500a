-- What is used: what may be, what was, what it costs, what Stripe is told of it; and keys that programs ask with.

create schema usage authorization tollgate_owner;
grant usage, create on schema usage to tollgate_service;

set role tollgate_owner;

create table usage.meters (
	meter text primary key check (meter ~ '^[a-z0-9_]{1,100}$'),	-- Stripe's event_name
	offered boolean not null default true		-- false: left the configuration
);

-- What a plan has of a meter in a period. A plan without a row has none of it.
create table usage.quotas (
	plan text references billing.plans,
	meter text references usage.meters,
	included bigint not null check (included >= 0),
	sold boolean not null,			-- what is beyond is billed, so Stripe is told of every unit
	most bigint check (most >= included),	-- of a tenant; null: no bound
	member_most bigint check (member_most >= 0),	-- of one member; null: no bound of its own
	primary key (plan, meter),
	check (sold or most = included)
);

-- How often a user may begin something in any span of time.
create table usage.rates (
	name text check (name ~ '^[a-z0-9_]{1,40}$'),
	plan text not null,			-- '': of every plan that has no row of this name
	meter text not null,			-- '': of every meter
	allowed int not null check (allowed between 1 and 200),
	per interval not null check (per > '0'),
	primary key (name, plan)
);

-- When a subject began, the last so many times: a limit is exact, over any span.
create table usage.windows (
	name text,
	tenant_id uuid,				-- what one tenant's programs begin for a member is none of another's
	subject uuid,				-- a user, or the tenant of a program that names none
	stamps timestamptz[] not null check (cardinality(stamps) <= 200),
	primary key (name, tenant_id, subject)
) with (fillfactor = 50);	-- room for a row's next version

-- Money that may be spent in a period.
create table usage.caps (
	kind text check (kind in ('user', 'tenant', 'provider', 'all')),
	plan text,				-- '': of every plan that has no row, and of providers and all
	subject text,				-- a provider; else ''
	micros bigint not null check (micros >= 0),
	primary key (kind, plan, subject),
	check ((kind = 'provider') = (subject <> '') and (kind in ('user', 'tenant') or plan = ''))
);

-- What a million units cost, in micro-units of money. A price that changes ends, and a new row begins.
create table usage.costs (
	id bigint generated always as identity primary key,
	provider text not null,			-- '': of a meter, whose name is the model
	model text not null,
	class text not null,			-- input, output, ...; unit where a meter has one class
	micros bigint not null check (micros between 0 and 1000000000000),	-- of one unit, at most one unit of money
	from_at timestamptz not null default now(),
	to_at timestamptz check (to_at >= from_at)
);
create unique index on usage.costs (provider, model, class) where to_at is null;

-- The totals of holds and corrections, one row for each subject and period, so nothing is ever reset. What was used
-- beyond the cap is overrun: more was spent than held, or the cap was lowered. used + held <= cap + overrun is what a
-- reservation that forgot to ask would break.
create table usage.accounts (
	id bigint generated always as identity primary key,
	kind text not null check (kind in ('user', 'tenant', 'provider', 'all')),
	tenant_id uuid,				-- of users and tenants
	subject text not null,			-- a user's id, a provider; else ''
	meter text not null,			-- '': money, in micro-units; else units of this meter
	from_at timestamptz not null,
	until_at timestamptz not null check (until_at > from_at),
	cap bigint check (cap >= 0),		-- null: no bound
	used bigint not null default 0 check (used >= 0),
	held bigint not null default 0 check (held >= 0),
	overrun bigint not null default 0 check (overrun >= 0),
	unique nulls not distinct (kind, tenant_id, subject, meter, from_at),
	check (used + held <= cap + overrun),
	check ((kind in ('user', 'tenant')) = (tenant_id is not null))
) with (fillfactor = 50);	-- room for a row's next version
create index on usage.accounts (tenant_id, from_at desc);

-- The journal: one row for each piece of work, from its reservation to its end, never rewritten after that. No other
-- table is referenced but meters: what is deleted elsewhere stays told here, by its id alone.
create table usage.holds (
	id uuid primary key default gen_random_uuid(),	-- also the identifier at Stripe
	tenant_id uuid not null,
	user_id uuid,				-- null: a program named none
	key_id uuid,				-- of the program; null: a browser asked
	request text not null check (char_length(request) between 1 and 255),	-- the caller's name for it, one in a tenant
	digest bytea not null check (octet_length(digest) = 32),	-- of what was asked
	meter text not null references usage.meters,
	plan text,
	sold boolean not null,
	models jsonb not null,			-- [{"provider", "model"}...] that may do the work
	accounts bigint[] not null,		-- usage.accounts that it is in
	units bigint not null check (units >= 0),		-- held
	micros bigint not null check (micros >= 0),
	counts jsonb,				-- {class: units} that are known so far, in the end all
	state text not null default 'held' check (state in ('held', 'settled', 'expired')),
	provider text,				-- who did it, once it is known
	model text,
	spent bigint check (spent >= 0),
	spent_micros bigint check (spent_micros >= 0),
	outer_micros bigint check (outer_micros >= 0),	-- for the provider's account and that of all
	costs bigint[] not null,		-- the rows of usage.costs in force for its models when it began
	counted text check (counted in ('told', 'measured', 'checkpoint')),
	created_at timestamptz not null default now(),
	expires_at timestamptz not null,
	ended_at timestamptz,
	unique (tenant_id, request),
	check ((state = 'held') = (ended_at is null)),
	check ((state = 'held') = (spent is null) and (spent is null) = (spent_micros is null)
		and (spent is null) = (outer_micros is null))
);
create index on usage.holds (expires_at) where state = 'held';
create index on usage.holds (tenant_id, created_at desc);
create index on usage.holds (user_id, created_at desc);
create index on usage.holds using brin (created_at);	-- the records of a month

-- What is said of a hold after its end, once: the difference, which may be negative.
create table usage.corrections (
	id uuid primary key default gen_random_uuid(),	-- also the identifier at Stripe
	hold_id uuid not null unique references usage.holds,
	digest bytea not null check (octet_length(digest) = 32),	-- of what was said
	units bigint not null,
	micros bigint not null,
	outer_micros bigint not null,
	created_at timestamptz not null default now()
);

-- By period of the tenant's account, UTC day of the end, and what did it. Written under the lock of that account, whose
-- total a period's rows add up to.
create table usage.days (
	tenant_id uuid,
	from_at timestamptz not null,
	day date,
	meter text references usage.meters,
	user_id uuid,				-- null: a program named none
	provider text not null,
	model text not null,
	units bigint not null default 0,
	micros bigint not null default 0,
	records int not null default 0,
	unique nulls not distinct (tenant_id, from_at, meter, day, user_id, provider, model)
);
create index on usage.days (user_id, day desc);

-- Units that Stripe is to be told of: of a hold or a correction, once.
create table usage.outbox (
	id uuid primary key,			-- its identifier at Stripe
	tenant_id uuid not null,
	meter text not null references usage.meters,
	units bigint not null check (units > 0),
	at timestamptz not null,
	state text not null default 'pending' check (state in ('pending', 'sent', 'parked', 'dropped')),
	attempts int not null default 0,
	tried_at timestamptz,			-- first
	next_at timestamptz not null default now(),
	claim uuid,
	claimed_until timestamptz,
	sent_at timestamptz,
	error text
);
create index on usage.outbox (at, id) where state = 'pending';
create index on usage.outbox (tenant_id, meter, at);
create index on usage.outbox (tenant_id, meter, at, id) where state = 'pending';	-- the first of each
create index on usage.outbox (tenant_id, meter) where state = 'parked';

-- Keys that programs ask with. The database holds a digest of a digest, as of a session's token.
create table app.keys (
	id uuid primary key default gen_random_uuid(),
	tenant_id uuid not null references app.tenants on delete cascade,
	user_id uuid references auth.users on delete set null,		-- who made it
	name text not null check (char_length(name) between 1 and 64),
	hint text not null check (hint ~ '^[A-Za-z0-9_-]{4}$'),	-- its last characters
	hash bytea not null unique check (octet_length(hash) = 32),
	scopes text[] not null check (scopes <@ '{read,write}' and scopes <> '{}'),
	created_at timestamptz not null default now(),
	used_at timestamptz,			-- to the minute
	revoked_at timestamptz
);
create index on app.keys (tenant_id, created_at desc);
create index on app.keys (user_id, created_at desc);

reset role;

insert into app.role_verbs (role, verb) values ('owner', 'keys'), ('owner', 'usage'), ('admin', 'usage');
insert into audit.kinds (kind) values ('key_made'), ('key_revoked'), ('usage_dropped');
