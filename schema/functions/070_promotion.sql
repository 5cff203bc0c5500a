-- From paid to a tenant with an owner, exactly once, whichever of Stripe's objects tells it first.

set role tollgate_service;

-- False when the tenant has another customer already, or the customer another tenant: what is recorded stays. What was
-- nobody's because its customer was is looked at again.
create or replace function billing.bind_customer(p_tenant uuid, p_customer text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform sync.lock_customer(p_customer);
	insert into billing.customers (id, tenant_id) values (p_customer, p_tenant) on conflict do nothing;
	if found then
		perform sync.adopt(p_customer);
		perform billing.clear_alert('second_customer', p_customer);
	end if;
	return exists (select from billing.customers c where c.id = p_customer and c.tenant_id = p_tenant);
end
$$;

-- A customer that pays for a tenant and is not bound to it, because the tenant has another, or the customer another tenant.
create or replace function billing.watch_customer(p_customer text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	own billing.customers;
	s billing.subscriptions;
begin
	select c.* into own from billing.customers c where c.id = p_customer;
	select o.* into s from billing.subscriptions o
	where o.customer_id = p_customer and billing.is_live(o.status) and own.deleted is distinct from true and case
		when own.id is not null then own.tenant_id <> o.tenant_id
		else exists (select from billing.customers c where c.tenant_id = o.tenant_id and not c.deleted) end
	order by o.created_at, o.id limit 1;
	perform billing.watch(s.id is not null, s.tenant_id, 'second_customer', p_customer, '{}');
end
$$;

-- The newest checkout says who pays: the address typed there becomes the owner's, and a link goes to that mailbox. Only
-- who can read it gets in.
create or replace function billing.appoint_owner(p_tenant uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	checkout billing.checkouts;
	owner uuid;
begin
	select c.* into checkout from billing.checkouts c where c.tenant_id = p_tenant
	order by (c.status = 'complete') desc, c.created_at desc limit 1;
	if checkout.key is null then
		return;
	end if;
	owner := auth.ensure_user(checkout.email);
	perform auth.set_language(owner, checkout.language);
	insert into app.members (tenant_id, user_id, role) values (p_tenant, owner, 'owner') on conflict do nothing;
	perform auth.mint_link(owner, checkout.email, checkout.flow_hash, null, checkout.language, null,
		'welcome:' || p_tenant, 'welcome', jsonb_build_object('plan', 'plan_' || checkout.plan));
	perform billing.mail_what_is_open(p_tenant);
end
$$;

-- Answers what jobs should report, {} when all is well.
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

reset role;
