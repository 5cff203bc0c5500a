-- The plan that a tenant has without paying: at most one at a time.

set role tollgate_owner;

alter table billing.plans
	add free boolean not null default false;
create unique index plans_free_key on billing.plans (free) where free and offered;
alter table billing.plan_history
	add free boolean not null default false;	-- and offered

reset role;
