-- The members of a tenant, and what they may change of it. Each function takes the tenant that its form is for.

set role tollgate_service;

-- TG422: no such name.
create or replace function api.name_tenant(p_tenant uuid, p_name text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
	given text := app.clean_name(p_name, 1, 64);
begin
	perform app.enter_team(p_tenant, 'name');
	update app.tenants t set name = given where t.id = p_tenant and t.name is distinct from given;
	if found then
		perform audit.note('tenant_named', p_tenant, me);
	end if;
	return null;
end
$$;

-- Never the own role, never of somebody above, never one above the own, and never the last owner's (TG409).
create or replace function api.set_role(p_tenant uuid, p_user uuid, p_role text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	mine text := app.enter_team(p_tenant, 'appoint');
	was text := app.role_below(p_tenant, p_user, mine);
begin
	if app.rank_of(p_role) = 0 then
		raise exception 'no such role' using errcode = 'TG422';
	elsif app.rank_of(p_role) > app.rank_of(mine) then
		raise exception 'not with this role' using errcode = 'TG403';
	elsif p_role <> was then
		update app.members m set role = p_role where m.tenant_id = p_tenant and m.user_id = p_user;
		perform app.require_owner(p_tenant) where was = 'owner';
		perform audit.note('role_changed', p_tenant, auth.uid(), p_user,
			jsonb_build_object('was', was, 'role', p_role));
	end if;
	return null;
end
$$;

create or replace function api.remove_member(p_tenant uuid, p_user uuid) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	was text := app.role_below(p_tenant, p_user, app.enter_team(p_tenant, 'remove'));
begin
	perform app.end_membership(p_tenant, p_user);
	perform app.require_owner(p_tenant) where was = 'owner';
	perform audit.note('member_removed', p_tenant, auth.uid(), p_user, jsonb_build_object('was', was));
	return null;
end
$$;

-- TG409: the last owner, who hands over first.
create or replace function api.leave_tenant(p_tenant uuid) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
	was text := app.enter_team(p_tenant, 'leave');
begin
	perform app.end_membership(p_tenant, me);
	perform app.require_owner(p_tenant) where was = 'owner';
	perform audit.note('member_left', p_tenant, me, me, jsonb_build_object('was', was));
	return null;
end
$$;

-- Makes another member an owner, and the session's user an admin. TG409: the other's account is being deleted, or the
-- other is kept out.
create or replace function api.hand_over(p_tenant uuid, p_user uuid) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
	was text := app.role_below(p_tenant, p_user, app.enter_team(p_tenant, 'hand_over'));
begin
	if not app.is_staying(p_user) then
		raise exception 'the other cannot take it over' using errcode = 'TG409';
	end if;
	update app.members m set role = case m.user_id when me then 'admin' else 'owner' end
	where m.tenant_id = p_tenant and m.user_id in (me, p_user);
	perform audit.note('handed_over', p_tenant, me, p_user, jsonb_build_object('was', was));
	return null;
end
$$;

reset role;

set role tollgate_owner;

-- The page of the tenant that the user's pages show. Without one: {"nobody": true}.
create or replace function api.team_page(p_tenant uuid default null) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
	mine app.members := app.my_tenant(p_tenant);
	members jsonb;
	tenants jsonb;
begin
	if mine.tenant_id is null then
		return jsonb_build_object('nobody', true);
	end if;
	members := app.member_documents(mine);
	tenants := app.tenant_documents(me, p_tenant);
	return app.verbs_document(mine.role) || jsonb_build_object('tenant', mine.tenant_id,
		'name', (select t.name from app.tenants t where t.id = mine.tenant_id), 'role', 'role_' || mine.role,
		'members', members, 'alone', jsonb_array_length(members) = 1,
		'several', jsonb_array_length(tenants) > 1, 'tenants', tenants,
		'invitations', app.invitation_documents(mine.tenant_id), 'choices', app.role_choices(mine.role, 'member'));
end
$$;

reset role;
