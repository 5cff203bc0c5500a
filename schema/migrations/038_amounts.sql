-- What the next invoice comes to when the subscription alone does not say it, and what a subscription changes to.

set role tollgate_owner;

alter table billing.subscriptions
	add renews_at timestamptz,		-- the next invoice: where items have several periods, the first to end
	add previewed boolean not null default false,	-- amount, what its items cost, is not what will be charged
	add charge bigint,			-- that is, by Stripe's preview of the invoice; null: not known
	add charge_at timestamptz,		-- when Stripe said so
	add coming_price text,			-- by its schedule, from coming_at on
	add coming_plan text references billing.plans,
	add coming_at timestamptz,
	add pending_price text,			-- once a payment arrives, until pending_until
	add pending_plan text references billing.plans,
	add pending_until timestamptz;
alter table billing.customers
	add balance bigint,			-- what the next invoice is reduced (negative) or raised by, in minor units
	add discount text;			-- on all invoices of the customer

-- What may be unbilled is not known.
alter table billing.subscriptions disable trigger user;
reset role;
update billing.subscriptions set renews_at = period_end, previewed = true;
set role tollgate_owner;
alter table billing.subscriptions enable trigger user;
reset role;

-- Stripe says the rest. Over an hour: what happens meanwhile is fetched in between.
update sync.objects set version = version + 1, next_at = now() + random() * interval '1 hour'
where kind in ('customer', 'subscription') and dead_at is null;
