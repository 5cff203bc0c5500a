-- Prices as Stripe has them, and where they differ from the configured plans.

set role tollgate_service;

create or replace function billing.plan_of(p_price text) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce((select p.id from billing.plans p where p.price = p_price),
		(select p.plan from billing.prices p where p.id = p_price));
end
$$;

-- The plan of a price is known now: close the price's alert, and fetch the subscriptions that kept another plan.
create or replace function billing.settle_price(p_price text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	meant text := billing.plan_of(p_price);
begin
	if meant is not null then
		perform ops.end_alert('unknown_price', p_price);
		perform sync.mark('subscription', s.id) from billing.subscriptions s
		where s.price = p_price and s.plan is distinct from meant and billing.is_live(s.status);
	end if;
end
$$;

-- A plan's price is the configured one, else the active one with its lookup key: that key moves to a new price when the
-- amount changes. The former price keeps its plan. A price that is not known yet is fetched, because pages show it.
create or replace function billing.give_price(p_plan text, p_price text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update billing.plans p set price = null where p.price = p_price and p.id <> p_plan;
	update billing.plans p set price = p_price where p.id = p_plan and p.price is distinct from p_price;
	insert into billing.prices as p (id, plan) values (p_price, p_plan)
	on conflict (id) do update set plan = excluded.plan where p.plan is distinct from excluded.plan;
	perform sync.mark('price', p.id) from billing.prices p where p.id = p_price and p.synced_at is null
		and not exists (
			select from sync.objects o where o.kind = 'price' and o.id = p.id and o.version > o.clean_version);
	perform billing.settle_price(p_price);
end
$$;

-- The plan with this lookup key takes the active price that has it. When two prices have the key, it has moved, and the
-- price that was fetched last counts. Without such a price the plan keeps its price.
create or replace function billing.follow_key(p_key text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform billing.give_price(l.id, p.id) from billing.plans l cross join lateral (
		select n.id from billing.prices n where n.lookup_key = l.lookup_key and n.active and n.synced_at is not null
		order by n.synced_at desc, n.id limit 1) p
	where l.lookup_key = p_key;
end
$$;

create or replace function billing.price_row(p_doc jsonb) returns billing.prices
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
	seen billing.prices := row(p_doc ->> 'id', null, billing.id_of(p_doc -> 'product'), p_doc ->> 'lookup_key',
		p_doc -> 'active' = 'true', billing.whole_of(p_doc -> 'unit_amount'), p_doc ->> 'currency',
		p_doc #>> '{recurring,interval}', billing.whole_of(p_doc #> '{recurring,interval_count}'), null,
		p_doc ->> 'tax_behavior', p_doc #>> '{recurring,meter}', (usage.tariff_of(p_doc)).included,
		(usage.tariff_of(p_doc)).unit_amount);
begin
	return seen;
end
$$;

-- From the fetched price object, the only source for what a price is.
create or replace function billing.put_price(p_doc jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	seen billing.prices := billing.price_row(p_doc);
	known billing.prices;
begin
	select p.* into known from billing.prices p where p.id = seen.id;
	insert into billing.prices (id, product, lookup_key, active, amount, currency, interval, interval_count,
		tax_behavior, meter, included, unit_amount, synced_at)
	values (seen.id, seen.product, seen.lookup_key, seen.active, seen.amount, seen.currency, seen.interval,
		seen.interval_count, seen.tax_behavior, seen.meter, seen.included, seen.unit_amount, clock_timestamp())
	on conflict (id) do update set product = excluded.product, lookup_key = excluded.lookup_key,
		active = excluded.active,
		amount = excluded.amount, currency = excluded.currency, interval = excluded.interval,
		interval_count = excluded.interval_count, tax_behavior = excluded.tax_behavior, meter = excluded.meter,
		included = excluded.included, unit_amount = excluded.unit_amount, synced_at = clock_timestamp();
	perform billing.watch_product(p) from unnest(array[known.product, seen.product]) p
	where p is not null and (known.synced_at is null or known.product is distinct from seen.product);
	perform billing.follow_key(k), usage.follow_key(k) from unnest(array[known.lookup_key, seen.lookup_key]) k;
	perform billing.compare_price(seen.id);
end
$$;

-- A subscription's copy of a price may be older or newer than the stored price: when they differ, the price is fetched.
-- Until then the immutable members are taken from the copy, which has no tiers. A price without a plan is locked: of
-- several subscriptions that leave it at once, the last must see that it is the last.
create or replace function billing.note_price(p_price text, p_doc jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	said billing.prices := billing.price_row(p_doc);
	known billing.prices;
	apart text[] := '{plan,synced_at,included,unit_amount}';
begin
	select p.* into known from billing.prices p where p.id = p_price;
	if p_doc -> 'active' is null then
		insert into billing.prices (id) values (p_price) on conflict (id) do nothing;
	elsif known.synced_at is null or to_jsonb(known) - apart <> to_jsonb(said) - apart then
		perform sync.mark('price', p_price);
		insert into billing.prices as p (id, product, amount, currency, interval, interval_count, meter)
		values (p_price, said.product, said.amount, said.currency, said.interval, said.interval_count, said.meter)
		on conflict (id) do update set product = excluded.product, amount = excluded.amount,
			currency = excluded.currency, interval = excluded.interval, interval_count = excluded.interval_count,
			meter = excluded.meter
		where p.synced_at is null;
	end if;
	perform from billing.prices p where p.id = p_price and billing.plan_of(p_price) is null for no key update;
end
$$;

-- Alerts on a price without a plan while a live subscription has it.
create or replace function billing.watch_price(p_price text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	s billing.subscriptions;
begin
	select o.* into s from billing.subscriptions o where o.price = p_price and billing.is_live(o.status)
	order by o.created_at, o.id limit 1;
	perform ops.watch(s.id is not null, s.tenant_id, 'unknown_price', p_price,
		jsonb_build_object('subscription', s.id));
end
$$;

-- A product is fetched for one reason: a product that is sold must be active at Stripe.
create or replace function billing.watch_product(p_product text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if billing.is_sold(p_product) then
		perform sync.mark('product', p_product);
	else
		perform ops.end_alert('drift', 'product:' || p_product);
	end if;
end
$$;

create or replace function billing.is_sold(p_product text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return exists (select from billing.prices p join billing.plans l on l.price = p.id where p.product = p_product
			and l.offered)
		or exists (select from billing.prices p join usage.quotas q on q.price = p.id where p.product = p_product);
end
$$;

-- A sold price is active and costs what the configuration says. Without a configured amount the interval is only a
-- default and is not compared.
create or replace function billing.compare_price(p_price text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	difference jsonb;
begin
	select jsonb_strip_nulls(jsonb_build_object('plan', l.id,
		'active', case when not p.active then p.active end,
		'amount', case when l.amount <> p.amount or l.amount is not null and p.amount is null
			then jsonb_build_array(l.amount, p.amount) end,
		'currency', case when l.currency <> p.currency then jsonb_build_array(l.currency, p.currency) end,
		'interval', case when l.amount is not null and l.interval <> p.interval
			then jsonb_build_array(l.interval, p.interval) end))
	into difference
	from billing.plans l join billing.prices p on p.id = l.price where p.id = p_price and l.offered
		and p.synced_at is not null;
	difference := coalesce(difference, usage.price_difference(p_price));
	perform ops.watch(difference - '{plan,meter}'::text[] <> '{}', null, 'drift', 'price:' || p_price, difference);
end
$$;

create or replace function service.write_price(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb)
	returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	fault text := billing.price_fault(p_doc);
	before jsonb := (select to_jsonb(p) from billing.prices p where p.id = p_id);
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.hold(p_claim, p_kind, p_id);
	if fault is not null then
		return sync.reject(p_kind, p_id, p_version, fault);
	elsif before is null and not exists (select from billing.plans p where p.lookup_key = p_doc ->> 'lookup_key')
		and not exists (select from usage.quotas q where q.lookup_key = p_doc ->> 'lookup_key') then
		return sync.finish(p_kind, p_id, p_version, 'ignored', '{"orphan": true}');
	end if;
	perform billing.put_price(p_doc);
	return sync.finish(p_kind, p_id, p_version, 'done', '{}',
		billing.changes(before, (select to_jsonb(p) from billing.prices p where p.id = p_id)));
end
$$;

create or replace function service.write_product(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb)
	returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.hold(p_claim, p_kind, p_id);
	if not exists (select from billing.prices p where p.product = p_id) then
		return sync.finish(p_kind, p_id, p_version, 'ignored', '{"orphan": true}');
	end if;
	perform ops.watch(p_doc -> 'active' is distinct from 'true' and billing.is_sold(p_id), null, 'drift',
		'product:' || p_id, '{"active": false}');
	return sync.finish(p_kind, p_id, p_version, 'done', '{}');
end
$$;

reset role;
