-- What else its user pays for: a page shows one tenant, and a person may have several.

set role tollgate_owner;

-- The live subscriptions that the user manages besides this one, which may be null. The decision about a tenant is of
-- one of its subscriptions: another one stands for itself. One whose first payment has not been made is not paid for,
-- unless a bank has that payment under way.
create or replace function billing.other_list(p_shown text) returns table (documents jsonb)
language sql stable rows 1 as $$
	select coalesce(jsonb_agg(jsonb_build_object('tenant', t.id, 'name', t.name, 'plan', 'plan_' || s.plan,
		'status', v.standing -> 'status', 'status_class', v.standing -> 'status_class',
		'next', billing.next_document(s)) order by m.created_at, s.created_at, s.id), '[]')
	from app.members m join app.tenants t on t.id = m.tenant_id join billing.subscriptions s on s.tenant_id = t.id
		join billing.subscription_history h on h.subscription_id = s.id and h.to_at is null
		left join billing.status_rules r on r.status = h.status
		cross join lateral billing.decision(t.id) d
		cross join lateral billing.standing(case when d ->> 'subscription' = s.id or d ->> 'reason' = 'override'
			then d else billing.verdict_on(h, r, exists (
				select from billing.restricting_disputes(h.tenant_id, h.created_at, now())), now()) end, s) v (standing)
	where m.role <> 'member' and t.status = 'active' and billing.is_live(s.status) and s.id is distinct from p_shown
		and (s.status <> 'incomplete' or billing.bank_wait(t.id) is not null)
$$;

-- Unused. Not in a migration, because until this commit the earlier page calls it.
drop function if exists billing.other_documents(text);

-- Whether the user pays for another tenant than this one, which is to buy a plan: true or false. A first payment that
-- has not been made does not count.
create or replace function api.pays_elsewhere(p_tenant uuid) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
begin
	return to_jsonb(exists (
		select from app.members m join app.tenants t on t.id = m.tenant_id join billing.subscriptions s
			on s.tenant_id = t.id
		where m.user_id = me and m.role <> 'member' and t.status = 'active' and billing.is_live(s.status)
			and s.status <> 'incomplete' and t.id <> p_tenant));
end
$$;

reset role;
