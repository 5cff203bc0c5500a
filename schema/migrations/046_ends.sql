-- What a visitor who comes back from Stripe's pages is told: which checkout this browser has left, and what has changed
-- since the portal was opened.

set role tollgate_owner;

create index on billing.checkouts (flow_hash) where status = 'open';
alter table billing.subscriptions
	add card text;				-- its own payment method at Stripe; null: none, or not known yet
alter table billing.customers
	add card text,
	add visited_at timestamptz,		-- when the portal was last opened, by whichever manager
	add visited jsonb;			-- billing.portal_facts() at that time
reset role;

-- Documents are fetched again, as in 036, because no row has the new columns' values.
update sync.objects set version = version + 1, next_at = now() + random() * interval '1 hour'
where kind in ('customer', 'subscription') and dead_at is null;
