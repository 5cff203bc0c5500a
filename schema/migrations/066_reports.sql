-- What Stripe's meters say back: errors that are found after the answer, what was taken back, and sums by day.

set role tollgate_owner;

alter table usage.outbox
	-- Of its identifier at Stripe: one that Stripe has found wrong, or taken back, is used up for a day.
	add column round int not null default 0 check (round >= 0),
	add column cancels uuid,		-- units are negative: the record that they are taken back from
	add column less bigint not null default 0,	-- taken back from this one: Stripe has units - less
	drop constraint outbox_units_check,
	add constraint outbox_units_check check (units <> 0 and (units < 0) = (cancels is not null)),
	add constraint outbox_less_check check (less = 0 or less between 0 and units);

-- What a meter has of a tenant in a closed UTC day, by our books and by Stripe's.
create table usage.comparisons (
	tenant_id uuid,
	meter text references usage.meters,
	day date,
	due_at timestamptz,			-- null: they are equal, and nothing was told since
	ours bigint,				-- null: not compared yet
	theirs bigint,
	compared_at timestamptz,
	primary key (tenant_id, meter, day),
	check ((ours is null) = (theirs is null) and (ours is null) = (compared_at is null))
);
create index on usage.comparisons (due_at) where due_at is not null;
create index on usage.comparisons (day) where ours <> theirs;

reset role;
