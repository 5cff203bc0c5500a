-- What a tenant has used, by period: the usage page, and the same as JSON.

set role tollgate_service;

-- {"tenant", "name", "tenants", "several", "all", "plan", "allowed", "from", "until", "current", "earlier", "later",
-- "meters": [{"meter", "used", "held", "days", and of the current period what usage.meter_document() says, "own"}...],
-- "money", "kinds", "shares"}. p_from: when a period began. Days, kinds and shares are of all members for a role that
-- has the verb (all), else the user's own. {"nobody": true}: no tenant lets the user in. TG404: no such tenant or
-- period.
create or replace function api.usage_page(p_tenant uuid default null, p_from text default null) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
	mine app.members := app.my_tenant(p_tenant);
	sees_all boolean := app.may(mine.role, 'usage');
	whose uuid := case when not sees_all then me end;
	decision jsonb;
	summary jsonb;
	span record;
	is_now boolean;
	meters jsonb;
	tenants jsonb;
begin
	if mine.tenant_id is null then
		return '{"nobody": true}';
	end if;
	tenants := app.tenant_documents(me, mine.tenant_id);
	decision := billing.decision(mine.tenant_id);
	summary := usage.summary_on(mine.tenant_id, decision);
	select s.* into span from usage.period_of(decision, now()) p
		cross join lateral usage.shown_period(mine.tenant_id, p_from, p.from_at, p.until_at) s;
	is_now := api.date_document(span.from_at) -> 'iso' = summary -> 'from';
	meters := (
		select coalesce(jsonb_agg(case when is_now then usage.meter_document(m.doc, (summary -> 'allowed')::boolean)
			else m.doc end || jsonb_build_object(
				'own', case when is_now then usage.own_document(mine.tenant_id, me, m.doc ->> 'meter',
					decision ->> 'plan', span.from_at) end,
				'days', usage.day_documents(mine.tenant_id, whose, m.doc ->> 'meter', span.from_at, span.until_at))
			order by m.n), '[]')
		from jsonb_array_elements(case when is_now then summary -> 'meters'
			else usage.past_meters(mine.tenant_id, span.from_at) end) with ordinality m (doc, n));
	return jsonb_build_object('tenant', mine.tenant_id,
		'name', (select t.name from app.tenants t where t.id = mine.tenant_id), 'tenants', tenants,
		'several', jsonb_array_length(tenants) > 1, 'all', sees_all,
		'plan', decision -> 'plan', 'allowed', decision -> 'allowed', 'current', is_now,
		'from', api.date_document(span.from_at), 'until', api.date_document(span.until_at),
		'earlier', api.date_document(span.earlier), 'later', api.date_document(span.later), 'meters', meters,
		'money', usage.money_documents(mine.tenant_id, me, sees_all, case when is_now then decision ->> 'plan' end,
			span.from_at),
		'kinds', usage.kind_documents(mine.tenant_id, whose, span.from_at),
		'shares', usage.share_documents(mine.tenant_id, whose, span.from_at));
end
$$;

reset role;
