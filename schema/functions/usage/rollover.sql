-- The repair that a scheduler may ask for: periods open and holds expire without it, at the next call and by jobs.

set role tollgate_service;

-- The accounts of tenants whose period is over, at most p_most of them. How many were opened.
create or replace function usage.open_periods(p_most int) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	a record;
	decision jsonb;
	period record;
	opened int := 0;
begin
	for a in
		select l.tenant_id, l.meter from (
			select distinct on (b.tenant_id, b.meter) b.tenant_id, b.meter, b.until_at from usage.accounts b
			where b.kind = 'tenant' and b.meter <> ''
			order by b.tenant_id, b.meter, b.from_at desc) l
		where l.until_at <= now() order by l.tenant_id, l.meter limit p_most
	loop
		decision := billing.decision(a.tenant_id);
		select p.* into period from usage.period_of(decision, now()) p;
		opened := opened + usage.open_accounts(usage.wanted(a.tenant_id, null, a.meter, decision ->> 'plan', '{}',
			false, period.from_at, period.until_at));
	end loop;
	return opened;
end
$$;

-- {"opened", "expired", "more"}: while there may be more to do, the call is to be made again. It is short, since it
-- holds the rows that it locks until its end. Accounts are opened before those of holds are locked, so that it cannot
-- deadlock with a turn.
create or replace function api.roll_over() returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	opened int := usage.open_periods(100);
	expired int := usage.expire(100);
begin
	return jsonb_build_object('opened', opened, 'expired', expired, 'more', opened = 100 or expired = 100);
end
$$;

reset role;
