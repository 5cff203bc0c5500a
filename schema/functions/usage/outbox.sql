-- What Stripe's meters are told: each record once, those of a tenant and meter in order and one at a time.

set role tollgate_service;

-- The next record whose predecessors are told: {"claim", "id", "identifier", "meter", "units", "at", "customer",
-- "attempts"}. Null: there is none. {"parked"}: what cannot be told any more was parked, and there may be another.
-- Stripe takes nothing older than 35 days, and knows an identifier for a day: what may have reached it longer ago is
-- not sent again.
create or replace function service.claim_usage(p_lease int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	o usage.outbox;
	customer text;
	fault text;
begin
	perform from usage.meters m order by m.meter for no key update;	-- one claims at a time
	select n.* into o from usage.outbox n
	where n.state = 'pending' and n.next_at <= now() and coalesce(n.claimed_until <= now(), true)
		and not exists (
			select from usage.outbox e where e.tenant_id = n.tenant_id and e.meter = n.meter and e.state = 'pending'
				and (e.at, e.id) < (n.at, n.id))
	order by n.at, n.id limit 1;
	if o.id is null then
		return null;
	end if;
	customer := (select c.id from billing.customers c where c.tenant_id = o.tenant_id and not c.deleted);
	fault := case when customer is null then 'no customer' when o.at < now() - interval '34 days' then 'too old'
		when o.tried_at < now() - interval '23 hours' then 'uncertain' end;
	if fault is not null then
		perform usage.park(o.id, fault);
		return '{"parked": true}';
	end if;
	update usage.outbox n set claim = gen_random_uuid(), claimed_until = now() + make_interval(secs => p_lease),
		attempts = n.attempts + 1, tried_at = coalesce(n.tried_at, now())
	where n.id = o.id returning * into o;
	return jsonb_build_object('claim', o.claim, 'id', o.id, 'identifier', usage.identifier(o.id, o.round),
		'meter', o.meter, 'units', o.units,
		'at', floor(extract(epoch from o.at))::bigint, 'customer', customer, 'attempts', o.attempts);
end
$$;

-- Given up until the operator says otherwise.
create or replace function usage.park(p_id uuid, p_error text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	o usage.outbox;
begin
	update usage.outbox n set state = 'parked', error = p_error, claim = null, claimed_until = null
	where n.id = p_id returning * into o;
	perform ops.raise_alert(o.tenant_id, 'usage_parked', o.tenant_id || ':' || o.meter, jsonb_build_object(
		'error', p_error, 'records', (
			select count(*) from usage.outbox n
			where n.tenant_id = o.tenant_id and n.meter = o.meter and n.state = 'parked')));
end
$$;

-- TG409: the claim is another's by now.
create or replace function usage.require_claim(p_claim uuid, p_id uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform from usage.outbox o where o.id = p_id and o.claim = p_claim for no key update;
	if not found then
		raise exception 'not claimed' using errcode = 'TG409';
	end if;
end
$$;

create or replace function service.usage_told(p_claim uuid, p_id uuid) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform usage.require_claim(p_claim, p_id);
	update usage.outbox o set state = 'sent', sent_at = now(), error = null, claim = null, claimed_until = null
	where o.id = p_id;
	return null;
end
$$;

-- p_final: Stripe refuses it, and would again. Else it is tried later, after an hour at most.
create or replace function service.usage_failed(p_claim uuid, p_id uuid, p_error text, p_final boolean) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform usage.require_claim(p_claim, p_id);
	if p_final then
		perform usage.park(p_id, left(p_error, 500));
	else
		update usage.outbox o set error = left(p_error, 500), claim = null, claimed_until = null,
			next_at = now() + least(interval '1 hour', interval '1 second' * power(2, least(o.attempts, 20)))
		where o.id = p_id;
	end if;
	return null;
end
$$;

-- What is done of usage now and then: holds that nobody settled end, and the operator is told while something has not
-- been told to Stripe for half an hour, because an invoice takes what comes within an hour after its period. How many
-- holds have ended.
create or replace function service.tend_usage(p_most int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform ops.watch(o.at < now() - interval '30 min', null, 'usage_outbox', 'stripe',
		jsonb_build_object('since', o.at))
	from (select min(n.at) as at from usage.outbox n where n.state = 'pending') o
	where o.at < now() - interval '30 min' or exists (
		select from ops.alerts a where a.kind = 'usage_outbox' and a.cleared_at is null);
	return to_jsonb(usage.expire(p_most));
end
$$;

-- Parked records are tried again, those that Stripe has found wrong by another identifier. How many.
create or replace function ops.retry_usage() returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	n int;
begin
	update usage.outbox o set state = 'pending', next_at = now(), attempts = 0, tried_at = null
	where o.state = 'parked';
	get diagnostics n = row_count;
	update ops.alerts a set cleared_at = now() where a.kind in ('usage_parked', 'meter_errors')
		and a.cleared_at is null;
	return to_jsonb(n);
end
$$;

reset role;
