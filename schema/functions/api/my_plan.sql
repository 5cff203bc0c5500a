-- The plan of a user, for programs.

set role tollgate_service;

-- {"interval", "interval_count"} of a price, both null when it is not known.
create or replace function billing.rhythm_of(p_price text) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (select jsonb_build_object('interval', p.interval, 'interval_count', p.interval_count)
		from (select) one left join billing.prices p on p.id = p_price);
end
$$;

-- Unused. Not in a migration, because until this commit the earlier function calls it.
drop function if exists billing.interval_of(text);

reset role;

set role tollgate_page;

-- {"plan", "paid", "interval", "interval_count", "canceled", "period_end"} of the tenant that the user's pages show.
-- The plan is the one that the tenant may use, or null. paid: by a subscription, and not as the free plan or by the
-- operator's word. The rest is of the subscription that the decision is of. canceled: it has ended, or its end is set.
-- interval and interval_count are Stripe's: every so many of day, week, month or year. period_end: of the present
-- period, or the end if that is earlier. The three are null beside a plan that is not the subscription's.
create or replace function api.my_plan(p_tenant uuid default null) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
	me record := app.enter_page();
	mine jsonb := jsonb_path_query_first(app.tenant_documents(me.user_id, p_tenant), '$[*] ? (@.current == true)');
	granted jsonb := billing.decision((mine ->> 'id')::uuid);
	s billing.subscriptions := (select v from billing.decided_subscription(granted) v);
	allowed boolean := (granted -> 'allowed')::boolean;
	own boolean := not allowed or granted ->> 'plan' is not distinct from s.plan;
	ends timestamptz := billing.scheduled_end(s.cancel_at, s.cancel_at_period_end, s.period_end);
begin
	return jsonb_build_object('plan', case when allowed then granted ->> 'plan' end,
		'paid', allowed and granted ->> 'reason' not in ('free', 'override'),
		'canceled', s.id is not null and (not billing.is_live(s.status) or ends is not null),
		'period_end', case when own then api.date_document(least(s.period_end, s.ended_at, ends)) -> 'iso' end)
		|| billing.rhythm_of(case when own then s.price end);
end
$$;

reset role;
