-- A bank account is proven by what Stripe has sent to it: very small amounts, or a code, that its owner enters.

set role tollgate_owner;

alter table billing.invoices
	add column unverified boolean not null default false,	-- its payment waits for that
	-- Stripe's page for it; plain http on this machine alone, where a test's Stripe is
	add column verify_url text check (verify_url ~ ('^(https://([a-z0-9-]+\.)*stripe\.com|'
		'http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?)/[!#-;=?-\[\]-~]*$')),
	add check (unverified or verify_url is null);

reset role;
