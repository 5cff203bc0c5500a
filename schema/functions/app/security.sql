-- What a tenant demands of its members.

set role tollgate_service;

-- {"factor", "may_demand"}: whether the user has one, or a session that is as good; and of the tenant that is shown,
-- where there is one, "tenant", "name", "on", "owner", and "without": how many members have none.
create or replace function api.security_page(p_tenant uuid default null) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
	mine app.members := app.my_tenant(p_tenant);
begin
	return jsonb_build_object('factor', auth.has_factor(me), 'may_demand',
		auth.has_factor(me) or auth.came_by_passkey(me)) || coalesce((
		select jsonb_build_object('tenant', t.id, 'name', t.name, 'on', t.demands_factor, 'owner', mine.role = 'owner',
			'without', (
				select count(*) from app.members m
				where m.tenant_id = t.id and not auth.has_factor(m.user_id) and not auth.has_passkey(m.user_id)))
		from app.tenants t where t.id = mine.tenant_id), '{}');
end
$$;

-- Mails it to the members who have none, and who are kept out from now on: once a day at most.
create or replace function app.tell_demand(p_tenant uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	insert into mail.outbox (key, recipient, template, language, data)
	select format('demanded:%s:%s:%s', t.id, c.who ->> 'user', current_date), c.who ->> 'email', 'factor_demanded',
		c.who ->> 'language', jsonb_build_object('demanded', t.name)
	from app.tenants t cross join jsonb_array_elements(auth.contacts(array(
		select m.user_id from app.members m where m.tenant_id = t.id and not auth.has_factor(m.user_id)))) c (who)
	where t.id = p_tenant
	on conflict do nothing;
end
$$;

-- For owners (TG403). TG409: who demands a second factor of others has one.
create or replace function api.demand_factor(p_tenant uuid, p_on boolean) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
begin
	if not exists (select from app.members m where m.tenant_id = p_tenant and m.user_id = me and m.role = 'owner')
			or not app.lets_in(p_tenant, me) then
		raise exception 'not an owner' using errcode = 'TG403';
	elsif p_on and not (auth.has_factor(me) or auth.came_by_passkey(me)) then
		raise exception 'no second factor' using errcode = 'TG409';
	end if;
	perform app.tell_demand(t.id) from app.tenants t where t.id = p_tenant and p_on and not t.demands_factor;
	update app.tenants t set demands_factor = p_on where t.id = p_tenant;
	return null;
end
$$;

reset role;
