-- The site's operators, and users who are kept out.

set role tollgate_owner;

-- A user who is one is not deleted as unused.
create table auth.operators (
	user_id uuid primary key references auth.users,
	added_at timestamptz not null default now(),
	added_by text not null			-- the system user who ran `tollgate admin add`
);

-- Why and when a user was kept out. auth.users.disabled_at says whether one is.
create table auth.suspensions (
	id uuid primary key default gen_random_uuid(),
	user_id uuid not null references auth.users on delete cascade,
	created_at timestamptz not null default now(),
	reason text not null check (char_length(reason) between 1 and 500),
	by_id uuid references auth.users on delete set null,
	lifted_at timestamptz,
	lifted_by uuid references auth.users on delete set null
);
create unique index on auth.suspensions (user_id) where lifted_at is null;
create index on auth.suspensions (user_id, created_at);
create index on auth.suspensions (by_id);
create index on auth.suspensions (lifted_by) where lifted_by is not null;

-- what a user has done
create index on audit.entries (user_id, n desc);

-- whether the site's operators do it: whoever reads of it is told that, and not which of them
alter table audit.kinds add column by_operator boolean not null default false;

reset role;

insert into audit.kinds (kind) values
	('operator_added'), ('operator_removed'), ('user_suspended'), ('suspension_lifted'), ('user_signed_out'),
	('override_set'), ('override_ended');
update audit.kinds set by_operator = true
where kind in ('operator_added', 'operator_removed', 'user_suspended', 'suspension_lifted', 'user_signed_out',
	'override_set', 'override_ended');
