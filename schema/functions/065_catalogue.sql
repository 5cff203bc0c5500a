-- Plans as configured, prices as Stripe has them, and where the two differ.

set role tollgate_service;

create or replace function billing.plan_of(p_price text) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce((select p.id from billing.plans p where p.price = p_price),
		(select p.plan from billing.prices p where p.id = p_price));
end
$$;

-- Which plan a price means has been learned: its alert is over, and subscriptions that kept another plan are due.
create or replace function billing.settle_price(p_price text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	meant text := billing.plan_of(p_price);
begin
	if meant is not null then
		perform billing.clear_alert('unknown_price', p_price);
		perform sync.mark('subscription', s.id) from billing.subscriptions s
		where s.price = p_price and s.plan is distinct from meant and billing.is_live(s.status);
	end if;
end
$$;

-- A plan's price is the one configured, else the active one with its lookup key: that key moves to a new price when the
-- amount changes. The price it leaves goes on meaning the plan.
create or replace function billing.give_price(p_plan text, p_price text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update billing.plans p set price = null where p.price = p_price and p.id <> p_plan;
	update billing.plans p set price = p_price where p.id = p_plan and p.price is distinct from p_price;
	insert into billing.prices as p (id, plan) values (p_price, p_plan)
	on conflict (id) do update set plan = excluded.plan where p.plan is distinct from excluded.plan;
	perform billing.settle_price(p_price);
end
$$;

-- The plan that goes by this lookup key costs what the active price with it says. Where two prices have it, it has moved, and
-- one of them is still to be fetched: the other was fetched last. Where none has, the plan keeps the price it had.
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
		p_doc #>> '{recurring,interval}', billing.whole_of(p_doc #> '{recurring,interval_count}'), null);
begin
	return seen;
end
$$;

-- Stripe's price object as it was fetched: nothing else says what a price is.
create or replace function billing.put_price(p_doc jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	seen billing.prices := billing.price_row(p_doc);
	known billing.prices;
begin
	select p.* into known from billing.prices p where p.id = seen.id;
	insert into billing.prices (id, product, lookup_key, active, amount, currency, interval, interval_count, synced_at)
	values (seen.id, seen.product, seen.lookup_key, seen.active, seen.amount, seen.currency, seen.interval,
		seen.interval_count, clock_timestamp())
	on conflict (id) do update set product = excluded.product, lookup_key = excluded.lookup_key, active = excluded.active,
		amount = excluded.amount, currency = excluded.currency, interval = excluded.interval,
		interval_count = excluded.interval_count, synced_at = clock_timestamp();
	perform billing.watch_product(p) from unnest(array[known.product, seen.product]) p
	where p is not null and (known.synced_at is null or known.product is distinct from seen.product);
	perform billing.follow_key(k) from unnest(array[known.lookup_key, seen.lookup_key]) k;
	perform billing.compare_price(seen.id);
end
$$;

-- What a subscription says of a price may be older than what is known of it, or newer: where it says anything new, the price is
-- fetched. Until then what never changes of a price may be taken from here. One that is no plan of ours is locked: of several
-- that leave it at once, the last must see that it is.
create or replace function billing.note_price(p_price text, p_doc jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	said billing.prices := billing.price_row(p_doc);
	known billing.prices;
	apart text[] := '{plan,synced_at}';
begin
	select p.* into known from billing.prices p where p.id = p_price;
	if p_doc -> 'active' is null then
		insert into billing.prices (id) values (p_price) on conflict (id) do nothing;
	elsif known.synced_at is null or to_jsonb(known) - apart <> to_jsonb(said) - apart then
		perform sync.mark('price', p_price);
		insert into billing.prices as p (id, product, amount, currency, interval, interval_count)
		values (p_price, said.product, said.amount, said.currency, said.interval, said.interval_count)
		on conflict (id) do update set product = excluded.product, amount = excluded.amount, currency = excluded.currency,
			interval = excluded.interval, interval_count = excluded.interval_count
		where p.synced_at is null;
	end if;
	perform from billing.prices p where p.id = p_price and billing.plan_of(p_price) is null for no key update;
end
$$;

-- A price that is no plan of ours, while somebody has it.
create or replace function billing.watch_price(p_price text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	s billing.subscriptions;
begin
	select o.* into s from billing.subscriptions o where o.price = p_price and billing.is_live(o.status)
	order by o.created_at, o.id limit 1;
	perform billing.watch(s.id is not null, s.tenant_id, 'unknown_price', p_price, jsonb_build_object('subscription', s.id));
end
$$;

-- Of a product only one thing matters, and is fetched: that what we sell is not switched off there.
create or replace function billing.watch_product(p_product text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if billing.is_sold(p_product) then
		perform sync.mark('product', p_product);
	else
		perform billing.clear_alert('drift', 'product:' || p_product);
	end if;
end
$$;

create or replace function billing.is_sold(p_product text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return exists (select from billing.prices p join billing.plans l on l.price = p.id where p.product = p_product and l.offered);
end
$$;

-- A price we sell is active and costs what the configuration says, where it says so: without an amount its interval is a
-- default.
create or replace function billing.compare_price(p_price text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	difference jsonb;
begin
	select jsonb_strip_nulls(jsonb_build_object('plan', l.id,
		'active', case when not p.active then p.active end,
		'amount', case when l.amount <> p.amount or l.amount is not null and p.amount is null then jsonb_build_array(l.amount, p.amount) end,
		'currency', case when l.currency <> p.currency then jsonb_build_array(l.currency, p.currency) end,
		'interval', case when l.amount is not null and l.interval <> p.interval then jsonb_build_array(l.interval, p.interval) end))
	into difference
	from billing.plans l join billing.prices p on p.id = l.price where p.id = p_price and l.offered and p.synced_at is not null;
	perform billing.watch(difference - 'plan' <> '{}', null, 'drift', 'price:' || p_price, difference);
end
$$;

create or replace function service.write_price(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	fault text := billing.price_fault(p_doc);
	before jsonb := (select to_jsonb(p) from billing.prices p where p.id = p_id);
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.hold(p_claim, p_kind, p_id);
	if fault is not null then
		return sync.park(p_kind, p_id, p_version, fault);
	elsif before is null and not exists (select from billing.plans p where p.lookup_key = p_doc ->> 'lookup_key') then
		return sync.finish(p_kind, p_id, p_version, 'ignored', '{"orphan": true}');
	end if;
	perform billing.put_price(p_doc);
	return sync.finish(p_kind, p_id, p_version, 'done', '{}',
		billing.changes(before, (select to_jsonb(p) from billing.prices p where p.id = p_id)));
end
$$;

create or replace function service.write_product(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.hold(p_claim, p_kind, p_id);
	if not exists (select from billing.prices p where p.product = p_id) then
		return sync.finish(p_kind, p_id, p_version, 'ignored', '{"orphan": true}');
	end if;
	perform billing.watch(p_doc -> 'active' is distinct from 'true' and billing.is_sold(p_id), null, 'drift', 'product:' || p_id,
		'{"active": false}');
	return sync.finish(p_kind, p_id, p_version, 'done', '{}');
end
$$;

-- Whether all that is wanted is so. What was not asked about may be anything; a list that was asked for has neither less nor
-- more, in any order. lib/service/wanted.c compares alike.
create or replace function billing.holds(p_actual jsonb, p_wanted jsonb) returns boolean
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	if jsonb_typeof(p_actual) is distinct from jsonb_typeof(p_wanted) then
		return false;
	elsif jsonb_typeof(p_wanted) = 'object' then
		return (select coalesce(bool_and(billing.holds(p_actual -> w.key, w.value)), true) from jsonb_each(p_wanted) w);
	elsif jsonb_typeof(p_wanted) = 'array' then
		return jsonb_array_length(p_actual) = jsonb_array_length(p_wanted) and not exists (
			select from jsonb_array_elements(p_wanted) w where not exists (
				select from jsonb_array_elements(p_actual) a where billing.holds(a, w)));
	end if;
	return p_actual = p_wanted;
end
$$;

-- Drift of the portal: what the operator asked for is not so at Stripe.
create or replace function service.write_portal_configuration(p_claim uuid, p_kind text, p_id text, p_version bigint,
	p_doc jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	wanted jsonb;
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.hold(p_claim, p_kind, p_id);
	update billing.portal_configurations c set actual = p_doc, synced_at = now() where c.id = p_id returning c.desired into wanted;
	if wanted is null then
		return sync.finish(p_kind, p_id, p_version, 'ignored', '{"orphan": true}');
	end if;
	perform billing.watch(not billing.holds(p_doc, wanted), null, 'drift', 'portal_configuration:' || p_id, '{}');
	return sync.finish(p_kind, p_id, p_version, 'done', '{}');
end
$$;

reset role;
