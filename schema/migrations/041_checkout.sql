-- Whether a price includes its tax, which pages say.

set role tollgate_owner;

alter table billing.prices
	add tax_behavior text;		-- Stripe's word: inclusive, exclusive or unspecified

reset role;

-- Prices are fetched again, because no row has the new column's value.
update sync.objects set version = version + 1, next_at = now() where kind = 'price' and dead_at is null;
