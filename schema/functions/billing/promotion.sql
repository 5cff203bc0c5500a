-- From paid to a tenant with an owner, exactly once, whichever of Stripe's objects reports it first.

set role tollgate_service;

-- After the local part of the address; a number is added when the user has or is offered one of that name.
create or replace function billing.name_for(p_user uuid, p_email text) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	base text := left(regexp_replace(split_part(btrim(p_email), '@', 1), '\m([Ww]{3})\.', '\1-', 'g'), 56);	-- of 64
	taken text[] := array(
		select lower(t.name) from app.tenants t where t.name is not null and t.id in (
			select m.tenant_id from app.members m where m.user_id = p_user union
			select o.tenant_id from app.offers o where o.user_id = p_user));
begin
	return (
		select c.name from (
			select n, case n when 1 then base else base || ' ' || n end as name
			from generate_series(1, cardinality(taken) + 1) n) c
		where lower(c.name) <> all (taken) order by c.n limit 1);
end
$$;

-- Of the mail about a purchase. A corrected address gets one of its own.
create or replace function billing.mail_key(p_kind text, c billing.checkouts) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return concat_ws(':', p_kind, c.tenant_id, case when c.corrected_at is not null then 'corrected' end);
end
$$;

-- The paid checkout names the payer, else the newest. A new address becomes a user, the owner, who gets a link by mail:
-- only the reader of that mailbox gets in. To a user who exists the tenant is offered.
create or replace function billing.appoint_owner(p_tenant uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	checkout billing.checkouts;
	is_new boolean;
	owner uuid;
begin
	select c.* into checkout from billing.checkouts c where c.tenant_id = p_tenant
	order by (c.status = 'complete') desc, c.created_at desc limit 1;
	if checkout.key is null then
		return;
	end if;
	is_new := auth.add_user(checkout.email);
	owner := auth.find_user(checkout.email);
	perform from app.profiles p where p.user_id = owner for no key update;	-- names are given one at a time
	update app.tenants t set name = billing.name_for(owner, checkout.email) where t.id = p_tenant;
	if not is_new then
		perform billing.offer_tenant(checkout, owner), billing.mail_open_notices(p_tenant);
		return;
	end if;
	perform auth.set_language(owner, checkout.language);
	insert into app.members (tenant_id, user_id, role) values (p_tenant, owner, 'owner') on conflict do nothing;
	perform auth.ask_link(billing.mail_key('welcome', checkout), 'welcome', billing.bought(checkout), 'welcome',
		checkout.email, checkout.language, p_user => owner, p_flow => checkout.flow_hash);
	perform billing.mail_open_notices(p_tenant);
end
$$;

-- Answers what jobs should log, {} when all is well.
create or replace function billing.promote(p_tenant uuid, p_customer text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform from app.tenants t where t.id = p_tenant for no key update;
	update app.tenants t set status = 'active', activated_at = now() where t.id = p_tenant and t.status = 'draft';
	if found then
		perform billing.appoint_owner(p_tenant);
	end if;
	if p_customer is not null and not billing.bind_customer(p_tenant, p_customer) then
		return jsonb_build_object('warning', 'another customer is recorded for this tenant');
	end if;
	return '{}';
end
$$;

-- For the outcome of events: the change of the tenant's status.
create or replace function billing.tenant_change(p_tenant uuid, p_was text) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	now_is text := (select t.status from app.tenants t where t.id = p_tenant);
begin
	return case when now_is = p_was then '{}' else jsonb_build_object('tenant', jsonb_build_array(p_was, now_is)) end;
end
$$;

reset role;
