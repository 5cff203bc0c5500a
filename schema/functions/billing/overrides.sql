-- The operator's override of a tenant's entitlement, and its history. Overrides are never deleted: they end.

set role tollgate_service;

-- Trigger keep_history on billing.overrides.
create or replace function billing.keep_override_history() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	at timestamptz := greatest(now(), (select h.from_at from billing.override_history h
		where h.tenant_id = new.tenant_id and h.to_at is null));
begin
	if tg_op = 'UPDATE' and to_jsonb(old) - 'set_at' = to_jsonb(new) - 'set_at' then
		return null;
	end if;
	update billing.override_history h set to_at = at where h.tenant_id = new.tenant_id and h.to_at is null;
	insert into billing.override_history (tenant_id, from_at, allowed, plan, until, reason, set_by)
	values (new.tenant_id, at, new.allowed, new.plan, new.until, new.reason, new.set_by);
	return null;
end
$$;

-- The same call again does nothing. The log names the operator of the site who does it, and nobody for a command.
create or replace function ops.put_override(p_tenant uuid, p_allowed boolean, p_plan text, p_until timestamptz,
	p_reason text, p_set_by text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	was billing.overrides;
	word billing.overrides;
begin
	if not exists (select from app.tenants t where t.id = p_tenant) then
		raise exception 'no such tenant' using errcode = 'TG404';
	elsif p_plan is not null and not exists (select from billing.plans p where p.id = p_plan) then
		raise exception 'unknown plan' using errcode = 'TG422';
	elsif p_until <= now() then
		raise exception 'its end is over' using errcode = 'TG422';
	end if;
	select o.* into was from billing.overrides o where o.tenant_id = p_tenant for update;
	insert into billing.overrides (tenant_id, allowed, plan, until, reason, set_by)
	values (p_tenant, p_allowed, p_plan, p_until, p_reason, p_set_by)
	on conflict (tenant_id) do update set allowed = excluded.allowed, plan = excluded.plan, until = excluded.until,
		reason = excluded.reason, set_by = excluded.set_by, set_at = now()
	returning * into word;
	if to_jsonb(was) - 'set_at' is distinct from to_jsonb(word) - 'set_at' then
		perform audit.note('override_set', p_tenant, auth.uid(), null, jsonb_build_object('allowed', p_allowed));
	end if;
	return billing.entitlement(p_tenant);
end
$$;

create or replace function ops.end_override(p_tenant uuid, p_set_by text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update billing.overrides o set until = now(), set_by = p_set_by, set_at = now()
	where o.tenant_id = p_tenant and (o.until is null or o.until > now());
	if found then
		perform audit.note('override_ended', p_tenant, auth.uid());
	end if;
	return billing.entitlement(p_tenant);
end
$$;

reset role;
