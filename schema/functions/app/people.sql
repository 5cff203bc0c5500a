-- Who belongs to a tenant, as its pages show them.

set role tollgate_service;

-- The people of a tenant, as the session's user may see them: {ID: {"name", "initials", "email"}}. Every member sees
-- the members. A member who may read the audit log also sees the users in it, without the site's operators. "email" is
-- null for a member who may not invite. TG404: the tenant is none of the session's user.
create or replace function app.people(p_tenant uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	mine text := case when p_tenant = any (app.my_tenants()) then app.role_in(p_tenant, auth.uid()) end;
	told uuid[] := array(select m.user_id from app.members m where m.tenant_id = p_tenant);
begin
	if mine is null then
		raise exception 'no such tenant' using errcode = 'TG404';
	elsif app.may(mine, 'audit') then
		told := told || array(
			select v.id from audit.entries e join audit.kinds k on k.kind = e.kind and not k.by_operator
				cross join unnest(array[e.user_id, e.subject_id]) v (id)
			where e.tenant_id = p_tenant and v.id is not null group by v.id);
	end if;
	return (
		select coalesce(jsonb_object_agg(p.user_id, jsonb_build_object('name', p.display_name,
			'initials', app.initials_of(p.display_name),
			'email', case when app.may(mine, 'invite') then auth.address_of(p.user_id) end)), '{}')
		from app.profiles p where p.user_id = any (told));
end
$$;

reset role;

set role tollgate_owner;

-- The roles that may be given with this one, the lowest first: [{"value", "label", "chosen"}...].
create or replace function app.role_choices(p_mine text, p_chosen text) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('value', r.role, 'label', 'called_' || r.role,
			'chosen', r.role = p_chosen) order by r.rank), '[]')
		from app.roles r join app.roles o on o.role = p_mine and r.rank <= o.rank);
end
$$;

-- The verbs of a role as a page asks for them: {"may_invite": true, ...}.
create or replace function app.verbs_document(p_role text) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return (select coalesce(jsonb_object_agg('may_' || v.verb, true), '{}') from app.role_verbs v
		where v.role = p_role);
end
$$;

create or replace function app.member_documents(mine app.members) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
	people jsonb := app.people(mine.tenant_id);
	my_rank int := (select r.rank from app.roles r where r.role = mine.role);
begin
	return (
		select jsonb_agg(people -> m.user_id::text || jsonb_build_object('id', m.user_id, 'role', 'called_' || m.role,
			'me', m.user_id = mine.user_id,
			'roles', case when c.below and v.appoint then app.role_choices(mine.role, m.role) end,
			'removable', c.below and v.remove) order by r.rank desc, m.created_at, m.user_id)
		from app.members m join app.roles r on r.role = m.role
			cross join lateral (select r.rank <= my_rank and m.user_id <> mine.user_id) c (below)
			cross join (
				select coalesce(bool_or(w.verb = 'appoint'), false), coalesce(bool_or(w.verb = 'remove'), false)
				from app.role_verbs w where w.role = mine.role) v (appoint, remove)
		where m.tenant_id = mine.tenant_id);
end
$$;

-- Invitations that nobody has accepted, for those who may see them.
create or replace function app.invitation_documents(p_tenant uuid) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'email', i.email, 'role', 'called_' || i.role,
			'expired', i.expires_at <= now(), 'until', api.date_document(i.expires_at))
			order by i.created_at, i.id), '[]')
		from app.invitations i
		where i.tenant_id = p_tenant and i.accepted_at is null and i.revoked_at is null);
end
$$;

reset role;
