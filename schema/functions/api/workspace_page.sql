-- The workspace page. Security invoker: row-level security decides what is shown.

set role tollgate_owner;

create or replace function api.workspace_page() returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
begin
	return jsonb_build_object('email', auth.email(),
		'display_name', (select p.display_name from app.profiles p where p.user_id = me),
		'tenants', (
			select coalesce(jsonb_agg(jsonb_build_object('role', 'role_' || m.role, 'plan', 'plan_' || s.plan,
				'status', api.status_name(s.status), 'status_class', api.status_class(s.status))
				order by m.created_at desc, m.tenant_id), '[]')
			from app.members m join app.tenants t on t.id = m.tenant_id
				cross join lateral billing.current_subscription(m.tenant_id) s
			where m.user_id = me and t.status = 'active'));
end
$$;

reset role;
