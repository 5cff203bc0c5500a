-- What /status tells of Stripe and of mail (schema/functions/ops/site.sql).

set role tollgate_owner;

-- As jobs has seen it: other programs call Stripe only when a browser does.
alter table billing.pace
	add column answered_at timestamptz,	-- null: not known
	add column refused_since timestamptz;	-- calls are not made since then, but for probes: the breaker has opened

-- the oldest mail that waits
create index on mail.outbox (created_at) where state = 'pending' and rank = 0;

reset role;
