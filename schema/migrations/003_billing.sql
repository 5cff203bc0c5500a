-- Money as Stripe has it: plans from the configuration, the way in (checkouts), customers, subscriptions.

create schema billing authorization tollgate_owner;
grant usage, create on schema billing to tollgate_service;
set role tollgate_owner;

create table billing.plans (
	id text primary key check (id ~ '^[a-z0-9_]{1,40}$'),
	price text unique,
	rank int not null,
	offered boolean not null default true	-- false: left the configuration, subscriptions may still have it
);

-- One wish to sign up, whatever the number of clicks. The tenant is written after the row that decides who was first.
create table billing.checkouts (
	key bytea primary key,
	tenant_id uuid not null references app.tenants on delete cascade deferrable initially deferred,
	attempt int not null default 1,
	email text not null,
	email_canonical text not null,
	plan text not null references billing.plans,
	language text not null,
	flow_hash bytea,
	session_id text unique,
	status text not null default 'open' check (status in ('open', 'complete', 'expired', 'unpaid')),
	created_at timestamptz not null default now(),
	opened_at timestamptz,
	returned_at timestamptz
);
create index on billing.checkouts (tenant_id, created_at desc);

-- One customer for each tenant at a time; a deleted one keeps its row, so that its id is never taken for another.
create table billing.customers (
	id text primary key,
	tenant_id uuid not null references app.tenants,
	email text,
	deleted boolean not null default false,
	created_at timestamptz not null default now(),
	synced_at timestamptz
);
create unique index customers_tenant_key on billing.customers (tenant_id) where not deleted;

create table billing.subscriptions (
	id text primary key,
	tenant_id uuid not null references app.tenants,
	customer_id text,
	status text not null,			-- Stripe's word, also one we do not know yet
	plan text references billing.plans,
	price text,
	quantity bigint,
	period_start timestamptz,
	period_end timestamptz,
	cancel_at_period_end boolean not null default false,
	cancel_at timestamptz,
	canceled_at timestamptz,
	ended_at timestamptz,
	trial_end timestamptz,
	created_at timestamptz,
	synced_at timestamptz not null default now()
);
create index on billing.subscriptions (tenant_id, created_at desc);
create index on billing.subscriptions (customer_id);

reset role;
