-- The span in which what was used is counted together. Nothing is reset: an account belongs to its period.

set role tollgate_service;

-- The month of a subscription item's period that p_at is in. Months are counted from the period's start, so the 31st
-- is the last day of a shorter month, and no later month is moved by that. Stripe's own end wins over one that is at
-- most three days before it: from the 28th of February to the 31st of March is one month. After the end, until a
-- renewal is known, months are counted from the end.
create or replace function usage.month_in(p_start timestamptz, p_end timestamptz, p_at timestamptz,
	out from_at timestamptz, out until_at timestamptz)
language plpgsql immutable set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	anchor timestamptz := case when p_at < p_end then p_start else p_end end;
	last timestamptz := case when p_at < p_end then p_end - interval '3 days' else 'infinity' end;
	n int := greatest(0, (extract(year from p_at) - extract(year from anchor)) * 12
		+ extract(month from p_at) - extract(month from anchor));
begin
	while n > 0 and (anchor + make_interval(months => n) > p_at or anchor + make_interval(months => n) >= last) loop
		n := n - 1;
	end loop;
	from_at := anchor + make_interval(months => n);
	until_at := anchor + make_interval(months => n + 1);
	if until_at >= last then
		until_at := p_end;
	end if;
end
$$;

-- The period of a tenant: within that of the subscription which decides what it may use, else the month in UTC.
-- p_decision: billing.decision() of the tenant at p_at.
create or replace function usage.period_of(p_decision jsonb, p_at timestamptz,
	out from_at timestamptz, out until_at timestamptz)
language plpgsql stable set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	item_start timestamptz;
	item_end timestamptz;
begin
	if billing.is_live(p_decision ->> 'status') and p_decision ->> 'reason' not in ('free', 'ended') then
		select h.period_start, h.period_end into item_start, item_end from billing.subscription_history h
		where h.subscription_id = p_decision ->> 'subscription' and billing.in_force(h.from_at, h.to_at, p_at);
	end if;
	if item_end > item_start then
		select m.from_at, m.until_at into from_at, until_at
		from usage.month_in(item_start, item_end, p_at) m;
	else
		from_at := date_trunc('month', p_at);
		until_at := from_at + interval '1 month';
	end if;
end
$$;

reset role;
