-- How turns go on and end: checkpoints, settlements, and what is left of those whose program has died.

set role tollgate_service;

-- Why a turn must not go on; null: it may.
create or replace function chat.stop_of(t chat.turns) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return case
		when t.state <> 'open' then t.state
		when not auth.goes_on(t.session_id) or not exists (
			select from app.members m join app.tenants n on n.id = m.tenant_id
			where m.tenant_id = t.tenant_id and m.user_id = t.user_id and n.closes_at is null) then 'session' end;
end
$$;

-- What is known so far of a hold: its counts in the ledger, and the text in the conversation. False: it has ended.
create or replace function chat.write_checkpoint(t chat.turns, p_document jsonb) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	h usage.holds := (select k from usage.holds k where k.id = t.hold_id);
	who jsonb := usage.model_of(h, p_document ->> 'provider', p_document ->> 'model');
begin
	if h.state <> 'held' then
		return false;
	end if;
	if not chat.is_blank(p_document ->> 'text') then
		update chat.messages m set text = p_document ->> 'text' where m.hold_id = h.id and m.state = 'open';
	end if;
	return p_document -> 'usage' is null or usage.checkpoint(h.tenant_id, h.id, chat.counts_of(p_document -> 'usage',
		who ->> 'provider', who ->> 'model', h.costs), who ->> 'provider', who ->> 'model');
end
$$;

-- The hold of a turn. TG404: this is none.
create or replace function chat.hold_of(p_hold text) returns usage.holds
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	h usage.holds;
begin
	select k.* into h from usage.holds k
	where k.id = usage.uuid_of(p_hold) and k.key_id is null and k.request like 'chat:%';
	if h.id is null then
		raise exception 'no such hold' using errcode = 'TG404';
	end if;
	return h;
end
$$;

-- The turn of a hold, locked. Of a title, after the conversation that it is for. Null: its user or tenant is gone.
create or replace function chat.lock_turn(p_hold uuid) returns chat.turns
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	t chat.turns;
begin
	select k.* into t from chat.turns k where k.hold_id = p_hold;
	if t.kind = 'title' then
		perform chat.lock_conversation(t.user_id, t.chat_id);
	end if;
	select k.* into t from chat.turns k where k.hold_id = p_hold for no key update;
	return t;
end
$$;

-- Which state an answer is stored in: what is blank is no answer.
create or replace function chat.stored_state(p_state text, p_text text) returns text
language sql immutable as $$
	select case when not chat.is_blank(coalesce(p_text, '')) or p_state = 'failed' then p_state else 'empty' end
$$;

-- Writes what came of a turn beside the ledger: the answer, or the title.
create or replace function chat.write_end(t chat.turns, p_document jsonb, p_provider text, p_model text, p_counted text)
	returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	totals jsonb := chat.totals_of(p_document -> 'usage');
	said text := coalesce(p_document ->> 'text', '');
begin
	update chat.turns k set state = 'ended' where k.hold_id = t.hold_id and k.state <> 'ended';
	if t.kind = 'answer' then
		update chat.messages m set text = said, state = chat.stored_state(p_document ->> 'state', said),
			finish = p_document ->> 'finish', provider = p_provider, provider_model = p_model,
			input = (totals -> 'input')::bigint, output = (totals -> 'output')::bigint, counted = p_counted,
			first_ms = (p_document ->> 'first_ms')::int, ms = (p_document ->> 'ms')::int
		where m.hold_id = t.hold_id;
	elsif t.kind = 'title' and p_document ->> 'state' = 'complete' and not chat.is_blank(said) then
		update chat.conversations c set title = chat.opening_of(said) where c.user_id = t.user_id and c.id = t.chat_id;
	end if;
end
$$;

-- Alerts the operator: the provider of a model sends counts of tokens that cannot be.
create or replace function chat.tell_alerts(p_alerts jsonb, p_provider text, p_model text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform ops.raise_alert(null, 'model_usage', p_provider || ':' || p_model || ':' || a.name,
		jsonb_build_object('provider', p_provider, 'model', p_model, 'fault', a.name))
	from jsonb_array_elements_text(case jsonb_typeof(p_alerts) when 'array' then p_alerts else '[]' end) a (name)
	where a.name in ('usage_low', 'usage_high', 'usage_wrong')
	order by a.name;
end
$$;

-- Ends at most p_most turns whose holds have expired, because their programs have died. Returns how many.
create or replace function chat.tend(p_most int) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	gone uuid[] := array(
		select t.hold_id from chat.turns t join usage.holds h on h.id = t.hold_id
		where t.state = 'open' and h.state <> 'held'
		order by t.hold_id limit p_most for no key update of t skip locked);
begin
	perform chat.end_turn(hold, 'ended') from unnest(gone) hold;
	return cardinality(gone);
end
$$;

-- Deletes at most p_most turns that began 30 days ago. How many.
create or replace function chat.drop_turns(p_most int) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	n bigint;
begin
	delete from chat.turns d where d.hold_id = any (array(
		select t.hold_id from chat.turns t
		where t.state <> 'open' and t.created_at < now() - interval '720 hours' limit p_most));
	get diagnostics n = row_count;
	return n;
end
$$;

reset role;
