-- What a tenant has used in its period, and what is left.

set role tollgate_service;

-- {"plan", "allowed", "from", "until", "meters": [{"meter", "used", "held", "included", "sold", "most", "left",
-- "micros"}...]}: meters of the plan, and those of which something was used. left is null where nothing bounds it.
-- "in_trial": the plan sells more than is included, but not in the trial.
create or replace function usage.summary(p_tenant uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return usage.summary_on(p_tenant, billing.decision(p_tenant));
end
$$;

-- The same by what was decided of the tenant.
create or replace function usage.summary_on(p_tenant uuid, decision jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	period record;
begin
	select p.* into period from usage.period_of(decision, now()) p;
	return jsonb_build_object('plan', decision -> 'plan', 'allowed', decision -> 'allowed',
		'from', api.date_document(period.from_at) ->> 'iso', 'until', api.date_document(period.until_at) ->> 'iso',
		'micros', coalesce((
			select a.used from usage.accounts a
			where a.kind = 'tenant' and a.tenant_id = p_tenant and a.meter = '' and a.from_at = period.from_at), 0),
		'meters', (
			select coalesce(jsonb_agg(jsonb_build_object('meter', m.meter, 'used', coalesce(a.used, 0),
				'held', coalesce(a.held, 0), 'included', coalesce(q.included, 0), 'sold', coalesce(q.sold, false),
				'most', q.most, 'left', case when q.plan is null or not (decision -> 'allowed')::boolean then 0
					when q.most is not null then greatest(0, q.most - coalesce(a.used + a.held, 0)) end)
				|| case when decision ->> 'status' = 'trialing' and not q.sold and exists (
					select from usage.quotas k where k.plan = q.plan and k.meter = m.meter and k.sold)
					then '{"in_trial": true}' else '{}'::jsonb end
				order by m.meter), '[]')
			from usage.meters m
				left join usage.quotas_of(p_tenant, decision ->> 'plan') q on q.meter = m.meter
				left join usage.accounts a on a.kind = 'tenant' and a.tenant_id = p_tenant and a.meter = m.meter
					and a.from_at = period.from_at
			where q.plan is not null or a.id is not null));
end
$$;

reset role;
