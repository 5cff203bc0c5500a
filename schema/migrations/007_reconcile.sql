-- How far Stripe's lists have been looked through, and outages that objects must not pay for.

set role tollgate_owner;

-- One row for each list. A pass over it goes from the newest object back to from_at; after is where it has come to.
create table sync.cursors (
	name text primary key,
	watermark timestamptz,			-- all that is older has been seen; null: nothing yet
	from_at timestamptz,
	started_at timestamptz,			-- of the last pass, which is over when finished_at is later
	finished_at timestamptz,
	after text,
	claim uuid,
	claimed_until timestamptz
);

alter table sync.objects add outages int not null default 0;	-- failures in a row that were not the object's own

-- An event that was listed and not delivered has neither.
alter table inbox.events alter key_index drop not null, alter signature_header drop not null;

reset role;
