-- What the operator asks for is found without reading all that ever came in.

set role tollgate_owner;

-- Events of an object. Those that are through are indexed by jobs, when they become so: intake pays nothing for it. Ids
-- of Stripe's name one object whatever its kind.
create index on inbox.events (object_id) where state = 'done';
drop index inbox.events_object_kind_object_id_idx;
create index on inbox.events (object_id) where state <> 'done' and object_id is not null;

-- What was given up, and what nobody understood: both are few.
create index on inbox.events (received_at) where state = 'dead';
create index on inbox.events (type, received_at) where state = 'ignored' and object_kind is null;
create index on sync.objects (kind, id) where dead_at is not null;
create index on mail.outbox (created_at) where state = 'dead';

-- What a plan contained, and when: its open row is the present.
create table billing.plan_history (
	id bigint generated always as identity primary key,
	plan text not null references billing.plans,
	from_at timestamptz not null,		-- of the first row -infinity
	to_at timestamptz,
	rank int not null,
	grace interval not null,
	features text[] not null
);
create unique index on billing.plan_history (plan) where to_at is null;
create index on billing.plan_history (plan, from_at);
insert into billing.plan_history (plan, from_at, rank, grace, features)
select p.id, '-infinity', p.rank, p.grace, p.features from billing.plans p;

reset role;
