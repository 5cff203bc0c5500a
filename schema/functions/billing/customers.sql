-- Customers as Stripe has them, and whose they are.

set role tollgate_service;

-- False when the tenant has another customer, or the customer another tenant: the recorded binding stays. Orphans of
-- the customer are fetched again.
create or replace function billing.bind_customer(p_tenant uuid, p_customer text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform sync.lock_customer(p_customer);
	insert into billing.customers (id, tenant_id) values (p_customer, p_tenant) on conflict do nothing;
	if found then
		perform sync.adopt(p_customer);
		perform ops.end_alert('second_customer', p_customer);
	end if;
	return exists (select from billing.customers c where c.id = p_customer and c.tenant_id = p_tenant);
end
$$;

-- Alerts on a customer that pays for a tenant without being bound to it, because the tenant has another customer or the
-- customer another tenant.
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
	perform ops.watch(s.id is not null, s.tenant_id, 'second_customer', p_customer, '{}');
end
$$;

-- Stripe's customer of a tenant is deleted. Another customer may have started to pay before that was known, and was
-- refused then: bind it now.
create or replace function billing.replace_customer(p_tenant uuid, p_gone text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	successor text;
begin
	select s.customer_id into successor from billing.subscriptions s
	where s.tenant_id = p_tenant and s.customer_id <> p_gone
		and not exists (select from billing.customers c where c.id = s.customer_id and c.deleted)
	order by s.created_at desc limit 1;
	if successor is not null and billing.bind_customer(p_tenant, successor) then
		perform sync.mark('customer', successor);
	end if;
end
$$;

create or replace function billing.customer_tenant(p_customer text) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce((select c.tenant_id from billing.customers c where c.id = p_customer),
		(select s.tenant_id from billing.subscriptions s where s.customer_id = p_customer order by s.created_at
			limit 1));
end
$$;

-- Whether the user manages the tenant of this customer.
create or replace function billing.is_my_customer(p_customer text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce(billing.customer_tenant(p_customer) = any (app.managed_tenants()), false)
		and not exists (select from billing.customers c where c.id = p_customer and c.deleted);
end
$$;

-- Whether a waiting event says that items were added to the next invoice, or taken from it.
create or replace function billing.has_unbilled(p_customer text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return exists (
		select from inbox.events e
		where e.object_kind = 'customer' and e.object_id = p_customer and e.state <> 'done'
			and e.type like 'invoiceitem.%');
end
$$;

-- A customer grants nothing: only a bound one is kept up to date. The deletion of one that was made for a click is
-- stored too, because it cannot pay any more.
create or replace function service.write_customer(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb)
	returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	gone boolean := coalesce(p_doc -> 'deleted' = 'true', false);
	before jsonb := (select to_jsonb(c) from billing.customers c where c.id = p_id);
	owed bigint := coalesce(billing.whole_of(p_doc -> 'balance'), 0);
	reduced text := billing.id_of(p_doc -> 'discount');
	tenant uuid := coalesce((select c.tenant_id from billing.customers c where c.id = p_id),
		(select k.tenant_id from billing.checkouts k where gone and k.customer_id = p_id limit 1));
	address text := billing.kept_address(p_id, tenant, p_doc ->> 'email');
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.hold(p_claim, p_kind, p_id);
	perform from app.tenants t where t.id = tenant for no key update;
	perform ops.end_alert('second_customer', p_id) where gone;
	if tenant is null then
		return sync.keep_orphan(p_kind, p_id, p_version, p_id);
	end if;
	insert into billing.customers (id, tenant_id, deleted) select p_id, tenant, true where gone on conflict do nothing;
	perform billing.preview_customer(p_id)
	where not gone and (billing.has_unbilled(p_id) or coalesce((before ->> 'balance')::bigint, 0) <> owed
		or before ->> 'discount' is distinct from reduced);
	update billing.customers c set email = address, synced_at = now(), deleted = gone,
		balance = owed, discount = reduced, has_card = billing.names_card(p_doc),
		card = billing.card_of(p_doc)
	where c.id = p_id;
	perform billing.watch_address(lower(address), tenant)
	where not gone and address is distinct from before ->> 'email' and address is not null;
	if gone then
		perform billing.replace_customer(tenant, p_id);
	end if;
	return sync.finish(p_kind, p_id, p_version, 'done', '{}',
		billing.changes(before, (select to_jsonb(c) from billing.customers c where c.id = p_id)));
end
$$;

reset role;
