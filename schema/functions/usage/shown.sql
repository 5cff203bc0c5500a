-- How pages show what was used. Values only; templates choose words by the names of states.

set role tollgate_service;

-- A meter of usage.summary(), with what a page says of it: "state", "beyond" what is included, what is "free" of that,
-- and the "share" of it that is used or held, in percent.
create or replace function usage.meter_document(p_meter jsonb, p_allowed boolean) returns jsonb
language sql immutable as $$
	select p_meter || jsonb_build_object('beyond', v.beyond, 'free', greatest(0, v.included - v.spent),
		'share', v.share, 'state', case
			when v.spent > 0 and v.included = 0 and not v.sold then 'none'
			when not p_allowed then 'paused'
			when v.room <= 0 and v.sold then 'most'
			when v.room <= 0 then 'over'
			when v.beyond > 0 then 'sold'
			when v.share >= 80 and not v.sold then 'near'
			else 'room' end)
	from (
		select n.*, case when n.sold then greatest(0, n.used - n.included) else 0 end as beyond,
			case when n.included > 0 then least(100, trunc(n.spent * 100 / n.included)) end as share
		from (
			select (p_meter -> 'used')::numeric as used, (p_meter -> 'included')::numeric as included,
				(p_meter -> 'used')::numeric + (p_meter -> 'held')::numeric as spent,
				(p_meter -> 'sold')::boolean as sold, (p_meter ->> 'left')::numeric as room) n) v
$$;

-- For the billing page: {"usage_card": {"until", "meters", "full": the limit on spending is reached}}, {} where the
-- tenant has nothing of any meter. Its name is no other's: a template looks a name up in what is around it, too.
create or replace function usage.card(p_tenant uuid, p_decision jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	summary jsonb;
begin
	if not exists (select from usage.meters) then
		return '{}';
	end if;
	summary := usage.summary_on(p_tenant, p_decision);
	if summary -> 'meters' = '[]' then
		return '{}';
	end if;
	return jsonb_build_object('usage_card', jsonb_build_object('until', jsonb_build_object('iso', summary -> 'until'),
		'full', (
			select coalesce(bool_or((m ->> 'full')::boolean), false)
			from usage.period_of(p_decision, now()) p cross join lateral jsonb_array_elements(
				usage.money_documents(p_tenant, null, true, p_decision ->> 'plan', p.from_at)) m
			where m ->> 'kind' = 'tenant'),
		'meters', (
			select jsonb_agg(usage.meter_document(m.doc, (summary -> 'allowed')::boolean) order by m.n)
			from jsonb_array_elements(summary -> 'meters') with ordinality m (doc, n))));
end
$$;

-- The period that a page shows, and those beside it: the current one, or the one that began at p_from, as
-- api.date_document() says it (TG404: the tenant has none).
create or replace function usage.shown_period(p_tenant uuid, p_from text, p_now_from timestamptz,
	p_now_until timestamptz, out from_at timestamptz, out until_at timestamptz, out earlier timestamptz,
	out later timestamptz)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	select p.from_at, p.until_at, p.earlier, p.later into from_at, until_at, earlier, later
	from (
		select n.from_at, n.until_at, lag(n.from_at) over w as earlier, lead(n.from_at) over w as later
		from (
			select a.from_at, max(a.until_at) as until_at from usage.accounts a
			where a.kind = 'tenant' and a.tenant_id = p_tenant and a.subject = '' and a.from_at <> p_now_from
			group by a.from_at
			union all select p_now_from, p_now_until) n
		window w as (order by n.from_at)) p
	where case when p_from is null then p.from_at = p_now_from
		else api.date_document(p.from_at) ->> 'iso' = p_from end;
	if from_at is null then
		raise exception 'no such period' using errcode = 'TG404';
	end if;
end
$$;

-- What was used of each meter in a period that is over.
create or replace function usage.past_meters(p_tenant uuid, p_from timestamptz) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('meter', a.meter, 'used', a.used, 'held', a.held)
			order by a.meter), '[]')
		from usage.accounts a
		where a.kind = 'tenant' and a.tenant_id = p_tenant and a.subject = '' and a.from_at = p_from
			and a.meter <> '');
end
$$;

-- Each day of a period with what was used of a meter, of one user or (null) of all. What was said of it after its end
-- is of the last day.
create or replace function usage.day_documents(p_tenant uuid, p_user uuid, p_meter text, p_from timestamptz,
	p_until timestamptz) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	first date := p_from;
	last date := greatest(p_from, p_until - interval '1 us');
