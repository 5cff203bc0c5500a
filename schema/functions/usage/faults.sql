-- The books are true: totals are the sums of what they are totals of, and Stripe is told of each unit once.

set role tollgate_service;

-- What an account should have, from the journal.
create or replace function usage.sums() returns table (id bigint, held numeric, used numeric)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return query
	select a.id,
		sum(case when h.state <> 'held' then 0 when a.meter = '' then h.micros else h.units end),
		sum(case when a.meter <> '' then h.spent + h.later
			when a.tenant_id is not null then h.spent_micros + h.later_micros
			when a.kind = 'all' or a.subject = h.provider then h.outer_micros + h.later_outer else 0 end)
	from (
		select k.*, coalesce(c.units, 0) as later, coalesce(c.micros, 0) as later_micros,
			coalesce(c.outer_micros, 0) as later_outer
		from usage.holds k left join (
			select n.hold_id, sum(n.units) as units, sum(n.micros) as micros, sum(n.outer_micros) as outer_micros
			from usage.corrections n group by 1) c on c.hold_id = k.id) h
		cross join lateral unnest(h.accounts) n (account) join usage.accounts a on a.id = n.account
	group by a.id;
end
$$;

-- At most 100 faults: [{"fault", "id", "is", "should"}...].
create or replace function usage.faults() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return (
		with told as (
			select h.id, h as hold, h.tenant_id, h.meter, h.ended_at, h.sold, h.spent as units,
				h.spent_micros as micros
			from usage.holds h where h.state <> 'held'
			union all
			select c.id, h, h.tenant_id, h.meter, c.created_at, h.sold, c.units, c.micros
			from usage.corrections c join usage.holds h on h.id = c.hold_id),
		days as (
			select t.tenant_id, a.from_at, t.ended_at::date as day, t.meter, (t.hold).user_id, (t.hold).provider,
				(t.hold).model, sum(t.units) as units, sum(t.micros) as micros
			from told t cross join lateral unnest((t.hold).accounts) n (account)
				join usage.accounts a on a.id = n.account and a.kind = 'tenant' and a.meter = t.meter
			group by 1, 2, 3, 4, 5, 6, 7),
		faults as (
			select 'held' as fault, a.id::text, a.held::numeric as "is", coalesce(s.held, 0) as should
			from usage.accounts a left join usage.sums() s on s.id = a.id where a.held <> coalesce(s.held, 0)
			union all
			select 'used', a.id::text, a.used, coalesce(s.used, 0)
			from usage.accounts a left join usage.sums() s on s.id = a.id where a.used <> coalesce(s.used, 0)
			union all
			select 'overrun', a.id::text, a.overrun, coalesce(greatest(0, a.used + a.held - a.cap), 0)
			from usage.accounts a where a.overrun <> coalesce(greatest(0, a.used + a.held - a.cap), 0)
			union all
			select 'outbox', coalesce(t.id, o.id)::text, o.units, t.units
			from (select * from told where sold and units <> 0) t full join usage.outbox o on o.id = t.id
			where (o.units, o.tenant_id, o.meter) is distinct from (t.units, t.tenant_id, t.meter)
			union all
			select 'day', concat_ws(' ', coalesce(s.tenant_id, d.tenant_id), coalesce(s.day, d.day),
				coalesce(s.meter, d.meter)), d.units, s.units
			from days s full join usage.days d on (d.tenant_id, d.from_at, d.day, d.meter, d.provider, d.model)
					= (s.tenant_id, s.from_at, s.day, s.meter, s.provider, s.model)
				and coalesce(d.user_id::text, '') = coalesce(s.user_id::text, '')
			where (d.units, d.micros) is distinct from (s.units, s.micros))
		select coalesce(jsonb_agg(to_jsonb(f)), '[]') from (select * from faults order by fault, id limit 100) f);
end
$$;

-- For `tollgate usage audit`.
create or replace function ops.audit_usage() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return jsonb_build_object('faults', usage.faults(), 'differences', usage.differences(),
		'holds', (select count(*) from usage.holds),
		'open', (select count(*) from usage.holds h where h.state = 'held'),
		'unsent', (select count(*) from usage.outbox o where o.state <> 'sent'));
end
$$;

reset role;
