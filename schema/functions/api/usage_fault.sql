-- Which field of a refused request is wrong, and why. Asked only once it was refused, so that no other request pays.

set role tollgate_service;

-- The first of the faults that every request may have: {"field", "reason"}, or null.
create or replace function usage.form_fault(p_call text, p_doc jsonb) returns jsonb
language sql immutable as $$
	select jsonb_build_object('field', f.field, 'reason', f.reason)
	from (
		select 1, m, 'is unknown' from jsonb_object_keys(p_doc) m where m <> all (usage.members_of(p_call))
		union all select 2, r, 'is missing' from (select case p_call when 'settle' then 'id' else 'meter' end) n (r)
		where coalesce(p_doc -> r, 'null') = 'null'
		union all select 3, t, 'must be a text' from unnest('{id,meter,user,provider,model}'::text[]) t
		where jsonb_typeof(p_doc -> t) not in ('string', 'null')
		union all select 4, 'units', case when p_doc ? 'units' then 'stands beside counts: send one of them'
			else 'is missing, as is counts' end where (p_doc ? 'units') = (p_doc ? 'counts')
		union all select 5, 'units', 'must be a whole number from 0 to 1000000000000'
		where p_doc ? 'units' and usage.counts_fault(jsonb_build_object('unit', p_doc -> 'units')) is not null
		union all select 6, 'counts', 'must be an object: {"input": 10, "output": 500}'
		where jsonb_typeof(p_doc -> 'counts') <> 'object' or p_doc -> 'counts' = '{}'
		union all select 7, 'counts.' || c.key, case when c.key ~ '^[a-z0-9_]{1,40}$'
			then 'must be a whole number from 0 to 1000000000000' else 'has no name of a-z, 0-9 and _' end
		from jsonb_each(case jsonb_typeof(p_doc -> 'counts') when 'object' then p_doc -> 'counts' else '{}' end) c
		where usage.counts_fault(jsonb_build_object(c.key, c.value)) is not null
		union all select 8, 'counts', 'must be at most 1000000000000 in all'
		where usage.counts_fault(p_doc -> 'counts') = 'units in all'
		union all select 9, 'seconds', 'must be a whole number from 1 to 3600'
		where usage.number_of(p_doc -> 'seconds', 300) not between 1 and 3600
		union all select 10, 'free', 'must be true or false'
		where jsonb_typeof(p_doc -> 'free') <> 'boolean'
		union all select 11, case when usage.names_one(p_doc -> 'models', null, p_doc -> 'model') then 'provider'
			else 'model' end, 'contradicts models' where jsonb_typeof(p_doc -> 'models') = 'array'
			and not usage.names_one(p_doc -> 'models', p_doc -> 'provider', p_doc -> 'model')) f (n, field, reason)
	order by f.n, f.field limit 1
$$;

-- Whether nothing else is wrong with it but that it costs more than one record may.
create or replace function usage.costs_too_much(p_tenant uuid, p_call text, p_doc jsonb) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	counts jsonb := usage.counts_of(p_doc);
	models jsonb;
	prices bigint[];
begin
	if p_call = 'settle' then
		select jsonb_build_array(m.doc), h.costs into models, prices
		from usage.holds h cross join lateral usage.model_of(h, p_doc ->> 'provider', p_doc ->> 'model') m (doc)
		where h.tenant_id = p_tenant and h.id = usage.uuid_of(p_doc ->> 'id');
	else
		models := usage.models_of(p_doc);
		prices := usage.prices_of(models);
	end if;
	return coalesce(usage.dearest(counts, models, prices) > 1000000000000000, false);
exception when sqlstate 'TG422' then
	return false;
end
$$;

-- The same for what depends on the configuration, the tenant and the hold.
create or replace function usage.meaning_fault(p_tenant uuid, p_call text, p_doc jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return case
		when p_call <> 'settle' and not exists (
				select from usage.meters m where m.meter = p_doc ->> 'meter' and m.offered)
			then '{"field": "meter", "reason": "is no meter of this site"}'
		when p_doc ->> 'user' is not null and not exists (
				select from app.members m where m.tenant_id = p_tenant and m.user_id = usage.uuid_of(p_doc ->> 'user'))
			then '{"field": "user", "reason": "is no member of this account"}'
		when p_call = 'reserve' and p_doc ->> 'user' is not null
				and auth.contacts(array[usage.uuid_of(p_doc ->> 'user')]) = '[]'
			then '{"field": "user", "reason": "is suspended"}'
		when usage.costs_too_much(p_tenant, p_call, p_doc)
			then jsonb_build_object('field', case when p_doc ? 'counts' then 'counts' else 'units' end,
				'reason', 'costs more than 1000000000 in money')::text
		when p_doc ? 'models'
			then '{"field": "models", "reason": "must be 1 to 10 of {\"provider\", \"model\"}, each with a price"}'
		when (p_doc ? 'model' or p_doc ? 'provider') and p_call = 'settle'
			then '{"field": "model", "reason": "was not foreseen by the hold, or has no price for these counts"}'
		when p_call <> 'settle' and coalesce(p_doc ->> 'provider', '') = '' and p_doc ->> 'model' <> p_doc ->> 'meter'
			then '{"field": "model", "reason": "must be the meter, or needs a provider"}'
		when p_doc ? 'model' or p_doc ? 'provider' then '{"field": "model", "reason": "has no price for these counts"}'
		else '{"field": "counts", "reason": "have no price"}' end::jsonb;
end
$$;

-- p_call: "reserve", "settle" or "record".
create or replace function api.usage_fault(p_call text, p_doc jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	k app.keys := app.require_key('read');
begin
	if jsonb_typeof(p_doc) <> 'object' then
		return '{"field": "body", "reason": "must be a JSON object"}';
	end if;
	return coalesce(usage.form_fault(p_call, p_doc), usage.meaning_fault(k.tenant_id, p_call, p_doc));
end
$$;

reset role;
