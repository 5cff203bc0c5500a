-- What is for sale, as a visitor sees it before there is a tenant or a user.

set role tollgate_service;

-- Until the price has been fetched the configured amount is shown; without one none is.
create or replace function billing.cost_document(p_plan billing.plans, p_price billing.prices) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
	fetched boolean := p_price.synced_at is not null;
	pace text := case when fetched then p_price.interval else p_plan.interval end;
	every bigint := case when fetched then coalesce(p_price.interval_count, 1) else 1 end;
	amount jsonb := case when fetched then api.amount_document(p_price.amount, p_price.currency)
		else api.amount_document(p_plan.amount, p_plan.currency) end;
begin
	return jsonb_build_object('amount', amount, 'interval', pace, 'interval_count', every,
		'tax_behavior', p_price.tax_behavior,
		'period', 'period_' || pace || case when every > 1 then 's' else '' end);
end
$$;

-- The plans from small to large. Those of one product at Stripe, as a monthly and a yearly one, stand beside each
-- other; pair is true for the first of them. For a tenant of the user's had_trial is true if it gets no trial.
create or replace function api.offered_plans(p_tenant uuid default null) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	had_trial boolean := p_tenant is not null
		and billing.had_trial(billing.manager_tenant(p_tenant), lower(auth.email()));
begin
	return (
		select coalesce(jsonb_agg(o.doc || jsonb_build_object('pair', o.many > 1 and o.n = 1, 'had_trial', had_trial)
			order by o.place, o.rank, o.id), '[]')
		from (
			select p.id, p.rank, min(p.rank) over w as place, count(*) over w as many,
				row_number() over (w order by p.rank, p.id) as n,
				billing.cost_document(p, s) || jsonb_build_object('id', p.id, 'label', 'plan_' || p.id,
					'about', 'plan_' || p.id || '_about', 'features', to_jsonb(p.features),
					'meters', usage.tariffs(p)) as doc
			from billing.plans p left join billing.prices s on s.id = p.price
			where p.offered and not p.free
			window w as (partition by coalesce(s.product, ':' || p.id))) o);
end
$$;

-- Unused. Not in a migration, because until this commit the earlier pages call it.
drop function if exists api.offered_plans();

reset role;
