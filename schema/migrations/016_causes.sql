-- What alerts are about, so that they end with it.

set role tollgate_owner;
create index on billing.subscriptions (price);
alter table billing.portal_configurations alter desired drop not null;	-- null: another one is configured now
reset role;
