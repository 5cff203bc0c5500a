-- Reading Stripe's JSON in the shapes of old and new API versions: missing is null, an id is a string or an expanded
-- object, periods stand on the items or (before 2025-03-31) on the subscription.

set role tollgate_service;

create or replace function billing.id_of(p_ref jsonb) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return case jsonb_typeof(p_ref) when 'string' then p_ref #>> '{}' when 'object' then p_ref ->> 'id' end;
end
$$;

-- Null for what is no time of the years 1 to 9999: whoever writes it down parks it, whoever compares must not fail of it.
create or replace function billing.time_of(p_seconds jsonb) returns timestamptz
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	if jsonb_typeof(p_seconds) = 'number' and p_seconds::numeric between -62135596800 and 253402300799 then
		return to_timestamp(p_seconds::float8);
	end if;
	return null;
end
$$;

create or replace function billing.items_of(p_doc jsonb) returns jsonb
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return case jsonb_typeof(p_doc #> '{items,data}') when 'array' then p_doc #> '{items,data}' else '[]' end;
end
$$;

-- Stripe shows the first ten within a subscription. jobs asks for the rest before it writes one down; lists stay as they are.
create or replace function billing.lacks_items(p_doc jsonb) returns boolean
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce(p_doc #> '{items,has_more}' = 'true', false);
end
$$;

-- The price of an item; very old documents have a plan instead.
create or replace function billing.price_of(p_item jsonb) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce(billing.id_of(p_item -> 'price'), billing.id_of(p_item -> 'plan'));
end
$$;

create or replace function billing.period_start_of(p_doc jsonb) returns timestamptz
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce(
		(select min(billing.time_of(i -> 'current_period_start')) from jsonb_array_elements(billing.items_of(p_doc)) i),
		billing.time_of(p_doc -> 'current_period_start'));
end
$$;

create or replace function billing.period_end_of(p_doc jsonb) returns timestamptz
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce(
		(select max(billing.time_of(i -> 'current_period_end')) from jsonb_array_elements(billing.items_of(p_doc)) i),
		billing.time_of(p_doc -> 'current_period_end'));
end
$$;

-- The item that says the plan: of those with a price of ours the highest, else the first.
create or replace function billing.main_item_of(p_doc jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select i.item from jsonb_array_elements(billing.items_of(p_doc)) with ordinality i (item, n)
			left join billing.plans p on p.id = billing.plan_of(billing.price_of(i.item))
		order by p.rank desc nulls last, i.n limit 1);
end
$$;

-- The plans of all items, those that are plans of ours.
create or replace function billing.plans_of(p_doc jsonb) returns text[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return array(
		select distinct p.plan from jsonb_array_elements(billing.items_of(p_doc)) i
			cross join lateral billing.plan_of(billing.price_of(i)) p (plan)
		where p.plan is not null order by p.plan);
end
$$;

-- The tenant a document names itself: our id travels in metadata, and on a session also as its reference.
create or replace function billing.tenant_named_in(p_doc jsonb) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	name text := coalesce(p_doc #>> '{metadata,tenant_id}', p_doc ->> 'client_reference_id');
begin
	if name ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
		return (select t.id from app.tenants t where t.id = name::uuid);
	end if;
	return null;
end
$$;

-- The subscription of an invoice, wherever the API version has it.
create or replace function billing.subscription_of(p_invoice jsonb) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce(billing.id_of(p_invoice -> 'subscription'),
		billing.id_of(p_invoice #> '{parent,subscription_details,subscription}'),
		billing.id_of(p_invoice #> '{lines,data,0,subscription}'),
		billing.id_of(p_invoice #> '{lines,data,0,parent,subscription_item_details,subscription}'));
end
$$;

reset role;
