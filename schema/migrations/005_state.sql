-- What billing state means, as data: plans and prices, which status grants what, overrides, disputes; its history, so
-- that the past can be asked; invoices; and what people and operators are told.

set role tollgate_owner;

alter table billing.plans
	add lookup_key text unique,		-- finds the price at Stripe when the configuration names none
	add amount bigint check (amount between 0 and 9007199254740992),	-- as configured: a price that differs is drift
	add currency text check (currency ~ '^[a-z]{3}$'),
	add interval text check (interval in ('day', 'week', 'month', 'year')),
	add grace interval not null default '7 days',
	add features text[] not null default '{}';

-- Prices we have met. A price that a plan has left still means that plan for those who pay it.
create table billing.prices (
	id text primary key,
	plan text references billing.plans,
	product text,
	lookup_key text,
	active boolean,
	amount bigint,				-- minor units; null: tiered, or not a whole number of them
	currency text,
	interval text,
	interval_count int,
	synced_at timestamptz			-- null: known from the configuration only
);
create index on billing.prices (plan);
create index on billing.prices (product);

-- yes: while it lasts; grace: the plan's grace from when it was first seen so; no: not.
create table billing.status_rules (
	status text primary key,
	grants text not null check (grants in ('yes', 'grace', 'no')),
	reason text not null
);
insert into billing.status_rules values
	('active', 'yes', 'active'), ('trialing', 'yes', 'trialing'), ('past_due', 'grace', 'past_due_grace'),
	('unpaid', 'no', 'unpaid'), ('canceled', 'no', 'canceled'), ('incomplete', 'no', 'incomplete'),
	('incomplete_expired', 'no', 'incomplete_expired'), ('paused', 'no', 'paused');

-- What a dispute or refund does: restrict takes the entitlement away while it lasts, and tells the operator as alert does.
create table billing.policies (
	kind text primary key,
	effect text not null check (effect in ('restrict', 'alert', 'nothing'))
);
insert into billing.policies values
	('dispute_open', 'restrict'), ('dispute_lost', 'restrict'), ('dispute_won', 'nothing'), ('inquiry', 'alert'),
	('refund_full', 'alert'), ('refund_partial', 'nothing');

-- What customers are told, by mail too or on their page only; event: the type that hints at it where no state shows it.
create table billing.notice_kinds (
	kind text primary key,
	mailed boolean not null,
	event text unique
);
insert into billing.notice_kinds values
	('payment_failed', true, 'invoice.payment_failed'), ('action_required', true, 'invoice.payment_action_required'),
	('upcoming', true, 'invoice.upcoming'), ('trial_will_end', true, 'customer.subscription.trial_will_end'),
	('recovered', true, null), ('canceled', true, null), ('refunded', false, null), ('disputed', false, null);

alter table billing.subscriptions
	add past_due_since timestamptz;		-- first seen past due since it was last paid

create table billing.subscription_history (
	id bigint generated always as identity primary key,
	subscription_id text not null references billing.subscriptions,
	tenant_id uuid not null references app.tenants,
	from_at timestamptz not null,
	to_at timestamptz,
	status text not null,
	plan text references billing.plans,
	price text,
	quantity bigint,
	period_start timestamptz,
	period_end timestamptz,
	cancel_at_period_end boolean not null,
	cancel_at timestamptz,
	canceled_at timestamptz,
	ended_at timestamptz,
	trial_end timestamptz,
	past_due_since timestamptz,
	created_at timestamptz			-- the subscription's
);
create unique index on billing.subscription_history (subscription_id) where to_at is null;
create index on billing.subscription_history (tenant_id, from_at);

-- The operator's word against Stripe's. One that has ended stays: until lies in the past.
create table billing.overrides (
	tenant_id uuid primary key references app.tenants,
	allowed boolean not null,
	plan text references billing.plans,	-- null: the one that is paid for
	until timestamptz,			-- null: until changed
	reason text not null,
	set_by text not null,
	set_at timestamptz not null default now()
);
create table billing.override_history (
	id bigint generated always as identity primary key,
	tenant_id uuid not null references app.tenants,
	from_at timestamptz not null,
	to_at timestamptz,
	allowed boolean not null,
	plan text references billing.plans,
	until timestamptz,
	reason text not null,
	set_by text not null
);
create unique index on billing.override_history (tenant_id) where to_at is null;
create index on billing.override_history (tenant_id, from_at);

