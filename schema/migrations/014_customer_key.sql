-- How many keys have been used up on a checkout's customer: each is good until Stripe has kept a failure under it.

set role tollgate_owner;
alter table billing.checkouts add customer_attempt int not null default 1;
reset role;
