-- What the configuration says of models.

set role tollgate_service;

-- {"meter", "model", "title_model", "system", "models": [{"name", "label", "provider", "model", "max_tokens",
-- "context", "fallback", "plans", "rank"}...]}. After ops.put_usage(). A model that is listed no more stays, because
-- conversations name it.
create or replace function ops.put_chat(p_chat jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update chat.settings s set meter = p_chat ->> 'meter', model = p_chat ->> 'model',
		title_model = p_chat ->> 'title_model', system = p_chat ->> 'system'
	where true;
	update chat.models m set offered = false where true;
	insert into chat.models as m
	select n.name, n.label, n.provider, n.model, n.max_tokens, n.context, n.fallback, n.plans, n.rank, true
	from jsonb_populate_recordset(null::chat.models, p_chat -> 'models') n
	on conflict (name) do update set label = excluded.label, provider = excluded.provider,
		model = excluded.model, max_tokens = excluded.max_tokens, context = excluded.context,
		fallback = excluded.fallback, plans = excluded.plans, rank = excluded.rank, offered = true;
	return null;
end
$$;

reset role;
