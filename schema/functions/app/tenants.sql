-- Which tenants a user belongs to, and for which one a page acts.

set role tollgate_rls;

-- Reads memberships without recursion: policies call this function, and a policy of its own role applies to it.
create or replace function app.my_tenants() returns uuid[]
language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (select coalesce(array_agg(m.tenant_id), '{}') from app.members m where m.user_id = (select auth.uid()));
end
$$;

-- The tenants for which the user may act: as owner or admin.
create or replace function app.managed_tenants() returns uuid[]
language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (select coalesce(array_agg(m.tenant_id), '{}') from app.members m
		where m.user_id = (select auth.uid()) and m.role in ('owner', 'admin'));
end
$$;

reset role;

set role tollgate_owner;

-- The tenant that the pages act for: of those the user manages the newest, else the newest membership.
create or replace function app.my_tenant() returns app.members
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
	mine app.members;
begin
	select m.* into mine from app.members m join app.tenants t on t.id = m.tenant_id
	where m.user_id = (select auth.uid()) and t.status = 'active'
	order by (m.role = 'member'), m.created_at desc, m.tenant_id limit 1;
	return mine;
end
$$;

reset role;
