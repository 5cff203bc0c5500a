-- What each role in a tenant may do: app.role_verbs. Row-level security shows by it, and functions act by it.

set role tollgate_rls;

-- The session's tenants in which its user's role has the verb; no others than app.my_tenants().
create or replace function app.tenants_for(p_verb text) returns uuid[]
language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (select coalesce(array_agg(m.tenant_id), '{}')
		from app.members m join app.role_verbs v on v.role = m.role and v.verb = p_verb
		where m.user_id = (select auth.uid()) and m.tenant_id = any (app.my_tenants()));
end
$$;

reset role;

set role tollgate_service;

-- Null for one who is no member.
create or replace function app.role_in(p_tenant uuid, p_user uuid) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (select m.role from app.members m where m.tenant_id = p_tenant and m.user_id = p_user);
end
$$;

-- 0 for no role.
create or replace function app.rank_of(p_role text) returns int
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce((select r.rank from app.roles r where r.role = p_role), 0);
end
$$;

create or replace function app.may(p_role text, p_verb text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return exists (select from app.role_verbs v where v.role = p_role and v.verb = p_verb);
end
$$;

-- For a change of who belongs to a tenant: locks the tenant, so that of two changes the second sees what the first has
-- made, and answers the role of the session's user. TG404: no tenant of the user's. TG403: the role lacks the verb.
create or replace function app.enter_team(p_tenant uuid, p_verb text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
	mine text;
begin
	perform from app.tenants t where t.id = p_tenant and t.status = 'active' for no key update;
	mine := case when found and p_tenant = any (app.my_tenants()) then app.role_in(p_tenant, me) end;
	if mine is null then
		raise exception 'no such tenant' using errcode = 'TG404';
	elsif not app.may(mine, p_verb) then
		raise exception 'not with this role' using errcode = 'TG403';
	end if;
	return mine;
end
$$;

-- The role of another member, who is not above the role p_mine. TG404: no member. TG403: oneself, or somebody above.
create or replace function app.role_below(p_tenant uuid, p_user uuid, p_mine text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	theirs text := app.role_in(p_tenant, p_user);
begin
	if theirs is null then
		raise exception 'no such member' using errcode = 'TG404';
	elsif p_user = auth.uid() or app.rank_of(theirs) > app.rank_of(p_mine) then
		raise exception 'not with this role' using errcode = 'TG403';
	end if;
	return theirs;
end
$$;

-- After an owner has gone: the tenant has another one who stays, or TG409. Where none does, because the operator keeps
-- its owners out, the others still come and go: so only a change that takes an owner asks.
create or replace function app.require_owner(p_tenant uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if not exists (select from app.members m
			where m.tenant_id = p_tenant and m.role = 'owner' and app.is_staying(m.user_id)) then
		raise exception 'the last owner' using errcode = 'TG409';
	end if;
end
$$;

-- Ends a membership. The pages of who is left without it show the next tenant, or none.
create or replace function app.end_membership(p_tenant uuid, p_user uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	delete from app.members m where m.tenant_id = p_tenant and m.user_id = p_user;
	update app.profiles p set tenant_id = null where p.user_id = p_user and p.tenant_id = p_tenant;
end
$$;

reset role;
