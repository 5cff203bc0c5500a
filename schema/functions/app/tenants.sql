-- Which tenants a user belongs to, and for which one a page acts.

set role tollgate_rls;

-- Whether the tenant lets this member in. A tenant that closes lets nobody in. A tenant that demands a second factor
-- lets in a member who has one, or whose session was begun or confirmed by a passkey. This is decided here alone:
-- app.my_tenants(), app.managed_tenants(), app.enter_page() and app.tenants_of() ask it.
create or replace function app.lets_in(p_tenant uuid, p_user uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return not exists (
		select from app.tenants t where t.id = p_tenant and (t.closes_at is not null
			or t.demands_factor and not auth.has_factor(p_user) and not auth.came_by_passkey(p_user)));
end
$$;

-- The active tenants that keep this member out: [{"id", "name"}...].
create or replace function app.closed_tenants(p_user uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name) order by t.name, t.id), '[]')
		from app.members m join app.tenants t on t.id = m.tenant_id
		where m.user_id = p_user and t.status = 'active' and t.demands_factor and t.closes_at is null
			and not app.lets_in(t.id, p_user));
end
$$;

-- Reads memberships without recursion: policies call this function, and a policy of its own role applies to it.
create or replace function app.my_tenants() returns uuid[]
language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (select coalesce(array_agg(m.tenant_id), '{}') from app.members m
		where m.user_id = (select auth.uid()) and app.lets_in(m.tenant_id, m.user_id));
end
$$;

-- The tenants for which the user may act: as owner or admin.
create or replace function app.managed_tenants() returns uuid[]
language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (select coalesce(array_agg(m.tenant_id), '{}') from app.members m
		where m.user_id = (select auth.uid()) and m.role in ('owner', 'admin')
			and app.lets_in(m.tenant_id, m.user_id));
end
$$;

-- Every function of role tollgate_page calls this first. It proves the session (else TG401), and writes the user and
-- the user's tenants into three settings, which the policies of tollgate_page read. Any role can write these settings,
-- so no other role's policies read them. tollgate_page cannot log in, and its functions read the settings only after
-- this call has overwritten them.
create or replace function app.enter_page(out user_id uuid, out email text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me record := auth.require_session();
	said record;
begin
	select set_config('page.user', me.user_id::text, true),
		set_config('page.tenants', coalesce(array_agg(m.tenant_id), '{}')::text, true),
		set_config('page.managed',
			coalesce(array_agg(m.tenant_id) filter (where m.role in ('owner', 'admin')), '{}')::text, true)
	into said from app.members m where m.user_id = me.user_id and app.lets_in(m.tenant_id, me.user_id);
	user_id := me.user_id;
	email := me.email;
end
$$;

reset role;

set role tollgate_owner;

-- The active tenants of a user. The current one is the one that a page acts for: the wanted one; by default the user's
-- last choice, else one with a live subscription before one without, one that the user manages before another, and then
-- the oldest membership. A newer tenant, which another person may have paid for, does not come before it.
create or replace function app.tenants_of(p_user uuid, p_wanted uuid)
	returns table (id uuid, name text, current boolean, role text, since timestamptz)
language sql stable as $$
	select m.tenant_id, t.name, m.tenant_id = coalesce(p_wanted, first_value(m.tenant_id) over (
			order by p.tenant_id is null, not exists (
				select from billing.subscriptions s where s.tenant_id = m.tenant_id and billing.is_live(s.status)),
				m.role = 'member', m.created_at, m.tenant_id)),
		'role_' || m.role, m.created_at
	from app.members m join app.tenants t on t.id = m.tenant_id
		left join app.profiles p on p.user_id = m.user_id and p.tenant_id = m.tenant_id
	where m.user_id = p_user and t.status = 'active' and app.lets_in(t.id, p_user)
$$;

-- What pages show of one.
create or replace function app.tenant_document(p_id uuid, p_name text, p_current boolean, p_role text) returns jsonb
language sql stable as $$
	select jsonb_build_object('id', p_id, 'name', p_name, 'current', p_current, 'role', p_role)
$$;

-- The documents of the user's tenants.
create or replace function app.tenant_documents(p_user uuid, p_wanted uuid) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
	tenants jsonb := (
		select coalesce(jsonb_agg(app.tenant_document(t.id, t.name, t.current, t.role) order by t.since, t.id), '[]')
		from app.tenants_of(p_user, p_wanted) t);
begin
	if p_wanted is not null and not tenants @> '[{"current": true}]' then
		raise exception 'no such tenant' using errcode = 'TG404';
	end if;
	return tenants;
end
$$;

-- Unused. Not in a migration, because until this commit the earlier pages call it.
drop function if exists app.tenant_documents(uuid);

-- The membership in the tenant that a page acts for; null without one.
create or replace function app.my_tenant(p_wanted uuid default null) returns app.members
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.uid();
	mine app.members;
begin
	select m.* into mine from jsonb_array_elements(app.tenant_documents(me, p_wanted)) t (doc)
		join app.members m on m.user_id = me and m.tenant_id = (t.doc ->> 'id')::uuid
	where (t.doc -> 'current')::boolean;
	return mine;
end
$$;

-- Whether a form that was made for one tenant is sent to the page of that tenant. p_shown: the tenant that the address
-- names. "state": "same"; "other" with both; "gone": the user does not belong to the form's tenant any more.
create or replace function api.match_tenant(p_shown uuid, p_form uuid) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
	gone boolean := p_form is not null and p_form <> all (app.my_tenants());
	shown app.members := app.my_tenant(case when gone then null else p_shown end);
begin
	return jsonb_build_object('tenant', coalesce(p_form, shown.tenant_id), 'state', case
			when gone then 'gone'
			when p_form <> shown.tenant_id then 'other'
			else 'same' end,
		'asked', (select t.name from app.tenants t where t.id = p_form),
		'shown', (select t.name from app.tenants t where t.id = shown.tenant_id));
end
$$;

reset role;

set role tollgate_service;

-- Whether the session's user has something to show, be it that a tenant keeps the user out: who has not may sign up.
create or replace function api.has_tenant() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return to_jsonb(exists (
		select from app.tenants t join app.members m on m.tenant_id = t.id
		where m.user_id = auth.uid() and t.status = 'active'));
end
$$;

-- Makes it the tenant that the user's pages show.
create or replace function api.choose_tenant(p_tenant uuid) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
begin
	if p_tenant is null or p_tenant <> all (app.my_tenants()) then
		raise exception 'no such tenant' using errcode = 'TG404';
	end if;
	update app.profiles p set tenant_id = p_tenant where p.user_id = me;
	return null;
end
$$;

reset role;
