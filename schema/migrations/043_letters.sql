-- Mails about money that there were not, and what migrate takes from the configuration: limits, and whether receipts
-- are mailed.

insert into billing.notice_kinds values ('paid', false, null), ('plan_changed', true, null),
	('cancel_scheduled', true, null), ('cancel_undone', true, null);
update billing.notice_kinds set mailed = true where kind = 'refunded';

set role tollgate_owner;

alter table auth.limits
	add configured int;			-- as migrate took it; allowed may have been changed since

alter table billing.checkouts
	add corrected_at timestamptz;		-- when the buyer gave another address than the one first typed

reset role;
