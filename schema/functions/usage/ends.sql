-- How work ends: what it used is booked once, whatever happened to the one who did it.

set role tollgate_service;

-- Ends a hold whose row and accounts are locked. h.counts, h.provider, h.model and h.counted are known. p_free: the
-- tenant pays nothing, though the provider may have been paid. p_whole: the provider's account and that of all are
-- charged what was held.
create or replace function usage.end_hold(h usage.holds, p_state text, p_free boolean, p_whole boolean)
	returns usage.holds
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	cost bigint := usage.cost_of(h.counts, h.provider, h.model, h.costs);
begin
	h.spent := case when p_free then 0 else usage.units_of(h.counts) end;
	h.spent_micros := case when p_free then 0 else cost end;
	h.outer_micros := case when p_whole then greatest(h.micros, cost) else cost end;
	update usage.holds k set state = p_state, counts = h.counts, provider = h.provider, model = h.model,
		spent = h.spent, spent_micros = h.spent_micros, outer_micros = h.outer_micros, counted = h.counted,
		ended_at = now()
	where k.id = h.id returning * into h;
	perform usage.book(h.accounts, h.units, h.micros, h.spent, h.spent_micros, h.outer_micros, h.provider);
	perform usage.tell(h.id, h, h.spent, h.spent_micros);
	return h;
end
$$;

