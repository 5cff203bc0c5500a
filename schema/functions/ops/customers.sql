-- Stripe's customers that the operator assigns to tenants.

set role tollgate_service;

-- Tenants without a customer whose payer or owner has this address. That is no proof, so only a proposal.
create or replace function ops.tenants_to_propose(p_email text) returns uuid[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return array(
		select t.id from app.tenants t
		where t.id in (
			select m.tenant_id from app.members m where m.user_id = auth.find_user(p_email) and m.role = 'owner' union
			select c.tenant_id from billing.checkouts c where c.email_canonical = lower(btrim(p_email)))
			and not exists (select from billing.customers c where c.tenant_id = t.id and not c.deleted)
		order by t.created_at limit 20);
end
$$;

-- "known": recorded. "bound": its metadata has our id. "conflict": its metadata has our id, and that tenant has another
-- customer or does not exist. "proposed": the address matches. "unknown": nothing matches.
create or replace function ops.match_customer(p_customer jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	named text := p_customer #>> '{metadata,tenant_id}';
	tenant uuid := billing.tenant_named_in(p_customer);
	recorded uuid := (select c.tenant_id from billing.customers c where c.id = p_customer ->> 'id');
	other text := (select c.id from billing.customers c where c.tenant_id = tenant and not c.deleted);
	proposed uuid[];
begin
	if recorded is not null then
		return jsonb_build_object('match', case when tenant is distinct from recorded and named is not null
			then 'conflict' else 'known' end, 'tenant', recorded);
	elsif named is not null then
		return jsonb_build_object(
			'match', case when tenant is null or other is not null then 'conflict' else 'bound' end,
			'tenant', named, 'other', other);
	end if;
	proposed := ops.tenants_to_propose(p_customer ->> 'email');
	return jsonb_build_object('match', case when proposed = '{}' then 'unknown' else 'proposed' end,
		'tenant', case when cardinality(proposed) = 1 then proposed[1] end, 'tenants', to_jsonb(proposed));
end
$$;

-- Binds the customer; it and its subscriptions are due.
create or replace function ops.bind_customer(p_tenant uuid, p_customer text, p_subscriptions jsonb) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform sync.mark(m.kind, m.id) from (
		select 'customer' as kind, p_customer as id union
		select 'subscription', s.id from jsonb_array_elements_text(p_subscriptions) s (id) order by 1, 2) m;
	perform from app.tenants t where t.id = p_tenant for no key update;
	return billing.bind_customer(p_tenant, p_customer);
end
$$;

-- A page of Stripe's customers, each with its match.
create or replace function ops.match_customers(p_customers jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_strip_nulls(ops.match_customer(c.doc) || jsonb_build_object(
			'customer', c.doc ->> 'id', 'email', c.doc ->> 'email')) order by c.n), '[]')
		from jsonb_array_elements(p_customers) with ordinality c (doc, n));
end
$$;

-- "bound", "known" (repeated), or why not: "taken" (the tenant has another customer, or the customer another tenant),
-- "no_tenant". p_subscriptions: the customer's, due once it is bound; null only asks.
create or replace function ops.accept_customer(p_tenant text, p_customer text, p_subscriptions jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	tenant uuid := case when p_tenant like '________-%' then (ops.tenants_of(p_tenant))[1] end;
	recorded uuid := (select c.tenant_id from billing.customers c where c.id = p_customer);
	match text;
begin
	match := case
		when tenant is null then 'no_tenant'
		when recorded = tenant then 'known'
		when recorded is not null or exists (
			select from billing.customers c where c.tenant_id = tenant and not c.deleted) then 'taken'
		else 'bound' end;
	if p_subscriptions is not null and match = 'bound'
		and not ops.bind_customer(tenant, p_customer, p_subscriptions) then
		match := 'taken';
	end if;
	return jsonb_build_object('match', match);
end
$$;

reset role;
