-- Whether a model is worth asking. The state is rows, so that all processes and the page of states agree.

set role tollgate_service;

-- "closed"; "open" until its time, and while one call tries; "half": one may try.
create or replace function chat.breaker_state(p_state text, p_until timestamptz) returns text
language sql stable as $$
	select case when coalesce(p_state, 'closed') = 'closed' then 'closed' when p_until > now() then 'open'
		else 'half' end
$$;

-- Of each model that may be asked: its calls of the last five minutes, how many failed, and its breaker. until: when an
-- open one may be tried.
create or replace function chat.provider_health()
	returns table (provider text, model text, calls bigint, failures bigint, state text, until timestamptz)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return query
	select m.provider, m.model, coalesce(c.calls, 0)::bigint, coalesce(c.failures, 0)::bigint,
		chat.breaker_state(b.state, b.until), b.until
	from (select distinct k.provider, k.model from chat.models k where k.offered) m
		left join chat.breakers b on b.provider = m.provider and b.model = m.model
		left join (
			select k.provider, k.model, sum(k.calls) as calls, sum(k.failures) as failures from chat.calls k
			where k.at > now() - interval '5 min' group by 1, 2) c on c.provider = m.provider and c.model = m.model
	order by m.provider, m.model;
end
$$;

-- How long a breaker stays open the n-th time in a row.
create or replace function chat.open_for(p_trips int) returns interval
language sql immutable as $$
	select least(interval '5 min', interval '15 s' * power(2, least(p_trips, 10)))
$$;

-- Opens a breaker that is closed or half open. One that is open stays so for at least p_least.
create or replace function chat.open_breaker(p_provider text, p_model text, p_least interval) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	insert into chat.breakers as b (provider, model, state, trips, until)
	values (p_provider, p_model, 'open', 1, now() + greatest(p_least, chat.open_for(1)))
	on conflict (provider, model) do update set state = 'open', changed_at = now(),
		trips = b.trips + (b.state <> 'open')::int,
		until = case when b.state = 'open' then greatest(b.until, now() + p_least)
			else now() + greatest(p_least, chat.open_for(b.trips + 1)) end
	where b.state <> 'open' or b.until < now() + p_least;
end
$$;

-- Takes the probe of a breaker whose time is over: no other call may try for a minute. False: there is none to take.
create or replace function chat.take_probe(p_provider text, p_model text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update chat.breakers b set state = 'half', until = now() + interval '1 min', changed_at = now()
	where b.provider = p_provider and b.model = p_model and b.state <> 'closed' and b.until <= now();
	return found;
end
$$;

-- Gives the probe back, so that the next call may try at once. The call that had it says nothing of the model's health:
-- its client has left, or the model has refused the request.
create or replace function chat.give_probe(p_provider text, p_model text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update chat.breakers b set until = now()
	where b.provider = p_provider and b.model = p_model and b.state = 'half' and b.until > now();
end
$$;

-- Whether half of the calls of the last minute failed, five at least.
create or replace function chat.fails_often(p_provider text, p_model text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(sum(c.failures) >= 5 and sum(c.failures) * 2 >= sum(c.calls), false) from chat.calls c
		where c.provider = p_provider and c.model = p_model and c.at > now() - interval '1 min');
end
$$;

-- Opens the breaker and alerts the operator: a key is refused, a model is gone, or a limit of spending is reached. The
-- alert ends with the next call that succeeds.
create or replace function chat.tell_denied(p_provider text, p_model text, p_outcome text, p_status int) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform ops.raise_alert(null, 'model_denied', p_provider || ':' || p_model, jsonb_build_object(
		'provider', p_provider, 'model', p_model, 'outcome', p_outcome, 'status', nullif(p_status, 0)));
	perform chat.open_breaker(p_provider, p_model, interval '5 min');
end
$$;

create or replace function chat.close_breaker(p_provider text, p_model text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update chat.breakers b set state = 'closed', trips = 0, until = null, changed_at = now()
	where b.provider = p_provider and b.model = p_model and b.state <> 'closed';
	if found then
		perform ops.end_alert('model_denied', p_provider || ':' || p_model);
	end if;
end
$$;

-- Deletes at most p_most rows of calls that were made an hour ago. How many.
create or replace function chat.drop_calls(p_most int) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	n bigint;
begin
	delete from chat.calls d where d.ctid = any (array(
		select c.ctid from chat.calls c where c.at < now() - interval '1 hour' limit p_most for update skip locked));
	get diagnostics n = row_count;
	return n;
end
$$;

-- A call and what came of it: see schema/functions/api/chat.sql. TG422: an unknown model or outcome.
create or replace function api.chat_note_call(p_provider text, p_model text, p_outcome text, p_status int default 0,
	p_ms int default null) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	failed boolean := p_outcome in ('error', 'busy', 'denied', 'gone', 'spent');
begin
	if not coalesce(failed or p_outcome in ('ok', 'invalid', 'left'), false) or not exists (
			select from chat.models m where m.provider = p_provider and m.model = p_model) then
		raise exception 'no such call' using errcode = 'TG422';
	end if;
	if p_outcome <> 'left' then
		insert into chat.calls as c (provider, model, at, calls, failures)
		values (p_provider, p_model, date_bin('10 s', now(), 'epoch'), 1, failed::int)
		on conflict (provider, model, at) do update set calls = c.calls + 1, failures = c.failures + failed::int;
	end if;
	if p_outcome = 'ok' then
		perform chat.close_breaker(p_provider, p_model);
	elsif p_outcome in ('invalid', 'left') then
		perform chat.give_probe(p_provider, p_model);
	elsif p_outcome in ('denied', 'gone', 'spent') then
		perform chat.tell_denied(p_provider, p_model, p_outcome, p_status);
	elsif failed and (chat.fails_often(p_provider, p_model) or exists (
			select from chat.breakers b
			where b.provider = p_provider and b.model = p_model and b.state = 'half')) then
		perform chat.open_breaker(p_provider, p_model, '0');
	end if;
	return jsonb_build_object('breaker', coalesce((
		select chat.breaker_state(b.state, b.until) from chat.breakers b
		where b.provider = p_provider and b.model = p_model), 'closed'));
end
$$;

reset role;
