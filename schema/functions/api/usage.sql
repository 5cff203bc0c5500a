-- What a tenant's programs ask of the ledger, with a key. Documents come as they were sent.

set role tollgate_service;

-- The members that a document may have. p_call: "reserve", "settle" or "record".
create or replace function usage.members_of(p_call text) returns text[]
language sql immutable as $$
	select case p_call when 'settle' then '{id,units,counts,provider,model,free}'::text[]
		when 'record' then '{meter,units,counts,user,provider,model}'
		else '{meter,units,counts,user,provider,model,models,seconds}' end
$$;

-- TG422: not an object, or one with another member.
create or replace function usage.require_members(p_doc jsonb, p_call text) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	if jsonb_typeof(p_doc) is distinct from 'object' or exists (
			select from jsonb_object_keys(p_doc) m where m <> all (usage.members_of(p_call))) then
		raise exception 'no such member' using errcode = 'TG422';
	end if;
end
$$;

-- Null for a text that is no UUID with its hyphens.
create or replace function usage.uuid_of(p_text text) returns uuid
language sql immutable as $$
	select case when p_text ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then p_text::uuid end
$$;

-- The member "user": a member of the tenant (TG422), or null.
create or replace function usage.user_of(p_tenant uuid, p_doc jsonb) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	who uuid := usage.uuid_of(p_doc ->> 'user');
begin
	if p_doc ->> 'user' is not null and not exists (
			select from app.members m where m.tenant_id = p_tenant and m.user_id = who) then
		raise exception 'no such user' using errcode = 'TG422';
	end if;
	return who;
end
$$;

-- {class: units} of "counts", or of "units", which are of the one class "unit". Null: both, or neither. A number has
-- one form, 5 for 5.0, so that it is the same when it is said again.
create or replace function usage.counts_of(p_doc jsonb) returns jsonb
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
	counts jsonb := case when p_doc ? 'counts' and p_doc ? 'units' then null
		when p_doc ? 'counts' then p_doc -> 'counts'
		when p_doc ? 'units' then jsonb_build_object('unit', p_doc -> 'units') end;
begin
	if jsonb_typeof(counts) = 'object' then
		counts := (
			select coalesce(jsonb_object_agg(c.key, case jsonb_typeof(c.value)
				when 'number' then to_jsonb(trim_scale(c.value::numeric)) else c.value end), '{}')
			from jsonb_each(counts) c);
	end if;
	return counts;
end
$$;

-- Whether "provider" and "model" (null: any) are one of "models".
create or replace function usage.names_one(p_models jsonb, p_provider jsonb, p_model jsonb) returns boolean
language sql immutable as $$
	select p_models @> jsonb_build_array(jsonb_strip_nulls(
		jsonb_build_object('provider', p_provider, 'model', p_model)))
$$;

-- Those that may do the work: "models", at most ten of {"provider", "model"}; or the one of "provider" and "model"; or
-- the meter itself. TG422: no such list, or one that "provider" and "model" contradict.
create or replace function usage.models_of(p_doc jsonb) returns jsonb
language plpgsql immutable security definer set search_path = pg_catalog, pg_temp as $$
declare
	models jsonb := coalesce(p_doc -> 'models', jsonb_build_array(jsonb_build_object(
		'provider', coalesce(p_doc ->> 'provider', ''), 'model', coalesce(p_doc ->> 'model', p_doc ->> 'meter'))));
begin
	if jsonb_typeof(models) <> 'array' or jsonb_array_length(models) not between 1 and 10 or exists (
			select from jsonb_array_elements(models) m
			where jsonb_typeof(m) <> 'object' or jsonb_typeof(m -> 'provider') is distinct from 'string'
				or jsonb_typeof(m -> 'model') is distinct from 'string' or m - '{provider,model}'::text[] <> '{}')
			or not usage.names_one(models, p_doc -> 'provider', p_doc -> 'model') then
		raise exception 'no such models' using errcode = 'TG422';
	end if;
	return models;
end
$$;

-- A whole number as it was sent; p_otherwise where there is none. Anything else is -1, which no reader takes.
create or replace function usage.number_of(p_value jsonb, p_otherwise int) returns int
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return case when p_value is null then p_otherwise
		when jsonb_typeof(p_value) = 'number' and p_value::numeric between 0 and 1000000
			and p_value::numeric = trunc(p_value::numeric) then p_value::int else -1 end;
end
$$;

-- {"meter", "units" or "counts", "user", "provider", "model", "models", "seconds"}, all but the first two optional. See
-- usage.reserve(). TG401, TG403: the key.
create or replace function api.usage_reserve(p_doc jsonb, p_request text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	k app.keys := app.require_key('write');
	who uuid;
begin
	perform usage.require_members(p_doc, 'reserve');
	who := usage.user_of(k.tenant_id, p_doc);
	if who is not null and auth.contacts(array[who]) = '[]' then
		raise exception 'a suspended user' using errcode = 'TG422';
	end if;
	return usage.reserve(k.tenant_id, who, k.id, p_doc ->> 'meter',
		usage.counts_of(p_doc), usage.models_of(p_doc), p_request, usage.number_of(p_doc -> 'seconds', 300));
end
$$;

-- {"id", "units" or "counts", "provider", "model", "free"}. See usage.settle(). TG404: the tenant's keys have no such
-- hold.
create or replace function api.usage_settle(p_doc jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	k app.keys := app.require_key('write');
	one uuid := usage.uuid_of(p_doc ->> 'id');
begin
	perform usage.require_members(p_doc, 'settle');
	if jsonb_typeof(p_doc -> 'id') is distinct from 'string'
			or jsonb_typeof(coalesce(p_doc -> 'free', 'false')) <> 'boolean' then
		raise exception 'what is settled' using errcode = 'TG422';
	elsif not exists (select from usage.holds h where h.id = one and h.key_id is not null) then
		raise exception 'no such hold' using errcode = 'TG404';
	end if;
	return usage.settle(k.tenant_id, one, usage.counts_of(p_doc), p_doc ->> 'provider', p_doc ->> 'model', 'told',
		coalesce((p_doc -> 'free')::boolean, false));
end
$$;

-- {"meter", "units" or "counts", "user", "provider", "model"}. See usage.record().
create or replace function api.usage_record(p_doc jsonb, p_request text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	k app.keys := app.require_key('write');
begin
	perform usage.require_members(p_doc, 'record');
	return usage.record(k.tenant_id, usage.user_of(k.tenant_id, p_doc), k.id, p_doc ->> 'meter', usage.counts_of(p_doc),
		usage.models_of(p_doc), p_request);
end
$$;

create or replace function api.usage_summary() returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	k app.keys := app.require_key('read');
begin
	return usage.summary(k.tenant_id);
end
$$;

reset role;
