-- Tenants as an operator sees them, what an operator does to one, and open alerts. Each function begins with
-- auth.require_operator().

set role tollgate_service;

-- Tenants by any name that an operator meets (ops.tenants_of), or by a part of the tenant's own; '' finds all. The
-- newest first, those after the tenant p_after.
create or replace function api.admin_tenants(p_text text, p_after uuid default null) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_operator();
	wanted text := btrim(p_text);
	named uuid[] := ops.tenants_of(wanted);
begin
	return ops.page_of((
		select coalesce(jsonb_agg(jsonb_build_object('id', f.id, 'name', f.name,
			'since', api.date_document(f.created_at), 'draft', f.status = 'draft', 'closed', f.status = 'closed')
			order by f.created_at desc, f.id desc), '[]')
		from (
			select t.id, t.name, t.status, t.created_at from app.tenants t
			where (wanted = '' or t.id = any (named) or strpos(lower(t.name), lower(wanted)) > 0)
				and (p_after is null or (t.created_at, t.id) < (
					select a.created_at, a.id from app.tenants a where a.id = p_after))
			order by t.created_at desc, t.id desc limit 51) f), 50);
end
$$;

-- A list of documents as sections of lines: [{"lines": [{"name", "value"}...]}...].
create or replace function ops.lines_of(p_documents jsonb) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('lines', ops.detail_lines(d.doc)) order by d.n), '[]')
		from jsonb_array_elements(p_documents) with ordinality d (doc, n));
end
$$;

-- The parts of what `tollgate explain` tells that are lists: [{"label", "count", "rows"}...], without the empty ones.
create or replace function ops.explained_parts(p_told jsonb) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('label', 'admin_' || p.name,
			'count', jsonb_array_length(p_told -> p.name), 'rows', ops.lines_of(p_told -> p.name)) order by p.n), '[]')
		from unnest('{customers,subscriptions,changes,invoices,notifications,alerts,offers}'::text[])
			with ordinality p (name, n)
		where jsonb_array_length(p_told -> p.name) > 0);
end
$$;

-- Who has set an override: an operator by the address, as long as there is such a user, or the user of the command.
create or replace function ops.setter_of(p_set_by text) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return case when p_set_by ~ '^user [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
		then coalesce(auth.address_of(substr(p_set_by, 6)::uuid), p_set_by) else p_set_by end;
end
$$;

-- Noted in the log. TG404: no such tenant.
create or replace function api.admin_tenant(p_tenant uuid) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_operator();
	told jsonb := ops.explain_tenant(p_tenant, now());
	word billing.overrides;
begin
	if told is null then
		raise exception 'no such tenant' using errcode = 'TG404';
	end if;
	select o.* into word from billing.overrides o
	where o.tenant_id = p_tenant and (o.until is null or o.until > now());
	perform ops.note_look('tenant_viewed', p_tenant, me, null);
	return jsonb_build_object('id', p_tenant, 'name', told -> 'name', 'draft', told ->> 'status' = 'draft',
		'closed', told ->> 'status' = 'closed', 'closes', api.date_document((told ->> 'closes_at')::timestamptz),
		'allowed', told #> '{entitlement,allowed}', 'plan', 'plan_' || (told #>> '{entitlement,plan}'),
		'facts', ops.detail_lines(told -> 'entitlement' || jsonb_build_object('created_at', told -> 'created_at',
			'activated_at', told -> 'activated_at', 'demands_factor', told -> 'demands_factor',
			'status', told -> 'status', 'closes_at', told -> 'closes_at')),
		'parts', ops.explained_parts(told),
		'mine', exists (select from app.members m where m.tenant_id = p_tenant and m.user_id = me),
		'override', case when word.tenant_id is not null then jsonb_build_object('allowed', word.allowed,
			'plan', 'plan_' || word.plan, 'until', api.date_document(word.until), 'reason', word.reason,
			'by', ops.setter_of(word.set_by)) end,
		'plans', (select coalesce(jsonb_agg(jsonb_build_object('value', p.id, 'label', 'plan_' || p.id)
			order by p.rank, p.id), '[]') from billing.plans p),
		'members', (select coalesce(jsonb_agg(jsonb_build_object('id', m.user_id, 'email', auth.address_of(m.user_id),
			'role', 'called_' || m.role) order by m.created_at, m.user_id), '[]')
			from app.members m where m.tenant_id = p_tenant));
end
$$;

-- For what is done to a tenant, whose row it locks. TG404: no such tenant. TG409: one that the operator belongs to.
create or replace function ops.enter_tenant(p_tenant uuid) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_operator();
begin
	perform from app.tenants t where t.id = p_tenant for no key update;
	if not found then
		raise exception 'no such tenant' using errcode = 'TG404';
	elsif exists (select from app.members m where m.tenant_id = p_tenant and m.user_id = me) then
		raise exception 'an own tenant' using errcode = 'TG409';
	end if;
	return me;
end
$$;

-- Allows or denies a tenant to the end of the day p_last ("2027-01-31", UTC), whatever Stripe says. p_plan: null is the
-- plan that it has. TG422: no such day, plan or reason; the day is over, or more than ten years ahead.
create or replace function api.override_tenant(p_tenant uuid, p_allowed boolean, p_plan text, p_last text,
	p_reason text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	me uuid := ops.enter_tenant(p_tenant);
	given text := ops.clean_reason(p_reason);
	last date := case when p_last ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' then ops.time_of(p_last, 1) end;
begin
	if p_allowed is null or last is null or last not between current_date and current_date + 3660 then
		raise exception 'no such override' using errcode = 'TG422';
	end if;
	perform ops.put_override(p_tenant, p_allowed, p_plan, (last + 1)::timestamptz, given, 'user ' || me);
	return null;
end
$$;

create or replace function api.lift_override(p_tenant uuid) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := ops.enter_tenant(p_tenant);
	held boolean := exists (
		select from billing.overrides o where o.tenant_id = p_tenant and (o.until is null or o.until > now()));
begin
	if held then
		perform ops.end_override(p_tenant, 'user ' || me);
	end if;
	return jsonb_build_object('done', held);
end
$$;

-- Open alerts, the newest first.
create or replace function api.admin_alerts() returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_operator();
begin
	return jsonb_build_object('alerts', (
		select coalesce(jsonb_agg(jsonb_build_object('id', a.id, 'kind', a.kind, 'subject', a.subject,
			'tenant', a.tenant_id, 'name', t.name, 'since', api.date_document(a.raised_at),
			'lines', ops.detail_lines(a.detail)) order by a.raised_at desc, a.id desc), '[]')
		from (select n.* from ops.alerts n where n.cleared_at is null order by n.raised_at desc, n.id desc limit 200) a
			left join app.tenants t on t.id = a.tenant_id));
end
$$;

reset role;
