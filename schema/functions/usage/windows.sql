-- How often a user may begin something for a tenant: exact over any span, because the times themselves are kept.

set role tollgate_service;

-- Takes one of each rate that a plan has for a meter, or none when one of them has none left. "limits": [{"name",
-- "allowed", "seconds", "left", "reset"}...] for headers, where reset is the seconds until one comes back. A refused
-- call has "refused", the rate's name, and "retry", the seconds after which it may be tried again. The subject's rows
-- are locked until the end of the transaction.
--
-- A time ahead of the clock was written before the clock was put back, and counts as now.
create or replace function usage.take_rates(p_tenant uuid, p_plan text, p_meter text, p_subject uuid) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	moment timestamptz;
	limits jsonb := '[]';
	refused text;
	retry int;
	r record;
begin
	perform usage.lock_windows(p_tenant, p_plan, p_meter, p_subject);
	moment := clock_timestamp();
	for r in
		select u.name, u.allowed, u.per, w.kept, cardinality(w.kept) >= u.allowed as is_full
		from usage.rates_of(p_plan, p_meter) u
			join usage.windows s on s.name = u.name and s.tenant_id = p_tenant and s.subject = p_subject
			cross join lateral (select array(
				select least(t.at, moment) as at from unnest(s.stamps) t (at)
				where t.at > moment - u.per order by 1) as kept) w
		order by is_full desc, u.name
	loop
		if r.is_full then
			refused := coalesce(refused, r.name);
		elsif refused is null then
			r.kept := r.kept || moment;
		end if;
		update usage.windows w set stamps = r.kept
		where w.name = r.name and w.tenant_id = p_tenant and w.subject = p_subject;
		limits := limits || jsonb_build_object('name', r.name, 'allowed', r.allowed,
			'seconds', extract(epoch from r.per)::int, 'left', greatest(0, r.allowed - cardinality(r.kept)),
			'reset', usage.seconds_to(r.kept[greatest(1, cardinality(r.kept) - r.allowed + 1)] + r.per, moment));
		if r.is_full then
			retry := greatest(retry, (limits -> -1 -> 'reset')::int);
		end if;
	end loop;
	return jsonb_build_object('limits', limits)
		|| case when refused is null then '{}' else jsonb_build_object('refused', refused, 'retry', retry) end;
end
$$;

-- The same "limits" where none is taken.
create or replace function usage.see_rates(p_tenant uuid, p_plan text, p_meter text, p_subject uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('name', u.name, 'allowed', u.allowed,
			'seconds', extract(epoch from u.per)::int, 'left', greatest(0, u.allowed - cardinality(w.kept)),
			'reset', usage.seconds_to(w.kept[greatest(1, cardinality(w.kept) - u.allowed + 1)] + u.per, now()))
			order by u.name), '[]')
		from usage.rates_of(p_plan, p_meter) u
			left join usage.windows s on s.name = u.name and s.tenant_id = p_tenant and s.subject = p_subject
			cross join lateral (select array(
				select least(t.at, now()) as at from unnest(s.stamps) t (at)
				where t.at > now() - u.per order by 1) as kept) w);
end
$$;

-- Whole seconds, at least 1, so that who waits so long is not too early; 0 where there is no time to wait for.
create or replace function usage.seconds_to(p_until timestamptz, p_at timestamptz) returns int
language sql immutable as $$
	select case when p_until is null then 0 else greatest(1, ceil(extract(epoch from p_until - p_at))::int) end
$$;

create or replace function usage.rates_of(p_plan text, p_meter text) returns setof usage.rates
language sql stable as $$
	select distinct on (r.name) r.* from usage.rates r
	where r.plan in ('', p_plan) and r.meter in ('', p_meter) order by r.name, r.plan desc
$$;

-- Again where housekeeping has deleted a row between the two statements.
create or replace function usage.lock_windows(p_tenant uuid, p_plan text, p_meter text, p_subject uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	names text[] := array(select r.name from usage.rates_of(p_plan, p_meter) r);
	locked int := -1;
begin
	while locked < cardinality(names) loop
		insert into usage.windows (name, tenant_id, subject, stamps)
		select n, p_tenant, p_subject, '{}' from unnest(names) n
		where not exists (
			select from usage.windows w where w.name = n and w.tenant_id = p_tenant and w.subject = p_subject)
		order by n on conflict do nothing;
		perform from usage.windows w where w.tenant_id = p_tenant and w.subject = p_subject and w.name = any (names)
		order by w.name for no key update;
		get diagnostics locked = row_count;
	end loop;
end
$$;

-- Deletes at most p_most rows whose times are all longer ago than the longest limit lasts. How many. Rows that somebody
-- has locked are in use.
create or replace function usage.drop_windows(p_most int) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	longest interval := (select coalesce(max(r.per), '0') from usage.rates r);
	n bigint;
begin
	delete from usage.windows d where d.ctid = any (array(
		select w.ctid from usage.windows w
		where coalesce(w.stamps[cardinality(w.stamps)], '-infinity') < now() - longest
		limit p_most for update skip locked));
	get diagnostics n = row_count;
	return n;
end
$$;

reset role;
