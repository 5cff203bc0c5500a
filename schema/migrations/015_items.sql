-- What all items of a subscription say together: the plans they are of, and what they cost.

set role tollgate_owner;

alter table billing.subscriptions
	add plans text[] not null default '{}',	-- of all its items; plan is the highest of them
	add currency text,			-- all its invoices are in it
	add amount bigint;			-- all its items at a renewal, in minor units; null: not known
alter table billing.subscription_history
	add plans text[] not null default '{}';

-- What is only told anew is no change.
alter table billing.subscriptions disable trigger user;
reset role;
update billing.subscriptions set plans = array[plan] where plan is not null;
update billing.subscription_history set plans = array[plan] where plan is not null;
set role tollgate_owner;
alter table billing.subscriptions enable trigger user;
reset role;

-- The rest is Stripe's to say; nor has any portal been fetched with all that is compared now.
update sync.objects set version = version + 1, next_at = now()
where kind in ('subscription', 'portal_configuration') and dead_at is null;
