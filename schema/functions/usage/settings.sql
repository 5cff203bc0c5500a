-- What the configuration says of usage.

set role tollgate_service;

-- {"meters": ["tokens"...], "quotas": [{"plan", "meter", "included", "sold", "most", "member_most", "price",
-- "lookup_key", "unit_amount"}...],
-- "rates": [{"name", "plan", "meter", "allowed", "seconds"}...], "caps": [{"kind", "plan", "subject", "micros"}...],
-- "costs": [{"provider", "model", "class", "micros"}...]}. After ops.put_plans(). A meter stays, as what was counted
-- by it does. A price that was found by lookup key stays while the key does.
create or replace function ops.put_usage(p_usage jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	prices jsonb := (
		select jsonb_object_agg(q.lookup_key, q.price) from usage.quotas q where q.lookup_key is not null);
begin
	perform from usage.meters m order by m.meter for no key update;	-- as service.claim_usage() locks them
	update usage.meters m set offered = p_usage -> 'meters' ? m.meter;
	insert into usage.meters (meter) select m from jsonb_array_elements_text(p_usage -> 'meters') m
	on conflict do nothing;
	delete from usage.quotas q where true;
	insert into usage.quotas select q.* from jsonb_populate_recordset(null::usage.quotas, p_usage -> 'quotas') q;
	perform usage.give_price(q.plan, q.meter, coalesce(q.price, prices ->> q.lookup_key)) from usage.quotas q;
	perform usage.follow_key(q.lookup_key) from usage.quotas q;
	delete from usage.caps c where true;
	insert into usage.caps select c.* from jsonb_populate_recordset(null::usage.caps, p_usage -> 'caps') c;
	delete from usage.rates r where true;
	insert into usage.rates (name, plan, meter, allowed, per)
	select r ->> 'name', r ->> 'plan', r ->> 'meter', (r ->> 'allowed')::int,
		make_interval(secs => (r ->> 'seconds')::int)
	from jsonb_array_elements(p_usage -> 'rates') r;
	perform usage.put_costs(p_usage -> 'costs');
	return null;
end
$$;

-- A price that changed, or is listed no more, ends now. The one that follows begins at the same moment.
create or replace function usage.put_costs(p_costs jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update usage.costs c set to_at = now()
	where c.to_at is null and not exists (
		select from jsonb_populate_recordset(null::usage.costs, p_costs) n
		where (n.provider, n.model, n.class, n.micros) = (c.provider, c.model, c.class, c.micros));
	insert into usage.costs (provider, model, class, micros)
	select n.provider, n.model, n.class, n.micros
	from jsonb_populate_recordset(null::usage.costs, p_costs) n
	where not exists (
		select from usage.costs c
		where (c.provider, c.model, c.class) = (n.provider, n.model, n.class) and c.to_at is null);
end
$$;

reset role;
