-- The documents of pages. Security invoker: what they can read, row-level security lets their login role read.

set role tollgate_owner;

-- A day for a template to print; the month is a name in the language catalogues.
create or replace function api.date_document(p_at timestamptz) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
	utc timestamp := p_at at time zone 'UTC';
begin
	if p_at is null then
		return null;
	end if;
	return jsonb_build_object('iso', to_char(utc, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'day', extract(day from utc)::int,
		'month', 'month_' || extract(month from utc)::int, 'year', extract(year from utc)::int);
end
$$;

-- Stripe's word as the catalogues have it; pending: paid, and the subscription has not been written down yet.
create or replace function billing.status_name(p_status text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return case
		when p_status is null then 'status_pending'
		when p_status in ('active', 'trialing', 'past_due', 'unpaid', 'canceled', 'incomplete', 'incomplete_expired', 'paused')
			then 'status_' || p_status
		else 'status_unknown' end;
end
$$;

create or replace function billing.status_class(p_status text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return case
		when p_status in ('active', 'trialing') then 'good'
		when p_status in ('unpaid', 'canceled', 'incomplete_expired') then 'bad'
		else 'warn' end;
end
$$;

-- Of a tenant's subscriptions the one that counts: a live one before an ended one, then the newest.
create or replace function billing.current_subscription(p_tenant uuid) returns billing.subscriptions
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
	current billing.subscriptions;
begin
	select s.* into current from billing.subscriptions s where s.tenant_id = p_tenant
	order by case when s.status in ('active', 'trialing') then 0 when s.status in ('canceled', 'incomplete_expired') then 2
		else 1 end, s.created_at desc nulls last, s.id limit 1;
	return current;
end
$$;

-- Of a user's tenants the one that the billing page and the portal are about: where the user may act, the newest.
create or replace function billing.my_tenant() returns app.members
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

create or replace function api.workspace_page() returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
begin
	return jsonb_build_object('email', auth.email(),
		'display_name', (select p.display_name from app.profiles p where p.user_id = me),
		'tenants', (
			select coalesce(jsonb_agg(jsonb_build_object('role', 'role_' || m.role, 'plan', 'plan_' || s.plan,
				'status', billing.status_name(s.status), 'status_class', billing.status_class(s.status))
				order by m.created_at desc, m.tenant_id), '[]')
			from app.members m join app.tenants t on t.id = m.tenant_id
				cross join lateral billing.current_subscription(m.tenant_id) s
			where m.user_id = me and t.status = 'active'));
end
$$;

reset role;
