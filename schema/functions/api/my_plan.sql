-- The plan of a user, for programs.

set role tollgate_service;

create or replace function billing.interval_of(p_price text) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (select p.interval from billing.prices p where p.id = p_price);
end
$$;

reset role;

set role tollgate_page;

-- {"plan", "paid", "interval", "canceled", "period_end"} of the tenant that the user's pages show. The plan is the one
-- that the tenant may use, or null. paid: by a subscription, and not as the free plan or by the operator's word. The
-- rest is of the subscription that the decision is of. canceled: it has ended, or its end is set. interval is Stripe's:
-- day, week, month or year; it and period_end are null beside a plan that is not the subscription's.
create or replace function api.my_plan(p_tenant uuid default null) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
	me record := app.enter_page();
	mine jsonb := jsonb_path_query_first(app.tenant_documents(me.user_id, p_tenant), '$[*] ? (@.current == true)');
	granted jsonb := billing.decision((mine ->> 'id')::uuid);
	s billing.subscriptions := (select v from billing.decided_subscription(granted) v);
	allowed boolean := (granted -> 'allowed')::boolean;
	own boolean := not allowed or granted ->> 'plan' is not distinct from s.plan;
begin
	return jsonb_build_object('plan', case when allowed then granted ->> 'plan' end,
		'paid', allowed and granted ->> 'reason' not in ('free', 'override'),
		'interval', case when own then billing.interval_of(s.price) end,
		'canceled', s.id is not null and (not billing.is_live(s.status)
			or billing.scheduled_end(s.cancel_at, s.cancel_at_period_end, s.period_end) is not null),
		'period_end', case when own then api.date_document(s.period_end) -> 'iso' end);
end
$$;

reset role;
