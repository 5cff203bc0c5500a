-- What is sold by a meter: the prices of quotas, what a subscription pays by meters, and what an invoice said of it.

set role tollgate_owner;

alter table usage.quotas
	add price text unique,			-- at Stripe, of what is sold; null: not known yet
	add lookup_key text unique,
	add unit_amount numeric,		-- of a unit, in the smallest unit of the plan's currency; null: Stripe says
	add check (sold or num_nulls(price, lookup_key, unit_amount) = 3);

alter table billing.prices
	add meter text,				-- at Stripe, of a metered price
	add included bigint,			-- units in a first tier that costs nothing; null: its tiers are others
	add unit_amount numeric;		-- of a unit beyond, in minor units; null: its tiers are others

alter table billing.subscriptions
	add metered text[] not null default '{}';	-- meters at Stripe that its items are paid by; '' for one without

alter table billing.checkouts
	add metered text[] default '{}';	-- metered prices bought with it; null: not all are known yet

alter table billing.invoices
	add metered jsonb not null default '[]'	-- [{"meter", "units", "amount"}...] of the period before it
		check (jsonb_typeof(metered) = 'array');

reset role;
