-- A tenant that nobody has paid for: of who registers. It has the free plan, where there is one.

set role tollgate_service;

create or replace function billing.found_tenant(p_user uuid, p_email text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	tenant uuid := gen_random_uuid();
begin
	insert into app.tenants (id, status, activated_at, name)
	values (tenant, 'active', now(), billing.name_for(p_user, p_email));
	insert into app.members (tenant_id, user_id, role) values (tenant, p_user, 'owner');
end
$$;

reset role;
