-- Tenants, who belongs to them, and what a user is called.

create schema app authorization tollgate_owner;
grant usage, create on schema app to tollgate_auth, tollgate_rls;
set role tollgate_owner;

create table app.tenants (
	id uuid primary key default gen_random_uuid(),
	status text not null default 'draft' check (status in ('draft', 'active', 'closed')),
	created_at timestamptz not null default now(),
	activated_at timestamptz
);
create index on app.tenants (created_at) where status = 'draft';

create table app.members (
	tenant_id uuid references app.tenants,
	user_id uuid references auth.users,
	role text not null check (role in ('owner', 'admin', 'member')),
	created_at timestamptz not null default now(),
	primary key (tenant_id, user_id)
);
create index on app.members (user_id, created_at desc);

create table app.profiles (
	user_id uuid primary key references auth.users on delete cascade,
	display_name text not null,
	avatar_url text,
	created_at timestamptz not null default now()
);

reset role;
