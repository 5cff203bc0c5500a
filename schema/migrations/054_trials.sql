-- What a second trial and a payment on its way are known by.

set role tollgate_owner;

alter table billing.checkouts
	add trial boolean not null default false;	-- the session at Stripe begins a trial when it is completed
alter table billing.invoices
	add intent text,			-- the payment intent that pays it at Stripe
	add bank_since timestamptz;		-- since when a bank has that payment under way; null: none has
create index on billing.invoices (intent) where status = 'open';
reset role;

-- Open invoices are fetched again, because no row has the new columns' values.
update sync.objects set version = version + 1, next_at = now() + random() * interval '1 hour'
where kind = 'invoice' and dead_at is null and id in (select i.id from billing.invoices i where i.status = 'open');
