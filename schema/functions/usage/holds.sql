-- Work and what it uses: reserved before it begins, settled at whatever end it has, expired if nobody comes back.

set role tollgate_service;

-- What was asked, so that a key that is used again for something else is refused.
create or replace function usage.digest_of(variadic p_parts text[]) returns bytea
language sql immutable as $$
	select sha256(convert_to(to_jsonb(p_parts)::text, 'UTF8'))
$$;

create or replace function usage.require_request(p_meter text, p_counts jsonb, p_models jsonb, p_request text,
	p_seconds int) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	fault text := case
		when not exists (select from usage.meters m where m.meter = p_meter and m.offered) then 'meter'
		when char_length(p_request) not between 1 and 255 or p_request is null then 'key'
		when p_seconds not between 1 and 3600 or p_seconds is null then 'seconds'
		when exists (
			select from jsonb_array_elements(p_models) m
			where m ->> 'provider' = '' and m ->> 'model' is distinct from p_meter) then 'model'
		else usage.counts_fault(p_counts) end;
begin
	if fault is null then
		fault := usage.cost_fault(usage.dearest(p_counts, p_models, usage.prices_of(p_models)));
	end if;
	if fault is not null then
		raise exception '%', fault using errcode = 'TG422';
	end if;
end
$$;

-- The hold that this key has made. TG409: it was used for something else.
create or replace function usage.known_hold(p_tenant uuid, p_request text, p_digest bytea) returns usage.holds
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	h usage.holds;
begin
	select k.* into h from usage.holds k where k.tenant_id = p_tenant and k.request = p_request;
	if h.id is not null and h.digest <> p_digest then
		raise exception 'this key is of another request' using errcode = 'TG409';
	end if;
	return h;
end
$$;

-- Takes one of each rate for a new request, and answers as usage.take_rates() does. A call at the same time that made
-- the hold of p_request held the rates' lock first: then this transaction fails (40001) and takes nothing, and its
-- repetition finds the hold.
create or replace function usage.rate_request(p_tenant uuid, p_user uuid, p_meter text, p_plan text, p_request text,
	p_digest bytea) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	rates jsonb := usage.take_rates(p_tenant, p_plan, p_meter, coalesce(p_user, p_tenant));
	h usage.holds := usage.known_hold(p_tenant, p_request, p_digest);
begin
	if h.id is not null then
		raise exception 'it is there by now' using errcode = '40001';
	end if;
	return rates;
end
$$;

create or replace function usage.hold_document(h usage.holds) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return jsonb_build_object('ok', true, 'id', h.id, 'state', h.state, 'meter', h.meter, 'units', h.units,
		'used', h.spent, 'micros', h.spent_micros, 'expires', api.date_document(h.expires_at) ->> 'iso',
		'left', (
			select min(a.cap + a.overrun - a.used - a.held) from usage.accounts a
			where a.id = any (h.accounts) and a.meter = h.meter),
		'until', (
			select api.date_document(min(a.until_at)) ->> 'iso' from usage.accounts a
			where a.id = any (h.accounts) and a.tenant_id = h.tenant_id));
end
$$;

-- The answer to a request that has made its hold before: it takes none of the rates.
create or replace function usage.repeated(h usage.holds) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return usage.hold_document(h) || jsonb_build_object('limits',
		usage.see_rates(h.tenant_id, h.plan, h.meter, coalesce(h.user_id, h.tenant_id)));
end
$$;

-- Which account has no room, the tenant's own first: "quota" of a meter, "cap" of money, "provider", "unavailable" for
-- the cap of all. Null: there is room in each.
create or replace function usage.full_account(p_ids bigint[], p_units bigint, p_micros bigint) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select jsonb_build_object('code', case when a.meter <> '' then 'quota' when a.tenant_id is not null then 'cap'
				when a.kind = 'provider' then 'provider' else 'unavailable' end,
			'left', greatest(0, a.cap + a.overrun - a.used - a.held),
			'reset', api.date_document(a.until_at) ->> 'iso', 'subject', nullif(a.subject, ''))
		from usage.accounts a
		where a.id = any (p_ids)
			and a.cap + a.overrun - a.used - a.held < case when a.meter = '' then p_micros else p_units end
		order by a.meter = '', a.kind desc, a.id limit 1);
end
$$;

