-- Plans as the operator configures them.

set role tollgate_service;

create or replace function billing.require_plans(p_plans jsonb) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
	fault text := (select f.fault from jsonb_array_elements(p_plans) n
		cross join lateral billing.fault_of(n,
			'{"amount": "whole", "currency": "currency", "rank": "count", "grace_days": "count"}') f (fault)
			where f.fault is not null limit 1);
begin
	if fault is not null then
		raise exception '%', fault using errcode = 'TG422';
	end if;
end
$$;

-- Trigger keep_history on billing.plans: a row for each change. The first row begins at -infinity, because nothing
-- earlier is known; a free plan grants nothing before it was there.
create or replace function billing.keep_plan_history() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	at timestamptz := greatest(now(), (select h.from_at from billing.plan_history h
		where h.plan = new.id and h.to_at is null));
begin
	if tg_op = 'UPDATE' and (old.rank, old.grace, old.features, old.free and old.offered)
			= (new.rank, new.grace, new.features, new.free and new.offered) then
		return null;
	end if;
	update billing.plan_history h set to_at = at where h.plan = new.id and h.to_at is null;
	insert into billing.plan_history (plan, from_at, rank, grace, features, free)
	values (new.id, case when tg_op = 'INSERT' and not new.free then '-infinity' else at end, new.rank, new.grace,
		new.features, new.free and new.offered);
	return null;
end
$$;

-- Trigger watch_plan on billing.plans: compares the former and the new price and product.
create or replace function billing.watch_plan() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	prices text[] := array[new.price];
begin
	if tg_op = 'UPDATE' then
		prices := array[old.price, new.price];
	end if;
	perform billing.compare_price(p) from unnest(prices) p where p is not null;
	if tg_op = 'INSERT' or (old.price, old.offered) is distinct from (new.price, new.offered) then
		perform billing.watch_product(p.product) from billing.prices p
		where p.id = any (prices) and p.product is not null order by p.product;
	end if;
	return null;
end
$$;

-- [{"id", "rank", "price", "lookup_key", "amount", "currency", "interval", "grace_days", "features", "free"}...], all
-- but id and rank optional. A plan that left the configuration is no longer sold; its subscriptions keep it. A price
-- belongs to one plan. A price that was found by lookup key stays while the key does. A plan with a configured price
-- has no key.
create or replace function ops.put_plans(p_plans jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform billing.require_plans(p_plans);
	update billing.plans p set offered = false where p.offered and not exists (
		select from jsonb_array_elements(p_plans) n where n ->> 'id' = p.id
			and coalesce((n -> 'free')::boolean, false) = p.free);
	update billing.plans p set price = null where exists (
		select from jsonb_array_elements(p_plans) n where n ->> 'price' = p.price and n ->> 'id' <> p.id);
	update billing.plans p set lookup_key = null, price = null where exists (
		select from jsonb_array_elements(p_plans) n where n ->> 'lookup_key' = p.lookup_key and n ->> 'id' <> p.id);
	insert into billing.plans as p (id, price, rank, lookup_key, amount, currency, interval, grace, features,
		free)
	select n ->> 'id', n ->> 'price', (n ->> 'rank')::int, case when n ->> 'price' is null then n ->> 'lookup_key' end,
		(n ->> 'amount')::bigint, n ->> 'currency', n ->> 'interval',
		make_interval(days => coalesce((n ->> 'grace_days')::int, 7)),
		array(select jsonb_array_elements_text(coalesce(n -> 'features', '[]'))),
		coalesce((n -> 'free')::boolean, false)
	from jsonb_array_elements(p_plans) n
	on conflict (id) do update set rank = excluded.rank, offered = true, lookup_key = excluded.lookup_key,
		price = coalesce(excluded.price, case when p.lookup_key = excluded.lookup_key then p.price end),
		amount = excluded.amount, currency = excluded.currency, interval = excluded.interval, grace = excluded.grace,
		features = excluded.features, free = excluded.free;
	perform billing.give_price(p.id, p.price)
	from billing.plans p where p.price is not null and p.offered;
	perform billing.follow_key(p.lookup_key) from billing.plans p where p.offered;
	return null;
end
$$;

-- Stripe's price object becomes the plan's price. The object is as the operator saw it, so it is fetched again.
create or replace function ops.put_price(p_plan text, p_price jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if not exists (select from billing.plans p where p.id = p_plan) then
		raise exception 'unknown plan' using errcode = 'TG404';
	elsif p_price ->> 'id' is null or billing.price_fault(p_price) is not null then
		raise exception 'not a price' using errcode = 'TG422';
	end if;
	perform sync.mark('price', p_price ->> 'id');
	perform billing.put_price(p_price);
	perform billing.give_price(p_plan, p_price ->> 'id');
	return jsonb_build_object('plan', p_plan, 'price', p_price ->> 'id');
end
$$;

-- {"starter": "price_1", "starter/tokens": "price_2"...}: of plans, and of what is sold beside them by a meter.
create or replace function ops.plan_prices() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_object_agg(v.name, v.price), '{}') from (
			select p.id, p.price from billing.plans p where p.offered
			union all
			select q.plan || '/' || q.meter, q.price from usage.quotas q where q.sold) v (name, price));
end
$$;

reset role;
