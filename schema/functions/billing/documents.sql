-- Reading Stripe's JSON in the shapes of old and new API versions: a missing member is null, an id is a string or an
-- expanded object, periods are on the items or (before 2025-03-31) on the subscription.

set role tollgate_service;

create or replace function billing.require_document(p_doc jsonb, p_id text) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	if p_doc ->> 'id' is distinct from p_id then
		raise exception 'the document is not of this object' using errcode = 'TG422';
	end if;
end
$$;

create or replace function billing.id_of(p_ref jsonb) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return case jsonb_typeof(p_ref) when 'string' then p_ref #>> '{}' when 'object' then p_ref ->> 'id' end;
end
$$;

-- Null for a time outside the years 1 to 9999: the writer rejects such a document, and comparing must not fail on it.
create or replace function billing.time_of(p_seconds jsonb) returns timestamptz
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	if jsonb_typeof(p_seconds) = 'number' and p_seconds::numeric between -62135596800 and 253402300799 then
		return to_timestamp(p_seconds::float8);
	end if;
	return null;
end
$$;

-- Null unless it is a whole number that every JSON reader reads alike.
create or replace function billing.whole_of(p_value jsonb) returns bigint
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	if jsonb_typeof(p_value) = 'number' and p_value::text ~ '^-?[0-9]{1,16}$'
		and abs(p_value::bigint) <= 9007199254740992 then
		return p_value::bigint;
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

-- Stripe lists the first ten items within a subscription. jobs fetches the others before it stores a subscription;
-- lists of subscriptions stay short.
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

-- When the next invoice is made: where items have several periods, when the first of them ends.
create or replace function billing.renews_at_of(p_doc jsonb) returns timestamptz
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce(
		(select min(billing.time_of(i -> 'current_period_end')) from jsonb_array_elements(billing.items_of(p_doc)) i),
		billing.time_of(p_doc -> 'current_period_end'));
end
$$;

-- Whether a subscription or a customer names something that Stripe can charge. Null for a document that has no place
-- for it.
create or replace function billing.names_card(p_doc jsonb) returns boolean
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	if not p_doc ?| '{default_payment_method,default_source,invoice_settings}' then
		return null;
	end if;
	return billing.card_of(p_doc) is not null;
end
$$;

-- The payment method that a customer's or subscription's document names, or null.
create or replace function billing.card_of(p_doc jsonb) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce(billing.id_of(p_doc -> 'default_payment_method'), billing.id_of(p_doc -> 'default_source'),
		billing.id_of(p_doc #> '{invoice_settings,default_payment_method}'));
end
$$;

-- The item that decides the plan: the highest with a price of ours, else the first that is not metered.
create or replace function billing.main_item_of(p_doc jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select i.item from jsonb_array_elements(billing.items_of(p_doc)) with ordinality i (item, n)
			left join billing.plans p on p.id = billing.plan_of(billing.price_of(i.item))
		order by p.rank desc nulls last, i.item #>> '{price,recurring,usage_type}' is not distinct from 'metered', i.n
		limit 1);
end
$$;

-- The plans of all items that have one.
create or replace function billing.plans_of(p_doc jsonb) returns text[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return array(
		select distinct p.plan from jsonb_array_elements(billing.items_of(p_doc)) i
			cross join lateral billing.plan_of(billing.price_of(i)) p (plan)
		where p.plan is not null order by p.plan);
end
$$;

-- The amount of all items at a renewal, before taxes and discounts, and without what meters count. Null when the items
-- do not say it: tiers, packages, a price in another currency, items with different intervals, nothing but usage.
create or replace function billing.renewal_of(p_doc jsonb, p_currency text) returns bigint
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select case when sum(v.amount) <= 9007199254740992 then sum(v.amount) end from (
			select m.metered, case when not m.metered then billing.whole_of(i #> '{price,unit_amount}')::numeric
					* coalesce(billing.whole_of(i -> 'quantity'), 1) end as amount,
				jsonb_build_array(i #> '{price,recurring,interval}', i #> '{price,recurring,interval_count}') as pace,
				i #>> '{price,currency}' = p_currency
					and i #>> '{price,transform_quantity}' is null as plain
			from jsonb_array_elements(billing.items_of(p_doc)) i cross join lateral (
				select coalesce(i #>> '{price,recurring,usage_type}', 'licensed') <> 'licensed' as metered) m) v
		having bool_and(v.metered or coalesce(v.plain, false) and v.amount is not null)
			and count(distinct v.pace) = 1);
end
$$;

-- The meters at Stripe that the items are paid by; '' for a metered item without one, as old API versions have it.
create or replace function billing.meters_of(p_doc jsonb) returns text[]
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return array(
		select distinct coalesce(i #>> '{price,recurring,meter}', '') as meter
		from jsonb_array_elements(billing.items_of(p_doc)) i
		where i #>> '{price,recurring,usage_type}' = 'metered' order by meter);
end
$$;

-- The tenant that a document names: our id is in its metadata, and on a checkout session also its reference.
create or replace function billing.tenant_named_in(p_doc jsonb) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	named text := coalesce(p_doc #>> '{metadata,tenant_id}', p_doc ->> 'client_reference_id');
begin
	if named ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
		return (select t.id from app.tenants t where t.id = named::uuid);
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

-- What a write changed: {"status": ["active", "past_due"]}; {} when nothing changed; all members from null for a new
-- row.
create or replace function billing.changes(p_old jsonb, p_new jsonb) returns jsonb
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_object_agg(n.key, jsonb_build_array(p_old -> n.key, n.value)), '{}')
		from jsonb_each(p_new) n
		where n.key <> 'synced_at' and n.value <> coalesce(p_old -> n.key, 'null'));
end
$$;

reset role;
