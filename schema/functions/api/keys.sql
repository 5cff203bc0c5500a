-- The keys of a tenant's programs, for its owners.

set role tollgate_service;

-- TG403: no tenant of the user's, or not with this role. Keys that were revoked a month ago are not shown.
create or replace function api.keys_page(p_tenant uuid default null) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	mine app.members := app.my_tenant(p_tenant);
begin
	if mine.tenant_id is null or not app.may(mine.role, 'keys') then
		raise exception 'not with this role' using errcode = 'TG403';
	end if;
	return jsonb_build_object('tenant', mine.tenant_id,
		'name', (select t.name from app.tenants t where t.id = mine.tenant_id),
		'keys', (
			select coalesce(jsonb_agg(jsonb_build_object('id', k.id, 'name', k.name, 'hint', k.hint,
				'scope', 'key_scope_' || case when 'write' = any (k.scopes) then 'write' else 'read' end,
				'created', api.date_document(k.created_at), 'used', api.date_document(k.used_at),
				'revoked', api.date_document(k.revoked_at)) order by k.revoked_at is not null, k.created_at desc), '[]')
			from app.keys k
			where k.tenant_id = mine.tenant_id
				and (k.revoked_at is null or k.revoked_at > now() - interval '30 days')));
end
$$;

-- p_hash: SHA-256(D) of the key, which is made and shown where the owner asked for it. TG422: no such name or scope.
-- TG409: the tenant has 20.
create or replace function api.make_key(p_tenant uuid, p_name text, p_scope text, p_hash bytea, p_hint text)
	returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
	given text := app.clean_name(p_name, 1, 64);
	made uuid;
begin
	perform auth.require_fresh();
	perform app.enter_team(p_tenant, 'keys');
	if coalesce(p_scope not in ('read', 'write'), true) then
		raise exception 'no such scope' using errcode = 'TG422';
	elsif (select count(*) from app.keys k where k.tenant_id = p_tenant and k.revoked_at is null) >= 20 then
		raise exception 'enough keys' using errcode = 'TG409';
	end if;
	insert into app.keys (tenant_id, user_id, name, hint, hash, scopes)
	values (p_tenant, me, given, p_hint, p_hash,
		case p_scope when 'write' then '{read,write}' else '{read}' end::text[])
	returning id into made;
	perform audit.note('key_made', p_tenant, me, null, jsonb_build_object('key', made, 'scope', p_scope));
	return null;
end
$$;

-- TG404: no such key of this tenant that is in force.
create or replace function api.revoke_key(p_tenant uuid, p_key uuid) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
begin
	perform app.enter_team(p_tenant, 'keys');
	update app.keys k set revoked_at = now()
	where k.id = p_key and k.tenant_id = p_tenant and k.revoked_at is null;
	if not found then
		raise exception 'no such key' using errcode = 'TG404';
	end if;
	perform audit.note('key_revoked', p_tenant, me, null, jsonb_build_object('key', p_key));
	return null;
end
$$;

reset role;
