-- What Stripe's meters are told: each record once, those of a tenant and meter in order and one at a time.

set role tollgate_service;

-- The next record whose predecessors are told: {"claim", "id", "identifier", "meter", "units", "at", "customer",
-- "attempts"}. Null: there is none. {"parked"}: nothing was to be told of one, and there may be another. Stripe takes
-- nothing older than 35 days, and knows an identifier for a day: with {"uncertain": {"from", "until"}} it may have come
-- longer ago, and Stripe's sum of that minute decides (service.usage_verified). {"cancel"}: the identifier of an event
-- to take back.
create or replace function service.claim_usage(p_lease int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	o usage.outbox;
	customer text;
	fault text;
begin
	perform from usage.meters m order by m.meter for no key update;	-- one claims at a time
	o := usage.first_due();
	if o.id is null then
		return null;
	elsif o.cancels is not null then
		return usage.claim_cancel(o, p_lease);
	end if;
	perform usage.mark_day(o);
	customer := (select c.id from billing.customers c where c.tenant_id = o.tenant_id and not c.deleted);
	fault := case when customer is null then 'no customer' when o.at < now() - interval '34 days' then 'too old' end;
	if fault is not null then
		perform usage.park(o.id, fault);
		return '{"parked": true}';
	end if;
	return usage.claim_of(o.id, p_lease) || jsonb_build_object('identifier', usage.identifier(o.id, o.round),
		'units', o.units - o.less, 'at', floor(extract(epoch from o.at))::bigint, 'customer', customer)
		|| case when o.tried_at < now() - interval '23 hours' then jsonb_build_object('uncertain', usage.minute_of(o))
			else '{}' end;
end
$$;

-- The oldest due one of the records that are first of their tenant and meter. It skips from one tenant and meter to the
-- next in the index, so that a long backlog of one costs no more than a single record.
create or replace function usage.first_due() returns usage.outbox
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	o usage.outbox;
begin
	with recursive heads as (
		(select n.* from usage.outbox n where n.state = 'pending'
		order by n.tenant_id, n.meter, n.at, n.id limit 1)
		union all
		select next.* from heads h cross join lateral (
			select n.* from usage.outbox n
			where n.state = 'pending' and (n.tenant_id, n.meter) > (h.tenant_id, h.meter)
			order by n.tenant_id, n.meter, n.at, n.id limit 1) next)
	select h.* into o from heads h
	where h.next_at <= now() and coalesce(h.claimed_until <= now(), true)
	order by h.at, h.id limit 1;
	return o;
end
$$;

create or replace function usage.claim_of(p_id uuid, p_lease int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	o usage.outbox;
begin
	update usage.outbox n set claim = gen_random_uuid(), claimed_until = now() + make_interval(secs => p_lease),
		attempts = n.attempts + 1, tried_at = coalesce(n.tried_at, now())
	where n.id = p_id returning * into o;
	return jsonb_build_object('claim', o.claim, 'id', o.id, 'meter', o.meter, 'attempts', o.attempts);
end
$$;

-- The minute that a record is in, as Stripe sums it up, and what Stripe has of it by other records. Null others: what
-- Stripe has of another one of that minute is not known either.
create or replace function usage.minute_of(o usage.outbox) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	start timestamptz := date_trunc('minute', o.at);
	others numeric := (
		select case when count(*) filter (where n.error = 'uncertain') = 0 then
			coalesce(sum(n.units - n.less) filter (where n.state = 'sent'), 0) end
		from usage.outbox n
		where n.tenant_id = o.tenant_id and n.meter = o.meter and n.id <> o.id and n.units > 0
			and n.at >= start and n.at < start + interval '1 min');
begin
	return jsonb_build_object('from', extract(epoch from start)::bigint,
		'until', extract(epoch from start)::bigint + 60, 'others', others);
end
$$;

-- What Stripe says of the minute of an uncertain record: "told", "send", or "parked" where that does not tell.
create or replace function service.usage_verified(p_claim uuid, p_id uuid, p_theirs bigint) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	o usage.outbox;
	had bigint;
begin
	perform usage.require_claim(p_claim, p_id);
	select n.* into o from usage.outbox n where n.id = p_id;
	had := p_theirs - (usage.minute_of(o) ->> 'others')::bigint;
	if had = o.units - o.less then
		perform service.usage_told(p_claim, p_id);
		return '"told"';
	elsif had = 0 then
		update usage.outbox n set tried_at = now() where n.id = p_id;
		return '"send"';
	end if;
	perform usage.park(p_id, 'uncertain');
	return '"parked"';
end
$$;

-- Given up until the operator says otherwise. What was to be taken back, and cannot be, is for a credit by hand.
create or replace function usage.park(p_id uuid, p_error text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	o usage.outbox;
begin
	update usage.outbox n set state = 'parked', error = p_error, claim = null, claimed_until = null
	where n.id = p_id returning * into o;
	if o.cancels is not null then
		perform ops.raise_alert(o.tenant_id, 'usage_credit', o.id::text,
			jsonb_build_object('meter', o.meter, 'units', o.units, 'error', p_error));
		return;
	end if;
	perform ops.raise_alert(o.tenant_id, 'usage_parked', o.tenant_id || ':' || o.meter, jsonb_build_object(
		'error', p_error, 'records', (
			select count(*) from usage.outbox n
			where n.tenant_id = o.tenant_id and n.meter = o.meter and n.state = 'parked' and n.cancels is null)));
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

-- Stripe has it, or has taken it back.
create or replace function service.usage_told(p_claim uuid, p_id uuid) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	o usage.outbox;
begin
	perform usage.require_claim(p_claim, p_id);
	update usage.outbox n set state = 'sent', sent_at = now(), error = null, claim = null, claimed_until = null
	where n.id = p_id returning * into o;
	if o.cancels is not null then
		perform usage.take_back(o, true);
	end if;
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
-- been told to Stripe for half an hour, because an invoice takes what comes within an hour after its period. What is
-- corrected later is old when it comes, so it counts once it has been tried. An alert of a cap ends with its period, or
-- when the cap is not used so far any more. How many holds have ended. Answers of models end with their holds.
create or replace function service.tend_usage(p_most int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	expired int;
begin
	perform ops.watch(o.at < now() - interval '30 min', null, 'usage_outbox', 'stripe',
		jsonb_build_object('since', o.at))
	from (
		select min(n.at) as at from usage.outbox n
		where n.state = 'pending' and (n.attempts > 0 or n.round = 0 and n.cancels is null)) o
	where o.at < now() - interval '30 min' or exists (
		select from ops.alerts a where a.kind = 'usage_outbox' and a.cleared_at is null);
	update ops.alerts a set cleared_at = now()
	where a.kind = 'usage_cap' and a.cleared_at is null and not exists (
		select from usage.accounts c
		where c.id = split_part(a.subject, ':', 2)::bigint and c.until_at > now()
			and c.used >= c.cap * (split_part(a.subject, ':', 1)::int / 100.0));
	expired := usage.expire(p_most);
	perform chat.tend(p_most);
	return to_jsonb(expired);
end
$$;

-- Parked records are tried again, those that Stripe has found wrong by another identifier. How many. An identifier
-- keeps when it was first tried and how often: Stripe may have it. What is for a credit by hand stays.
create or replace function ops.retry_usage() returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	n int;
begin
	update usage.outbox o set state = 'pending', next_at = now()
	where o.state = 'parked' and o.cancels is null;
	get diagnostics n = row_count;
	update ops.alerts a set cleared_at = now() where a.kind in ('usage_parked', 'meter_errors')
		and a.cleared_at is null;
	return to_jsonb(n);
end
$$;

-- Gives up the parked records of a tenant, which Stripe is not told of any more: {"records", "units"}. Their days are
-- compared anew, without them.
create or replace function ops.drop_usage(p_tenant uuid) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	dropped usage.outbox[];
	done jsonb;
begin
	with gone as (
		update usage.outbox o set state = 'dropped', error = 'dropped: ' || o.error
		where o.tenant_id = p_tenant and o.state = 'parked' and o.cancels is null returning o.*)
	select array_agg(g::usage.outbox) into dropped from gone g;
	done := (
		select jsonb_build_object('records', count(*), 'units', coalesce(sum(d.units - d.less), 0))
		from unnest(dropped) d);
	perform usage.mark_day(d) from unnest(dropped) d;
	perform audit.note('usage_dropped', p_tenant, null, null, done) where dropped is not null;
	update ops.alerts a set cleared_at = now()
	where a.kind = 'usage_parked' and a.tenant_id = p_tenant and a.cleared_at is null;
	return done;
end
$$;

reset role;
