-- How the models of chat answer: for /status, and as an alert.

set role tollgate_service;

-- Of each model the calls of the last minutes and its breaker (chat.provider_health). A fifth of ten calls or more that
-- failed is elevated.
create or replace function ops.model_health() returns table (provider text, model text, calls bigint, failures bigint,
	breaker text, until timestamptz, elevated boolean)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return query
	select h.provider, h.model, h.calls, h.failures, h.state, h.until, h.calls >= 10 and h.failures * 5 >= h.calls
	from chat.provider_health() h;
end
$$;

-- The rate in percent, of ten calls or more: fewer would tell that there were so few.
create or replace function ops.model_states() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('provider', h.provider, 'model', h.model,
			'state', case when h.breaker <> 'closed' then 'down' when h.elevated then 'elevated' else 'up' end,
			'breaker', h.breaker, 'until', api.date_document(h.until),
			'error_rate', case when h.calls >= 10 then round(100.0 * h.failures / h.calls) end)
				order by h.provider, h.model), '[]')
		from ops.model_health() h);
end
$$;

-- Raises the alert for a model whose rate of errors is elevated. It ends once the breaker is closed and fewer than a
-- tenth of its calls fail, or when it is asked no more by configuration: not as soon as the rate is a little lower,
-- because then one disturbance would be told again and again.
create or replace function service.watch_models() returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform ops.raise_alert(null, 'model_errors', h.provider || ':' || h.model, jsonb_build_object('percent',
		100 * h.failures / h.calls, 'breaker', h.breaker))
	from ops.model_health() h where h.elevated;
	perform ops.end_alert(a.kind, a.subject)
	from ops.alerts a
	where a.kind = 'model_errors' and a.cleared_at is null and not exists (
		select from ops.model_health() h
		where h.provider || ':' || h.model = a.subject
			and (h.breaker <> 'closed' or h.calls > 0 and h.failures * 10 >= h.calls));
	return null;
end
$$;

reset role;
