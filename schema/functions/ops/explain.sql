-- Why a tenant has its entitlement: everything that bears on it, as one document. All times are UTC.

set role tollgate_service;

-- Tenants by any name an operator meets: our id, the address of a member or payer, or an id of Stripe's.
create or replace function ops.tenants_of(p_name text) returns uuid[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	address text := lower(btrim(p_name));
begin
	return case
		when p_name ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
			array(select t.id from app.tenants t where t.id = p_name::uuid)
		when p_name like '%@%' then array(
			select m.tenant_id from app.members m where m.user_id = auth.find_user(p_name) union
			select c.tenant_id from billing.checkouts c where c.email_canonical = address union
			select c.tenant_id from billing.customers c where lower(c.email) = address limit 20)
		else array(
			select c.tenant_id from billing.customers c where c.id = p_name union
			select s.tenant_id from billing.subscriptions s where s.id = p_name union
			select i.tenant_id from billing.invoices i where i.id = p_name union
			select d.tenant_id from billing.disputes d where d.id = p_name or d.charge = p_name union
			select c.tenant_id from billing.checkouts c where c.session_id = p_name) end;
end
$$;

create or replace function ops.find_tenants(p_name text) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return to_jsonb(ops.tenants_of(p_name));
end
$$;

-- What affected a tenant's entitlement, and when, in one shape.
create or replace function ops.steps_of(p_tenant uuid) returns table (at timestamptz, object text, step jsonb)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return query
	select h.from_at, h.subscription_id, jsonb_build_object('status', h.status, 'plan', h.plan,
		'cancel_at', billing.scheduled_end(h.cancel_at, h.cancel_at_period_end, h.period_end),
		'collection_paused', h.pause_behavior, 'resumes_at', h.pause_resumes_at)
	from billing.subscription_history h where h.tenant_id = p_tenant
	union all
	select o.from_at, 'override', jsonb_build_object('plan', o.plan, 'by', o.set_by, 'note', o.reason,
		'status', case when o.until <= o.from_at then 'ended' when o.allowed then 'allow' else 'deny' end)
	from billing.override_history o where o.tenant_id = p_tenant
	union all
	select d.opened_at, d.id, jsonb_build_object('status', d.policy) from billing.disputes d
	where d.tenant_id = p_tenant
	union all
	select d.closed_at, d.id, jsonb_build_object('status', 'closed') from billing.disputes d
	where d.tenant_id = p_tenant and d.closed_at is not null
	union all
	select p.from_at, 'plan', jsonb_build_object('status', 'changed', 'plan', p.plan, 'features', to_jsonb(p.features))
	from billing.plan_history p where p.from_at > '-infinity' and exists (
		select from billing.subscription_history h where h.tenant_id = p_tenant and p.plan = any (h.plans)
			and h.from_at < p.from_at and (h.to_at is null or h.to_at > p.from_at));
end
$$;

-- The newest 50 changes, each with its resulting entitlement and the events that waited for its object at that time.
create or replace function ops.changes_of(p_tenant uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	objects text[] := array(select distinct s.object from ops.steps_of(p_tenant) s);
begin
	return (
		with mine as materialized (
			select e.id, e.type, e.object_id, e.received_at, coalesce(e.done_at, 'infinity') as done_at
			from inbox.events e where e.object_id = any (objects) and (e.state = 'done' or e.state <> 'done'))
		select coalesce(jsonb_agg(s.step || jsonb_build_object('at', s.at, 'what', s.object,
			'entitlement', billing.entitlement(p_tenant, s.at), 'events', coalesce((
				select jsonb_agg(jsonb_build_object('id', m.id, 'type', m.type) order by m.received_at, m.id)
				from mine m
				where m.object_id = s.object and m.received_at <= s.at and m.done_at >= s.at), '[]'))
			order by s.at desc), '[]')
		from (select * from ops.steps_of(p_tenant) order by at desc limit 50) s);
end
$$;

-- Alerts, notifications and invoices: the newest 20 rows each.
create or replace function ops.told_of(p_tenant uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return jsonb_build_object(
		'alerts', (select coalesce(jsonb_agg(to_jsonb(a) - 'tenant_id' order by a.raised_at desc), '[]') from (
			select * from ops.alerts n where n.tenant_id = p_tenant order by n.raised_at desc limit 20) a),
		'notifications', (select coalesce(jsonb_agg(to_jsonb(a) - 'tenant_id' order by a.created_at desc), '[]') from (
			select * from billing.notifications n where n.tenant_id = p_tenant order by n.created_at desc limit 20) a),
		'invoices', (select coalesce(jsonb_agg(to_jsonb(a) - array['tenant_id', 'hosted_url', 'pdf_url']
				order by a.created_at desc), '[]') from (
			select * from billing.invoices n where n.tenant_id = p_tenant order by n.created_at desc limit 20) a));
end
$$;

create or replace function ops.explain_tenant(p_tenant uuid, p_at timestamptz) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return (
		select to_jsonb(t) || jsonb_build_object('at', p_at, 'entitlement', billing.entitlement(p_tenant, p_at),
			'members', (select coalesce(
				jsonb_agg(jsonb_build_object('email', auth.address_of(m.user_id), 'role', m.role)
				order by m.created_at), '[]') from app.members m where m.tenant_id = p_tenant),
			'offers', (select coalesce(jsonb_agg(to_jsonb(o) - array['tenant_id', 'user_id']), '[]')
				from app.offers o where o.tenant_id = p_tenant),
			'customers', (select coalesce(jsonb_agg(to_jsonb(c) - 'tenant_id' order by c.created_at), '[]')
				from billing.customers c where c.tenant_id = p_tenant),
			'override', (select to_jsonb(o) - 'tenant_id' from billing.overrides o where o.tenant_id = p_tenant),
			'subscriptions', (select coalesce(jsonb_agg(to_jsonb(s) - 'tenant_id' order by s.created_at desc), '[]')
				from billing.subscriptions s where s.tenant_id = p_tenant),
			'changes', ops.changes_of(p_tenant)) || ops.told_of(p_tenant)
		from app.tenants t where t.id = p_tenant);
end
$$;

-- p_at: null is now.
create or replace function ops.explain(p_name text, p_at text) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return (
		select coalesce(jsonb_agg(ops.explain_tenant(t.id, coalesce(ops.time_of(p_at, -1), now()))), '[]')
		from unnest(ops.tenants_of(p_name)) t (id));
end
$$;

reset role;
