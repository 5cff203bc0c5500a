-- Users who delete their account: when it is carried out, and what closes with it.

set role tollgate_owner;

-- Asked for, and taken back by deleting the row. A row whose deletion was carried out stays: by it what Stripe says
-- later of the closed tenants is found.
create table app.deletions (
	user_id uuid primary key,		-- of a user who is gone once it is done, so it references none
	requested_at timestamptz not null default now(),
	until timestamptz not null,		-- it is carried out then, and may be taken back until it is
	tenants uuid[] not null default '{}',	-- that were closed with it
	done_at timestamptz
);
create index on app.deletions (until) where done_at is null;
create index on app.deletions (done_at) where done_at is not null;

alter table app.tenants
	add column closes_at timestamptz;	-- with the deletion of its last owner; from now on it lets nobody in

alter table billing.customers
	add forgotten bytea;			-- sha256 of the address that was here and was a deleted user's: not kept again

reset role;

insert into audit.kinds (kind) values ('deletion_requested'), ('deletion_undone'), ('user_deleted');
