-- A customer of Stripe's that is newer than a restored dump: it pays for a tenant that the database has lost.

set role tollgate_service;

-- The tenant that a customer's documents name, by the customer or its subscriptions. Null when they name none, or two.
create or replace function ops.tenant_meant(p_customer jsonb, p_subscriptions jsonb) returns uuid
language plpgsql immutable security definer set search_path = pg_catalog, pg_temp as $$
declare
	named text[] := array(select distinct d.doc #>> '{metadata,tenant_id}'
		from (select p_customer as doc union all select s from jsonb_array_elements(p_subscriptions) s) d
		where d.doc #>> '{metadata,tenant_id}' is not null);
begin
	if cardinality(named) = 1 and named[1] ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
		return named[1]::uuid;
	end if;
	return null;
end
$$;

-- "restored": the tenant is there again, with its owner or an offer to him, and a link is mailed; "missing" is the same
-- with p_dry. Else "bound", "known" or "taken" as ops.accept_customer(), since the tenant exists; or "unnamed",
-- "no_address", "no_plan".
create or replace function ops.restore_customer(p_customer jsonb, p_subscriptions jsonb, p_dry boolean) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	tenant uuid := ops.tenant_meant(p_customer, p_subscriptions);
	customer text := p_customer ->> 'id';
	address text := nullif(btrim(p_customer ->> 'email'), '');
	ids jsonb := (select coalesce(jsonb_agg(s ->> 'id'), '[]') from jsonb_array_elements(p_subscriptions) s);
	paid text := (select min(p) from jsonb_array_elements(p_subscriptions) s, unnest(billing.plans_of(s)) p
		where billing.is_live(s ->> 'status') and s ->> 'status' <> 'incomplete');
	match text;
begin
	perform from app.tenants t where t.id = tenant;
	if found then
		return ops.accept_customer(tenant::text, customer, case when not p_dry then ids end)
			|| jsonb_build_object('tenant', tenant);
	end if;
	match := case when tenant is null then 'unnamed'
		when exists (select from billing.customers c where c.id = customer) then 'taken'
		when address is null then 'no_address' when paid is null then 'no_plan'
		when p_dry then 'missing' else 'restored' end;
	if match = 'restored' then
		insert into app.tenants (id) values (tenant);
		insert into billing.checkouts (key, tenant_id, email, email_canonical, plan, language, status, customer_id,
			session_id)
		values (sha256(convert_to('restored:' || tenant, 'utf8')), tenant, address, lower(address), paid,
			coalesce(substring(lower(p_customer #>> '{preferred_locales,0}') from '^[a-z]{2}'), 'en'), 'complete',
			customer,
			(select o.id from sync.orphans o where o.kind = 'checkout' and o.customer_id = customer
				and not exists (select from billing.checkouts c where c.session_id = o.id) order by o.id limit 1));
		perform billing.promote(tenant, customer);
		perform sync.mark(m.kind, m.id) from (
			select 'customer' as kind, customer as id union
			select 'subscription', s.id from jsonb_array_elements_text(ids) s (id) order by 1, 2) m;
	end if;
	return jsonb_build_object('match', match, 'tenant', tenant);
end
$$;

reset role;
