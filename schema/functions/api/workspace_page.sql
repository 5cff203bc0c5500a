-- The workspace page. Row-level security decides what is shown: the page's function is of tollgate_page, to which
-- policies show what app.enter_page() has found to be the user's. Its plans are generic, because making one takes
-- longer than the page.

set role tollgate_page;

-- Offers: what was bought for the user's address and is not the user's yet. Closed: tenants that keep the user out, as
-- one without a second factor. Such a tenant is not shown when it is asked for. "choose": the user may buy the first
-- plan of the tenant.
create or replace function api.workspace_page(p_tenant uuid default null) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
	me record := app.enter_page();
	closed jsonb := app.closed_tenants(me.user_id);
	wanted uuid := case when not closed @> jsonb_build_array(jsonb_build_object('id', p_tenant)) then p_tenant end;
	page record;
begin
	select jsonb_build_object('email', me.email, 'tenants', coalesce(s.documents, '[]'), 'several', s.n > 1,
			'display_name', p.display_name, 'offers', coalesce(o.documents, '[]'),
			'closed', closed) as document, s.found
	into page
	from (
		select jsonb_agg(app.tenant_document(t.id, t.name, t.current, t.role)
				|| (w.standing - '{main,reason}'::text[])
				|| case when w.standing ->> 'reason' = 'reason_no_plan' and t.role <> 'role_member'
					then '{"choose": true}' else '{}' end::jsonb
				order by t.since, t.id) as documents, count(*) as n, bool_or(t.current) as found
		from app.tenants_of(me.user_id, wanted) t cross join lateral billing.decision(t.id) d (decision)
			left join lateral billing.decided_subscription(d.decision) v on true
			cross join lateral billing.standing(d.decision || jsonb_build_object('tenant', t.id), v) w (standing)) s
		cross join (
		select jsonb_agg(jsonb_build_object('id', f.tenant_id, 'plan', 'plan_' || f.plan,
			'date', api.date_document(f.created_at)) order by f.created_at, f.tenant_id) as documents
		from app.offers f where f.accepted_at is null) o
		left join app.profiles p on p.user_id = me.user_id;
	if wanted is not null and page.found is not true then
		raise exception 'no such tenant' using errcode = 'TG404';
	end if;
	return page.document;
end
$$;

reset role;

set role tollgate_owner;

-- Unused. Not in a migration, because until this commit the earlier page calls it.
drop function if exists app.offer_documents();

reset role;