-- Holds p_counts ({class: units}) of a meter for work that begins now. One transaction asks how often the user may
-- begin, what the plan allows, and the caps of all accounts. p_user null: the tenant counts instead. p_models:
-- [{"provider", "model"}...] that may do it. p_request: the caller's own name for it; the same one is answered as
-- before.
--
-- A refusal is an answer, {"ok": false, "code": ...}, because an error would forget that it was tried. TG422: what was
-- asked is unknown or has no price. TG409: p_request named something else.
create or replace function usage.reserve(p_tenant uuid, p_user uuid, p_key uuid, p_meter text, p_counts jsonb,
	p_models jsonb, p_request text, p_seconds int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp
	set plan_cache_mode = force_generic_plan as $$
declare
	-- 300 seconds are left out, as they were before seconds were a part of it
	digest bytea := usage.digest_of(variadic array['reserve', p_user::text, p_meter, p_counts::text, p_models::text]
		|| case when p_seconds <> 300 then array[p_seconds::text] end);
	h usage.holds := usage.known_hold(p_tenant, p_request, digest);
	decision jsonb;
	rates jsonb;
begin
	if h.id is not null then
		return usage.repeated(h);
	end if;
	perform usage.require_request(p_meter, p_counts, p_models, p_request, p_seconds);
	decision := billing.decision(p_tenant);
	if exists (select from app.tenants t where t.id = p_tenant and t.closes_at is not null) then
		decision := decision || '{"allowed": false, "reason": "closing"}';
	end if;
	if not (decision -> 'allowed')::boolean or not exists (
			select from usage.quotas q where q.plan = decision ->> 'plan' and q.meter = p_meter) then
		return jsonb_build_object('ok', false, 'code', 'plan', 'reason', decision ->> 'reason', 'limits',
			usage.see_rates(p_tenant, decision ->> 'plan', p_meter, coalesce(p_user, p_tenant)));
	end if;
	rates := usage.rate_request(p_tenant, p_user, p_meter, decision ->> 'plan', p_request, digest);
	if rates ? 'refused' then
		return usage.rate_document(rates);
	end if;
	return usage.begin_hold(p_tenant, p_user, p_key, p_meter, decision, p_counts, p_models, p_request, digest,
		p_seconds) || jsonb_build_object('limits', rates -> 'limits');
end
$$;

-- The answer to who came too often. p_rates: of usage.take_rates().
create or replace function usage.rate_document(p_rates jsonb) returns jsonb
language plpgsql immutable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return jsonb_build_object('ok', false, 'code', 'rate_' || (p_rates ->> 'refused'),
		'retry_after', p_rates -> 'retry', 'limits', p_rates -> 'limits');
end
$$;

-- The accounts' part of it: takes their room, or tells which has none.
create or replace function usage.begin_hold(p_tenant uuid, p_user uuid, p_key uuid, p_meter text, p_decision jsonb,
	p_counts jsonb, p_models jsonb, p_request text, p_digest bytea, p_seconds int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	h usage.holds;
	period record;
	full_one jsonb;
begin
	select p.* into period from usage.period_of(p_decision, now()) p;
	h.units := usage.units_of(p_counts);
	h.costs := usage.prices_of(p_models);
	h.micros := usage.dearest(p_counts, p_models, h.costs);
	h.accounts := usage.take_accounts(p_tenant, p_user, p_meter, p_decision ->> 'plan',
		usage.providers_of(p_key, p_models), h.costs <> '{}', period.from_at, period.until_at);
	full_one := usage.full_account(h.accounts, h.units, h.micros);
	if full_one is not null then
		return jsonb_build_object('ok', false) || full_one;
	end if;
	h := usage.add_hold(p_tenant, p_user, p_key, p_meter, p_decision ->> 'plan', p_models, p_request, p_digest,
		p_seconds, h.units, h.micros, h.costs, h.accounts);
	return usage.hold_document(h);
end
$$;

-- The row, with its units and money held in its accounts, which are locked.
create or replace function usage.add_hold(p_tenant uuid, p_user uuid, p_key uuid, p_meter text, p_plan text,
	p_models jsonb, p_request text, p_digest bytea, p_seconds int, p_units bigint, p_micros bigint, p_costs bigint[],
	p_accounts bigint[]) returns usage.holds
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	h usage.holds;
begin
	update usage.accounts a set held = a.held + case when a.meter = '' then p_micros else p_units end
	where a.id = any (p_accounts);
	insert into usage.holds (tenant_id, user_id, key_id, request, digest, meter, plan, sold, models, costs, accounts,
		units, micros, expires_at)
	values (p_tenant, p_user, p_key, p_request, p_digest, p_meter, p_plan, usage.sells(p_tenant, p_plan, p_meter),
		p_models, p_costs, p_accounts, p_units, p_micros, now() + make_interval(secs => p_seconds))
	on conflict (tenant_id, request) do nothing returning * into h;
	if h.id is null then
		raise exception 'it is there by now' using errcode = '40001';
	end if;
	return h;
end
$$;

reset role;
