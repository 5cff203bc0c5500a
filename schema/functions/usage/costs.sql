-- What units cost: whole micro-units of money, rounded up once for each record.

set role tollgate_service;

-- {class: units} with one class at least, each a whole number from 0 to 10^12, as is their sum. Null: no fault.
create or replace function usage.counts_fault(p_counts jsonb) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	if jsonb_typeof(p_counts) is distinct from 'object' or p_counts = '{}' then
		return 'no units';
	end if;
	return coalesce((
		select 'units of ' || c.key from jsonb_each(p_counts) c
		where c.key !~ '^[a-z0-9_]{1,40}$' or jsonb_typeof(c.value) <> 'number'
			or c.value::numeric not between 0 and 1e12 or c.value::numeric <> trunc(c.value::numeric)
		limit 1), (
		select 'units in all' from jsonb_each_text(p_counts) c having sum(c.value::numeric) > 1e12));
end
$$;

create or replace function usage.units_of(p_counts jsonb) returns bigint
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return (select coalesce(sum(c.value::numeric), 0)::bigint from jsonb_each(p_counts) c);
end
$$;

-- The prices that are in force for these models, of every class. A hold keeps them.
create or replace function usage.prices_of(p_models jsonb) returns bigint[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return array(
		select c.id from jsonb_array_elements(p_models) m
			join usage.costs c on c.provider = m ->> 'provider' and c.model = m ->> 'model' and c.to_at is null
		order by c.id);
end
$$;

-- By these prices. Null: a class has none, so that nothing begins whose cost is not known. A meter whose name no price
-- has costs nothing, of whatever class.
create or replace function usage.cost_of(p_counts jsonb, p_provider text, p_model text, p_prices bigint[])
	returns bigint
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select case when count(p.id) = count(*) or p_provider = '' and not exists (
				select from usage.costs k where k.id = any (p_prices) and k.provider = '' and k.model = p_model)
			then coalesce(ceil(sum(c.value::numeric * p.micros) / 1000000), 0)::bigint end
		from jsonb_each(p_counts) c left join usage.costs p on p.id = any (p_prices) and p.provider = p_provider
			and p.model = p_model and p.class = c.key);
end
$$;

-- What is wrong with the price of a piece of work. Its bound keeps totals far from what a bigint holds.
create or replace function usage.cost_fault(p_micros bigint) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return case when p_micros is null then 'no price' when p_micros > 1000000000000000 then 'a cost beyond 10^15' end;
end
$$;

-- At the dearest of the models that may do it. Null: one has no price.
create or replace function usage.dearest(p_counts jsonb, p_models jsonb, p_prices bigint[]) returns bigint
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select case when bool_and(c.micros is not null) then max(c.micros) end
		from jsonb_array_elements(p_models) m
			cross join lateral usage.cost_of(p_counts, m ->> 'provider', m ->> 'model', p_prices) c (micros));
end
$$;

reset role;