create table billing.alerts (
	id bigint generated always as identity primary key,
	tenant_id uuid references app.tenants,
	kind text not null,
	subject text not null,			-- what it is about: one open alert for each
	detail jsonb not null default '{}',
	raised_at timestamptz not null default now(),
	cleared_at timestamptz
);
create unique index on billing.alerts (kind, subject) where cleared_at is null;
create index on billing.alerts (tenant_id, raised_at desc);

create table billing.invoices (
	id text primary key,
	tenant_id uuid not null references app.tenants,
	customer_id text,
	subscription_id text,
	number text,
	status text,				-- Stripe's word: draft, open, paid, uncollectible, void, or new ones
	currency text,
	amount_due bigint,			-- minor units, all amounts
	amount_paid bigint,
	total bigint,
	created_at timestamptz,
	period_start timestamptz,
	period_end timestamptz,
	due_at timestamptz,
	paid_at timestamptz,
	attempt_count int not null default 0,
	next_attempt_at timestamptz,
	hosted_url text,
	pdf_url text,
	billing_reason text,
	action_required boolean not null default false,	-- open, and the bank asks for its owner
	synced_at timestamptz not null default now()
);
create index on billing.invoices (tenant_id, created_at desc);
create index on billing.invoices (subscription_id) where status = 'open';

-- Disputes (their own id) and refunds (the charge's id), by the policy that policies names.
create table billing.disputes (
	id text primary key,
	tenant_id uuid not null references app.tenants,
	kind text not null check (kind in ('dispute', 'refund')),
	policy text not null references billing.policies,
	charge text,
	invoice text,
	status text,
	amount bigint,
	currency text,
	reason text,
	created_at timestamptz,
	opened_at timestamptz not null default now(),
	closed_at timestamptz,			-- since when the policy has effect no more
	synced_at timestamptz not null default now()
);
create index on billing.disputes (tenant_id, opened_at);

-- One for each fact, however many events tell it. user_id: who has seen it.
create table billing.notifications (
	id bigint generated always as identity primary key,
	tenant_id uuid not null references app.tenants,
	user_id uuid references auth.users,
	kind text not null references billing.notice_kinds,
	fact text not null,
	payload jsonb not null default '{}',
	created_at timestamptz not null default now(),
	seen_at timestamptz,
	unique (tenant_id, kind, fact)
);
create index on billing.notifications (tenant_id, created_at desc) where seen_at is null;
create index on billing.notifications (user_id, created_at);

-- The portal's configuration as it should be and as it is.
create table billing.portal_configurations (
	id text primary key,
	desired jsonb not null,
	actual jsonb,
	synced_at timestamptz
);

-- A signed-in tenant's checkout is a row beside those of sign-ups; of one tenant only one is open at a time.
alter table billing.checkouts
	add price text,				-- as it was first asked for, so that a repeated request is the same
	add user_id uuid references auth.users,	-- null: a sign-up
	add customer_id text,
	add subscription_id text,
	add replaces text;			-- a session of another plan that must be expired first
create index on billing.checkouts (user_id, created_at desc);
create unique index checkouts_open_key on billing.checkouts (tenant_id) where status = 'open';

alter table app.profiles add language text;	-- of the mails; null: the site's

alter table inbox.events
	add account text,
	add headers jsonb,
	add attempts int not null default 0,
	add outcome jsonb;			-- what it changed: column -> [old, new]

-- Stripe has it and we know no tenant for it; written down as soon as its customer is somebody's.
create table sync.orphans (
	kind text,
	id text,
	customer_id text,
	seen_at timestamptz not null default now(),
	primary key (kind, id)
);
create index on sync.orphans (customer_id);

reset role;

insert into billing.subscription_history (subscription_id, tenant_id, from_at, status, plan, price, quantity, period_start,
	period_end, cancel_at_period_end, cancel_at, canceled_at, ended_at, trial_end, created_at)
select id, tenant_id, synced_at, status, plan, price, quantity, period_start, period_end, cancel_at_period_end, cancel_at,
	canceled_at, ended_at, trial_end, created_at
from billing.subscriptions;
insert into billing.prices (id, plan) select price, id from billing.plans where price is not null;
