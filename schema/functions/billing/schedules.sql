-- What a subscription changes to: by its schedule when a phase begins, or once a payment of the change arrives.

set role tollgate_service;

-- The price of these items that decides the plan, as billing.main_item_of does.
create or replace function billing.main_price_of(p_items jsonb) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return billing.price_of(billing.main_item_of(jsonb_build_object('items', jsonb_build_object('data', p_items))));
end
$$;

-- The next phase of an expanded schedule; null without one. A schedule that is over has no current phase.
create or replace function billing.coming_phase(p_doc jsonb) returns jsonb
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select f from jsonb_path_query(p_doc, '$.schedule.phases[*]') f
		where billing.time_of(f -> 'start_date') >= billing.time_of(p_doc #> '{schedule,current_phase,end_date}')
		order by billing.time_of(f -> 'start_date') limit 1);
end
$$;

-- When a schedule that ends its subscription is over.
create or replace function billing.schedule_end(p_doc jsonb) returns timestamptz
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select max(billing.time_of(f -> 'end_date')) from jsonb_path_query(p_doc, '$.schedule.phases[*]') f
		where p_doc #>> '{schedule,end_behavior}' = 'cancel'
			and p_doc #>> '{schedule,status}' in ('not_started', 'active'));
end
$$;

create or replace function billing.put_coming(s billing.subscriptions, p_doc jsonb) returns billing.subscriptions
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	phase jsonb := billing.coming_phase(p_doc);
	pending jsonb := p_doc -> 'pending_update';
begin
	s.coming_price := billing.main_price_of(phase -> 'items');
	s.coming_plan := billing.plan_of(s.coming_price);
	s.coming_at := billing.time_of(phase -> 'start_date');
	s.pending_until := billing.time_of(pending -> 'expires_at');
	s.pending_price := billing.main_price_of(pending -> 'subscription_items');
	s.pending_plan := billing.plan_of(s.pending_price);
	s.cancel_at := coalesce(s.cancel_at, billing.schedule_end(p_doc));
	return s;
end
$$;

reset role;
