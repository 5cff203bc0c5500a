-- The peer's database: a session, and the subscription of its user.
create table sessions (
	hash bytea primary key,
	user_id uuid not null,
	email text not null,
	expires_at timestamptz not null
);

create table events (
	id text primary key,
	type text not null,
	at timestamptz not null default now()
);

create table subscriptions (
	id text primary key,
	tenant_id uuid,
	customer text,
	status text,
	price text,
	period_end timestamptz
);
create index on subscriptions (tenant_id) where tenant_id is not null;

insert into sessions values
	(sha256('bench'), '00000000-0000-4000-8000-000000000001', 'anna@example.com', now() + interval '1 day');
insert into subscriptions values
	('sub_0', '00000000-0000-4000-8000-000000000001', 'cus_0', 'active', 'price_0', now());
