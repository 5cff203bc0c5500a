-- Keys of a tenant's programs. The caller's is in app.bearer, as a session's would be: no key is a session, and no
-- session a key, because their digests begin with other words (lib/auth/api_key.h).

set role tollgate_service;

-- The caller's key, which may do this. TG401: no key that is in force. TG403: it may not.
create or replace function app.require_key(p_scope text) returns app.keys
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	bearer text := current_setting('app.bearer', true);
	k app.keys;
begin
	select n.* into k from app.keys n join app.tenants t on t.id = n.tenant_id
	where n.hash = case when bearer ~ '^[0-9a-f]{64}$' then sha256(decode(bearer, 'hex')) end and n.revoked_at is null
		and t.status = 'active';
	if k.id is null then
		raise exception 'no key' using errcode = 'TG401';
	elsif p_scope <> all (k.scopes) then
		raise exception 'not with this key' using errcode = 'TG403';
	elsif k.used_at is null or k.used_at < now() - interval '1 min' then
		update app.keys n set used_at = now()
		where n.id = k.id and (n.used_at is null or n.used_at < now() - interval '1 min');
	end if;
	return k;
end
$$;

reset role;
