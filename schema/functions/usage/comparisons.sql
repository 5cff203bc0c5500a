-- Each closed UTC day of a tenant and meter, by our books and by Stripe's summaries.

set role tollgate_service;

-- The day of a record is compared an hour after its end, or after what is told of it later: summaries lag behind.
create or replace function usage.mark_day(o usage.outbox) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	insert into usage.comparisons as c (tenant_id, meter, day, due_at)
	values (o.tenant_id, o.meter, o.at::date, greatest(now(), o.at::date + interval '1 day') + interval '1 hour')
	on conflict (tenant_id, meter, day) do update set due_at = excluded.due_at
	where coalesce(c.due_at < excluded.due_at, true);
end
$$;

-- The next day to compare: {"tenant", "meter", "day", "from", "until", "customer"}. Null: there is none. {"skipped"}:
-- this one waits for what is not told yet, or cannot be compared any more: a difference that it had then stays an alert
-- that is final, for the operator to clear. Until it is compared it is due in an hour.
create or replace function service.claim_comparison() returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	c usage.comparisons;
	customer text;
begin
	select n.* into c from usage.comparisons n where n.due_at <= now()
	order by n.due_at limit 1 for update skip locked;
	if c.day is null then
		return null;
	end if;
	customer := (select k.id from billing.customers k where k.tenant_id = c.tenant_id and not k.deleted);
	update usage.comparisons n set
		due_at = case when customer is not null and c.day > now()::date - 35 then now() + interval '1 hour' end
	where (n.tenant_id, n.meter, n.day) = (c.tenant_id, c.meter, c.day) returning * into c;
	perform ops.raise_alert(c.tenant_id, 'usage_difference', concat_ws(':', c.tenant_id, c.meter, c.day),
		jsonb_build_object('ours', c.ours, 'theirs', c.theirs, 'final', true))
	where c.due_at is null and c.ours <> c.theirs;
	if c.due_at is null or exists (
			select from usage.outbox o where o.tenant_id = c.tenant_id and o.meter = c.meter and o.state = 'pending'
				and o.at >= c.day and o.at < c.day + 1) then
		return '{"skipped": true}';
	end if;
	return jsonb_build_object('tenant', c.tenant_id, 'meter', c.meter, 'day', c.day,
		'from', extract(epoch from c.day)::bigint, 'until', extract(epoch from c.day + 1)::bigint,
		'customer', customer);
end
$$;

-- Stripe's sum of the day. A difference is an alert until there is none, and looked at every hour. What is for a credit
-- by hand is not taken off ours.
create or replace function service.compare_usage(p_tenant uuid, p_meter text, p_day date, p_theirs bigint) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	mine bigint := (
		select coalesce(sum(o.units - o.less), 0) from usage.outbox o
		where o.tenant_id = p_tenant and o.meter = p_meter and o.units > 0 and o.at >= p_day and o.at < p_day + 1
			and o.state <> 'dropped');
begin
	update usage.comparisons c set ours = mine, theirs = p_theirs, compared_at = now(),
		due_at = case when mine <> p_theirs then now() + interval '1 hour' end
	where (c.tenant_id, c.meter, c.day) = (p_tenant, p_meter, p_day);
	perform ops.watch(mine <> p_theirs, p_tenant, 'usage_difference', concat_ws(':', p_tenant, p_meter, p_day),
		jsonb_build_object('ours', mine, 'theirs', p_theirs));
	return jsonb_build_object('ours', mine, 'theirs', p_theirs);
end
$$;

-- Days that differ, for `tollgate usage audit`: those that Stripe still takes events of.
create or replace function usage.differences() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return (
		select coalesce(jsonb_agg(d), '[]') from (
			select c.tenant_id as tenant, c.meter, c.day, c.ours, c.theirs from usage.comparisons c
			where c.ours <> c.theirs and c.day > now()::date - 35
			order by c.day, c.tenant_id, c.meter limit 100) d);
end
$$;

reset role;
