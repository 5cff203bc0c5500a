-- What is sold by a meter: its price at Stripe, what that says, and who pays it.

set role tollgate_service;

create or replace function usage.decimal_of(p_text text) returns numeric
language sql immutable as $$
	select case when p_text ~ '^[0-9]{1,12}(\.[0-9]{1,12})?$' then p_text::numeric end
$$;

-- What a metered price costs, as Stripe's object says it with its tiers: so many units for nothing, and then each.
-- Nulls for any other tiers, and for a price that is not metered.
create or replace function usage.tariff_of(p_price jsonb, out included bigint, out unit_amount numeric)
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
	tiers jsonb := coalesce(p_price -> 'tiers', '[]');
	flat boolean := jsonb_path_exists(tiers, '$[*].flat_amount_decimal ? (@ != null && @ != "0")');
	n int := case jsonb_typeof(tiers) when 'array' then jsonb_array_length(tiers) else -1 end;
begin
	if p_price #>> '{recurring,usage_type}' is distinct from 'metered' or flat then
		return;
	elsif p_price ->> 'billing_scheme' = 'per_unit' then
		included := 0;
		unit_amount := usage.decimal_of(p_price ->> 'unit_amount_decimal');
	elsif n = 1 then
		included := 0;
		unit_amount := usage.decimal_of(tiers #>> '{0,unit_amount_decimal}');
	elsif n = 2 and usage.decimal_of(tiers #>> '{0,unit_amount_decimal}') = 0 then
		included := billing.whole_of(tiers #> '{0,up_to}');
		unit_amount := usage.decimal_of(tiers #>> '{1,unit_amount_decimal}');
	end if;
end
$$;

-- The price of what is sold beside a plan. One that is not known yet is fetched, because pages show it; again, if that
-- is under way, because it may take the price for another's.
create or replace function usage.give_price(p_plan text, p_meter text, p_price text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if p_price is null then
		return;
	end if;
	update usage.quotas q set price = null
	where q.price = p_price and q.sold and (q.plan, q.meter) <> (p_plan, p_meter);
	update usage.quotas q set price = p_price
	where (q.plan, q.meter) = (p_plan, p_meter) and q.price is distinct from p_price;
	insert into billing.prices (id) values (p_price) on conflict (id) do nothing;
	perform sync.mark('price', p.id) from billing.prices p where p.id = p_price and p.synced_at is null;
	perform billing.compare_price(p_price);
end
$$;

-- As billing.follow_key() does for plans.
create or replace function usage.follow_key(p_key text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform usage.give_price(q.plan, q.meter, p.id) from usage.quotas q cross join lateral (
		select n.id from billing.prices n where n.lookup_key = q.lookup_key and n.active and n.synced_at is not null
		order by n.synced_at desc, n.id limit 1) p
	where q.lookup_key = p_key and q.price is distinct from p.id;
end
$$;

-- Where the price of a quota costs something else than the configuration says; null for another price.
create or replace function usage.price_difference(p_price text) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select jsonb_strip_nulls(jsonb_build_object('plan', q.plan, 'meter', q.meter,
			'active', case when not p.active then p.active end,
			'metered', case when p.meter is null then false end,
			'included', case when p.included is distinct from q.included
				then jsonb_build_array(q.included, p.included) end,
			'amount', case when q.unit_amount is not null and p.unit_amount is distinct from q.unit_amount
				then jsonb_build_array(q.unit_amount, p.unit_amount) end,
			'currency', case when l.currency <> p.currency then jsonb_build_array(l.currency, p.currency) end))
		from usage.quotas q join billing.prices p on p.id = q.price join billing.plans l on l.id = q.plan
		where p.id = p_price and q.sold and p.synced_at is not null);
end
$$;

-- Stripe's price object, with its tiers, becomes that of what is sold beside the plan.
create or replace function ops.put_metered_price(p_plan text, p_meter text, p_price jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if not exists (select from usage.quotas q where (q.plan, q.meter) = (p_plan, p_meter) and q.sold) then
		raise exception 'unknown quota' using errcode = 'TG404';
	elsif p_price ->> 'id' is null or billing.price_fault(p_price) is not null then
		raise exception 'not a price' using errcode = 'TG422';
	end if;
	perform sync.mark('price', p_price ->> 'id');
	perform billing.put_price(p_price);
	perform usage.give_price(p_plan, p_meter, p_price ->> 'id');
	return jsonb_build_object('plan', p_plan, 'meter', p_meter, 'price', p_price ->> 'id');
end
$$;

-- The prices that are bought with a plan. Null: one of them is not known yet.
create or replace function usage.prices_for(p_plan text) returns text[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	prices text[] := array(
		select q.price from usage.quotas q
		where q.plan = p_plan and q.sold and coalesce(q.price, q.lookup_key) is not null order by q.meter);
begin
	return case when array_position(prices, null) is null then prices end;
end
$$;

-- Whether what is beyond a quota is billed to the tenant: the plan sells it, and a subscription of the tenant is paid
-- by its meter at Stripe, by whichever price. Not in its trial, of which Stripe bills nothing: then there is only what
-- is included. Of a quota without a price nobody knows by what it is billed.
create or replace function usage.sells(p_tenant uuid, p_plan text, p_meter text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	q usage.quotas;
begin
	select k.* into q from usage.quotas k where k.plan = p_plan and k.meter = p_meter;
	return coalesce(q.sold and (coalesce(q.price, q.lookup_key) is null or exists (
		select from billing.subscriptions s join billing.prices p on p.meter = any (s.metered)
		where p.id = q.price and s.tenant_id = p_tenant and billing.is_live(s.status)
			and s.status <> 'trialing')), false);
end
$$;

-- The quotas of a plan as the tenant has them: what is not billed to it ends with what is included.
create or replace function usage.quotas_of(p_tenant uuid, p_plan text) returns setof usage.quotas
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	q usage.quotas;
begin
	for q in select k.* from usage.quotas k where k.plan = p_plan loop
		if q.sold and not usage.sells(p_tenant, p_plan, q.meter) then
			q.sold := false;
			q.most := q.included;
		end if;
		return next q;
	end loop;
end
$$;

-- What a plan sells by meters, as its price says once it is fetched: [{"meter", "included", "cost", "per"}...]. cost is
-- of as many units as make it a whole number of minor units, and null where a sentence cannot say it.
create or replace function usage.tariffs(p_plan billing.plans) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('meter', q.meter,
			'included', api.figure_document(nullif(v.included, 0)), 'per', api.figure_document(n.per),
			'cost', api.amount_document((v.unit_amount * n.per)::bigint, v.currency)) order by q.meter), '[]')
		from usage.quotas q left join billing.prices p on p.id = q.price and p.synced_at is not null
			cross join lateral (
				select case when p.id is null then q.included else p.included end as included,
					case when p.id is null then q.unit_amount else p.unit_amount end as unit_amount,
					coalesce(p.currency, p_plan.currency) as currency) v
			left join lateral (
				select t.per from (values (1), (1000), (1000000), (1000000000), (1000000000000)) t (per)
				where v.unit_amount * t.per = trunc(v.unit_amount * t.per) order by t.per limit 1) n on true
		where q.plan = p_plan.id and q.sold);
end
$$;

-- What an invoice says of metered prices: [{"meter", "units", "amount"}...], the tiers of one added up. [] where Stripe
-- has not listed all lines.
create or replace function usage.invoiced(p_invoice jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	if jsonb_typeof(p_invoice #> '{lines,data}') is distinct from 'array'
			or p_invoice #> '{lines,has_more}' = 'true' then
		return '[]';
	end if;
	return (
		select coalesce(jsonb_agg(jsonb_build_object('meter', v.meter, 'units', v.units, 'amount', v.amount)
			order by v.meter), '[]')
		from (
			select coalesce((
					select q.meter from usage.quotas q join billing.prices o on o.id = q.price and o.meter = p.meter
					limit 1), '') as meter,
				sum(billing.whole_of(l -> 'quantity')) as units, sum(billing.whole_of(l -> 'amount')) as amount
			from jsonb_array_elements(p_invoice #> '{lines,data}') l join billing.prices p
				on p.id = coalesce(l #>> '{pricing,price_details,price}', billing.id_of(l -> 'price'))
			where p.meter is not null group by 1) v);
end
$$;

reset role;