begin
	return (
		select jsonb_agg(jsonb_build_object('at', api.date_document(g.day), 'units', coalesce(d.units, 0),
			'micros', coalesce(d.micros, 0)) order by g.day)
		from generate_series(first::timestamptz, last::timestamptz, interval '1 day') g (day)
			left join (
				select least(greatest(u.day, first), last) as day, sum(u.units) as units, sum(u.micros) as micros
				from usage.days u
				where u.tenant_id = p_tenant and u.from_at = p_from and u.meter = p_meter
					and (p_user is null or u.user_id = p_user)
				group by 1) d on d.day = g.day::date);
end
$$;

-- By what did the work, the most expensive first.
create or replace function usage.kind_documents(p_tenant uuid, p_user uuid, p_from timestamptz) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_agg(to_jsonb(k) order by k.micros desc, k.units desc, k.meter, k.provider, k.model), '[]')
		from (
			select u.meter, u.provider, case when u.provider <> '' then u.model end as model, sum(u.units) as units,
				sum(u.micros) as micros, sum(u.records) as records
			from usage.days u
			where u.tenant_id = p_tenant and u.from_at = p_from and (p_user is null or u.user_id = p_user)
			group by 1, 2, 3 order by 5 desc, 4 desc, 1, 2, 3 limit 50) k);
end
$$;

-- By whom it was used, of each meter, the most first. "gone": no member any more; neither: programs that named nobody.
create or replace function usage.share_documents(p_tenant uuid, p_user uuid, p_from timestamptz) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	people jsonb := app.people(p_tenant);
begin
	return (
		select coalesce(jsonb_agg(to_jsonb(s) || jsonb_build_object('who', people -> s.user::text -> 'name',
			'gone', s.user is not null and not people ? s.user::text)
			order by s.units desc, s.micros desc, s.meter, s.user), '[]')
		from (
			select u.user_id as user, u.meter, sum(u.units) as units, sum(u.micros) as micros
			from usage.days u
			where u.tenant_id = p_tenant and u.from_at = p_from and (p_user is null or u.user_id = p_user)
			group by 1, 2 order by 3 desc, 4 desc, 2, 1 limit 100) s);
end
$$;

-- What a member may use of a meter, where the plan bounds it: {"used", "held", "most", "left"}. Null: it does not.
create or replace function usage.own_document(p_tenant uuid, p_user uuid, p_meter text, p_plan text,
	p_from timestamptz) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select jsonb_build_object('used', coalesce(a.used, 0), 'held', coalesce(a.held, 0), 'most', q.member_most,
			'left', greatest(0, q.member_most - coalesce(a.used + a.held, 0)))
		from usage.quotas q left join usage.accounts a on a.kind = 'user' and a.tenant_id = p_tenant
			and a.subject = p_user::text and a.meter = p_meter and a.from_at = p_from
		where q.plan = p_plan and q.meter = p_meter and q.member_most is not null);
end
$$;

-- Money that was spent in a period, of the tenant ("tenant", where p_all) and of the member ("user"): {"kind",
-- "micros", "held_micros", "cap_micros", "left_micros", "share" of the cap in percent, "full"}. Caps are those of the
-- plan by now (p_plan null: the period is over, and none is told).
create or replace function usage.money_documents(p_tenant uuid, p_user uuid, p_all boolean, p_plan text,
	p_from timestamptz) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('kind', v.kind, 'micros', coalesce(a.used, 0),
			'held_micros', coalesce(a.held, 0), 'cap_micros', c.micros,
			'left_micros', greatest(0, c.micros - coalesce(a.used + a.held, 0)),
			'share', least(100, coalesce(a.used + a.held, 0)::numeric * 100 / nullif(c.micros, 0))::int,
			'full', coalesce(a.used + a.held, 0) >= c.micros) order by v.kind), '[]')
		from (values ('tenant', '', p_all), ('user', p_user::text, true)) v (kind, subject, shown)
			left join usage.accounts a on a.kind = v.kind and a.tenant_id = p_tenant and a.subject = v.subject
				and a.meter = '' and a.from_at = p_from
			left join lateral (
				select n.micros from usage.caps n
				where p_plan is not null and n.kind = v.kind and n.plan in ('', p_plan)
				order by n.plan desc limit 1) c on true
		where v.shown and (c.micros is not null or a.id is not null and (v.kind = 'tenant' or not p_all)));
end
$$;

reset role;
