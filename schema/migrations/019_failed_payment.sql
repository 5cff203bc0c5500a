-- A checkout whose payment came to nothing, days after the buyer left Stripe's page: it may be tried again.

set role tollgate_owner;

alter table billing.checkouts drop constraint checkouts_status_check,
	add constraint checkouts_status_check check (status in ('open', 'complete', 'expired', 'unpaid', 'failed'));
create index on billing.checkouts (subscription_id) where status = 'unpaid';

reset role;

-- Told to the address of a sign-up; who manages a tenant is told of the invoice.
insert into billing.notice_kinds values ('checkout_failed', true, 'checkout.session.async_payment_failed');