-- A day's total, and what Stripe is told, of a hold or a correction of it.
create or replace function usage.tell(p_record uuid, h usage.holds, p_units bigint, p_micros bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	insert into usage.days as d (tenant_id, from_at, day, meter, user_id, provider, model, units, micros, records)
	select h.tenant_id, a.from_at, now()::date, h.meter, h.user_id, h.provider, h.model, p_units, p_micros,
		(p_record = h.id)::int
	from usage.accounts a where a.id = any (h.accounts) and a.kind = 'tenant' and a.meter = h.meter
	on conflict (tenant_id, from_at, meter, day, user_id, provider, model) do update set
		units = d.units + excluded.units, micros = d.micros + excluded.micros, records = d.records + excluded.records;
	if h.sold and p_units > 0 then
		insert into usage.outbox (id, tenant_id, meter, units, at)
		values (p_record, h.tenant_id, h.meter, p_units, now());
	elsif h.sold and p_units < 0 then
		insert into usage.outbox (id, tenant_id, meter, units, at, cancels)		-- next to what it is taken back from
		select p_record, o.tenant_id, o.meter, p_units, o.at + interval '1 us', o.id
		from usage.outbox o where o.id = h.id;
	end if;
end
$$;

-- TG404: the tenant has no such hold.
create or replace function usage.lock_hold(p_tenant uuid, p_id uuid) returns usage.holds
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	h usage.holds;
begin
	select k.* into h from usage.holds k where k.id = p_id and k.tenant_id = p_tenant for no key update;
	if h.id is null then
		raise exception 'no such hold' using errcode = 'TG404';
	end if;
	return h;
end
$$;

-- Who did it: one of those that were foreseen (TG422). p_model null: the only one, or the first, of the provider if
-- there is one.
create or replace function usage.model_of(h usage.holds, p_provider text, p_model text) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	found_one jsonb := (
		select m.doc from jsonb_array_elements(h.models) with ordinality m (doc, n)
		where m.doc ->> 'model' = coalesce(p_model, m.doc ->> 'model')
			and m.doc ->> 'provider' = coalesce(p_provider,
				case when p_model is null then m.doc ->> 'provider' else '' end)
		order by m.n limit 1);
begin
	if found_one is null then
		raise exception 'model' using errcode = 'TG422';
	end if;
	return found_one;
end
$$;

-- What was used in the end: {class: units}, which may be more than was held. Said again, it is answered again. Of a
-- hold that has expired meanwhile the difference is a correction. TG409: it has ended with something else.
create or replace function usage.settle(p_tenant uuid, p_id uuid, p_counts jsonb, p_provider text, p_model text,
	p_counted text, p_free boolean) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp
	set plan_cache_mode = force_generic_plan as $$
declare
	h usage.holds := usage.lock_hold(p_tenant, p_id);
	who jsonb := usage.model_of(h, p_provider, p_model);
begin
	perform usage.require_counts(h, p_counts, who);
	perform usage.lock_accounts(h.accounts);
	if h.state = 'expired' then
		return usage.correct(h, p_counts, who, p_free);
	elsif h.state = 'settled' then
		if (h.counts, h.provider, h.model, h.spent) is distinct from (p_counts, who ->> 'provider', who ->> 'model',
				case when p_free then 0 else usage.units_of(p_counts) end) then
			raise exception 'it has ended otherwise' using errcode = 'TG409';
		end if;
		return usage.hold_document(h);
	end if;
	h.counts := p_counts;
	h.provider := who ->> 'provider';
	h.model := who ->> 'model';
	h.counted := p_counted;
	h := usage.end_hold(h, 'settled', p_free, false);
	return usage.hold_document(h);
end
$$;

create or replace function usage.require_counts(h usage.holds, p_counts jsonb, p_who jsonb) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	fault text := usage.counts_fault(p_counts);
begin
	if fault is null then
		fault := usage.cost_fault(usage.cost_of(p_counts, p_who ->> 'provider', p_who ->> 'model', h.costs));
	end if;
	if fault is not null then
		raise exception '%', fault using errcode = 'TG422';
	end if;
end
$$;

-- What was said after the end, once: the difference to what was counted then. It is booked with the provider that the
-- hold has ended with.
create or replace function usage.correct(h usage.holds, p_counts jsonb, p_who jsonb, p_free boolean) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	said bytea := usage.digest_of(p_counts::text, p_who::text, p_free::text);
	c usage.corrections := (select k from usage.corrections k where k.hold_id = h.id);
	cost bigint := usage.cost_of(p_counts, p_who ->> 'provider', p_who ->> 'model', h.costs);
begin
	if c.id is null then
		insert into usage.corrections (hold_id, digest, units, micros, outer_micros)
		values (h.id, said, case when p_free then 0 else usage.units_of(p_counts) end - h.spent,
			case when p_free then 0 else cost end - h.spent_micros, cost - h.outer_micros)
		returning * into c;
		perform usage.book(h.accounts, 0, 0, c.units, c.micros, c.outer_micros, h.provider);
		perform usage.tell(c.id, h, c.units, c.micros);
	elsif c.digest <> said then
		raise exception 'it has ended otherwise' using errcode = 'TG409';
	end if;
	return usage.hold_document(h) || jsonb_build_object('used', h.spent + c.units, 'micros', h.spent_micros + c.micros);
end
$$;

-- What is known of it so far, which is what its tenant pays if nobody comes back. False: it has ended.
create or replace function usage.checkpoint(p_tenant uuid, p_id uuid, p_counts jsonb, p_provider text, p_model text)
	returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	h usage.holds := usage.lock_hold(p_tenant, p_id);
	who jsonb := usage.model_of(h, p_provider, p_model);
begin
	perform usage.require_counts(h, p_counts, who);
	update usage.holds k set counts = p_counts, provider = who ->> 'provider', model = who ->> 'model'
	where k.id = h.id and k.state = 'held';
	return found;
end
$$;

-- Ends a hold whose row and accounts are locked, without a word of who did the work: user and tenant pay what was known
-- of it, the provider's account and that of all the whole.
create or replace function usage.expire_hold(h usage.holds) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	h.counts := coalesce(h.counts, '{}');
	h.provider := coalesce(h.provider, h.models -> 0 ->> 'provider');
	h.model := coalesce(h.model, h.models -> 0 ->> 'model');
	h.counted := 'checkpoint';
	perform usage.end_hold(h, 'expired', false, true);
end
$$;

-- Ends the holds that nobody came back for, at most p_most at once. Returns how many.
create or replace function usage.expire(p_most int) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp
	set plan_cache_mode = force_generic_plan as $$
declare
	late usage.holds[] := array(
		select k from usage.holds k where k.state = 'held' and k.expires_at <= now()
		order by k.expires_at limit p_most for no key update skip locked);
	h usage.holds;
begin
	perform usage.lock_accounts(array(select distinct unnest(k.accounts) from unnest(late) k));
	foreach h in array late loop
		perform usage.expire_hold(h);
	end loop;
	return cardinality(late);
end
$$;

-- What was used already: counted whatever plan and caps say, because refusing it would not undo it. Only how often it
-- may be said is limited, as usage.reserve() is.
create or replace function usage.record(p_tenant uuid, p_user uuid, p_key uuid, p_meter text, p_counts jsonb,
	p_models jsonb, p_request text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp
	set plan_cache_mode = force_generic_plan as $$
declare
	digest bytea := usage.digest_of('record', p_user::text, p_meter, p_counts::text, p_models::text);
	h usage.holds := usage.known_hold(p_tenant, p_request, digest);
	decision jsonb;
	rates jsonb;
	period record;
begin
	if h.id is not null then
		return usage.repeated(h);
	end if;
	perform usage.require_request(p_meter, p_counts, p_models, p_request, 1);
	decision := billing.decision(p_tenant);
	rates := usage.rate_request(p_tenant, p_user, p_meter, decision ->> 'plan', p_request, digest);
	if rates ? 'refused' then
		return usage.rate_document(rates);
	end if;
	select p.* into period from usage.period_of(decision, now()) p;
	h.costs := usage.prices_of(p_models);
	h.accounts := usage.take_accounts(p_tenant, p_user, p_meter, decision ->> 'plan',
		usage.providers_of(p_key, p_models), h.costs <> '{}', period.from_at, period.until_at);
	h := usage.add_hold(p_tenant, p_user, p_key, p_meter, decision ->> 'plan', p_models, p_request, digest, 1, 0, 0,
		h.costs, h.accounts);
	h.counts := p_counts;
	h.provider := p_models -> 0 ->> 'provider';
	h.model := p_models -> 0 ->> 'model';
	h.counted := 'told';
	h := usage.end_hold(h, 'settled', false, false);
	return usage.hold_document(h) || jsonb_build_object('limits', rates -> 'limits');
end
$$;

reset role;
