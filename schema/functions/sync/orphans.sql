-- Stripe's objects that belong to no tenant, until their tenant is known.

set role tollgate_service;

-- Called before an object's tenant is looked up: while its customer is unbound, binding that customer waits.
create or replace function sync.lock_customer(p_customer text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if p_customer is not null and not exists (select from billing.customers c where c.id = p_customer) then
		insert into sync.objects (kind, id, version) values ('customer', p_customer, 0)
			on conflict (kind, id) do nothing;
		perform from sync.objects o where o.kind = 'customer' and o.id = p_customer for update;
	end if;
end
$$;

-- Keeps an orphan until its customer is bound, or a subscription says whose its customer is.
create or replace function sync.keep_orphan(p_kind text, p_id text, p_version bigint, p_customer text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	insert into sync.orphans (kind, id, customer_id) values (p_kind, p_id, p_customer)
	on conflict (kind, id) do update set customer_id = excluded.customer_id;
	return sync.finish(p_kind, p_id, p_version, 'ignored', '{"orphan": true}');
end
$$;

-- Fetches the orphans of a customer again.
create or replace function sync.adopt(p_customer text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform sync.mark(o.kind, o.id) from (
		select o.kind, o.id from sync.orphans o where o.customer_id = p_customer order by o.kind, o.id) o;
end
$$;

reset role;
