-- The workspace page. Security invoker: row-level security decides what is shown.

set role tollgate_owner;

-- What was bought for the user's address and is not the user's yet.
create or replace function app.offer_documents() returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('id', o.tenant_id, 'plan', 'plan_' || o.plan,
			'date', api.date_document(o.created_at)) order by o.created_at, o.tenant_id), '[]')
		from app.offers o where o.user_id = (select auth.uid()) and o.accepted_at is null);
end
$$;

create or replace function api.workspace_page(p_tenant uuid default null) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
	mine app.members := app.my_tenant(p_tenant);
	tenants jsonb;
begin
	select coalesce(jsonb_agg(t.doc || jsonb_build_object('role', 'role_' || m.role, 'plan', 'plan_' || s.plan,
		'status', api.status_name(s.status), 'status_class', api.status_class(s.status)) order by t.n), '[]')
	into tenants
	from jsonb_array_elements(app.tenant_documents(mine.tenant_id)) with ordinality t (doc, n)
		join app.members m on m.tenant_id = (t.doc ->> 'id')::uuid and m.user_id = me
		cross join lateral billing.current_subscription(m.tenant_id) s;
	return jsonb_build_object('email', auth.email(), 'tenants', tenants, 'several', jsonb_array_length(tenants) > 1,
		'display_name', (select p.display_name from app.profiles p where p.user_id = me),
		'offers', app.offer_documents());
end
$$;

reset role;
