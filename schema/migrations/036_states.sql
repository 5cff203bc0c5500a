-- What Stripe's objects say of who has to act: bank debits that are under way, invoices that are sent, cards that are
-- missing.

set role tollgate_owner;

alter table billing.checkouts
	add unpaid_since timestamptz;		-- completed, and its bank debit or transfer is under way
create index on billing.checkouts (email_canonical);
alter table billing.subscriptions
	add collection_method text,		-- Stripe's word; null: not known yet
	add missing_card text,			-- what Stripe does at the end of a trial without a card; its word
	add has_card boolean;			-- whether it names something to charge; null: not known yet
alter table billing.customers
	add has_card boolean;
alter table billing.invoices
	add collection_method text;
create index invoices_due on billing.invoices (due_at) where status = 'open' and due_at is not null;
reset role;

insert into billing.notice_kinds values ('invoice_sent', true, null), ('invoice_overdue', true, 'invoice.overdue'),
	('card_cancel', true, null), ('card_pause', true, null), ('card_create_invoice', true, null),
	('paused', true, null);

-- Documents are fetched again, because no row has the new columns' values: over an hour, as in 034. Customers come
-- first: a subscription without a card of its own may be charged by its customer's.
update sync.objects set version = version + 1, next_at = now() + random() * interval '30 min'
	+ case kind when 'customer' then interval '0' else interval '30 min' end
where dead_at is null and (kind in ('subscription', 'customer') or kind = 'invoice' and id in (
		select i.id from billing.invoices i where i.status = 'open')
	or kind = 'checkout' and id in (select c.session_id from billing.checkouts c where c.status = 'unpaid'));
