-- Which mail goes first, what keeps mails back that are not at fault themselves, and which alerts were mailed.

set role tollgate_owner;

alter table mail.outbox
	drop constraint outbox_state_check,
	add check (state in ('pending', 'sent', 'dead', 'void', 'canceled')),
	add awaited boolean not null		-- somebody waits for the link in it
		generated always as (data ? 'request' and template not like 'notice\_%') stored,
	add cause text,				-- of the last try's failure, when it keeps other mails back too
	add outages int not null default 0;	-- tries that failed for such a cause
create index on mail.outbox (rank, awaited, next_at) where state = 'pending';
drop index mail.outbox_rank_next_at_idx;
create index on mail.outbox (cause) where state = 'pending' and cause is not null;

alter table ops.alerts
	add mailed_at timestamptz;		-- to the operator, the last time
create index on ops.alerts (mailed_at) where cleared_at is null;

reset role;
