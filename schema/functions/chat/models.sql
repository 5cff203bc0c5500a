-- Which models a turn may ask.

set role tollgate_service;

create or replace function chat.model(p_name text) returns chat.models
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	m chat.models;
begin
	select k.* into m from chat.models k where k.name = p_name and k.offered;
	return m;
end
$$;

-- The model and its fallback, those of them that have a price:
-- [{"name", "provider", "model", "max_tokens", "room"}...].
-- room is how many tokens each can be asked.
create or replace function chat.candidates(m chat.models) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('name', k.name, 'provider', k.provider, 'model', k.model,
			'max_tokens', k.max_tokens, 'room', k.context - k.max_tokens) order by k.name <> m.name), '[]')
		from chat.models k
		where k.offered and k.name in (m.name, m.fallback) and 2 = (
			select count(*) from usage.costs c
			where c.provider = k.provider and c.model = k.model and c.class in ('input', 'output')
				and c.to_at is null));
end
$$;

-- How many tokens each of them can be asked. Null: there are no candidates.
create or replace function chat.room_of(p_candidates jsonb) returns bigint
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return (select min((c -> 'room')::bigint) from jsonb_array_elements(p_candidates) c);
end
$$;

-- As usage.reserve() takes them.
create or replace function chat.models_of(p_candidates jsonb) returns jsonb
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('provider', c.doc ->> 'provider', 'model', c.doc ->> 'model')
			order by c.n), '[]')
		from jsonb_array_elements(p_candidates) with ordinality c (doc, n));
end
$$;

-- The seconds until the first of them may be tried, where the breaker of each is open; else null.
create or replace function chat.wait_of(p_candidates jsonb) returns int
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select case when count(*) = count(b.until) then usage.seconds_to(min(b.until), now()) end
		from jsonb_array_elements(p_candidates) c left join chat.breakers b on b.provider = c ->> 'provider'
			and b.model = c ->> 'model' and chat.breaker_state(b.state, b.until) = 'open');
end
$$;

-- The candidates as a turn is told them: with "breaker", of which "half" is for this turn alone, and bounded by p_most.
create or replace function chat.told_candidates(p_candidates jsonb, p_most bigint) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	told jsonb := '[]';
	c jsonb;
	breaker text;
begin
	for c in select k.doc from jsonb_array_elements(p_candidates) with ordinality k (doc, n) order by k.n loop
		breaker := (
			select chat.breaker_state(b.state, b.until) from chat.breakers b
			where b.provider = c ->> 'provider' and b.model = c ->> 'model');
		if breaker = 'half' and not chat.take_probe(c ->> 'provider', c ->> 'model') then
			breaker := 'open';
		end if;
		told := told || (c - 'room' || jsonb_build_object('breaker', coalesce(breaker, 'closed'),
			'max_tokens', least(p_most, (c -> 'max_tokens')::bigint)));
	end loop;
	return told;
end
$$;

reset role;
