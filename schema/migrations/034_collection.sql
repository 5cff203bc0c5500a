-- Collection that is paused; when what a notice tells happened; and how disputes end.

set role tollgate_owner;

alter table billing.subscriptions
	add pause_behavior text,		-- Stripe's word while collection is paused
	add pause_resumes_at timestamptz,	-- null: until somebody resumes it
	add paused_since timestamptz;		-- first seen paused
alter table billing.subscription_history
	add pause_behavior text,
	add pause_resumes_at timestamptz,
	add paused_since timestamptz;

alter table billing.notifications
	add happened_at timestamptz;		-- by Stripe's clock; null: written before, see created_at

-- What a paused collection grants: all, all for the plan's grace, or nothing.
create table billing.pause_rules (
	behavior text primary key,
	grants text not null check (grants in ('yes', 'grace', 'no'))
);
reset role;
insert into billing.pause_rules values ('void', 'grace'), ('mark_uncollectible', 'yes'), ('keep_as_draft', 'yes');

insert into billing.notice_kinds values ('dispute_won', true, null), ('dispute_lost', true, null),
	('dispute_over', true, null);
update billing.notice_kinds set mailed = true where kind = 'disputed';

-- Documents are fetched again, because no row has the new columns' values. Over an hour: what happens meanwhile is
-- fetched in between.
update sync.objects set version = version + 1, next_at = now() + random() * interval '1 hour'
where kind in ('subscription', 'dispute') and dead_at is null;
