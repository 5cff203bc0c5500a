-- Answers: a user's message and what a model says to it, in the order of the conversation.

set role tollgate_service;

-- The answer to this message that came last.
create or replace function chat.last_answer(m chat.messages) returns chat.messages
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	a chat.messages;
begin
	select k.* into a from chat.messages k
	where k.user_id = m.user_id and k.chat_id = m.chat_id and k.answers = m.id order by k.attempt desc limit 1;
	return a;
end
$$;

create or replace function chat.open_turn(p_user uuid, p_chat text) returns chat.turns
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	t chat.turns;
begin
	select k.* into t from chat.turns k
	where k.user_id = p_user and k.chat_id = p_chat and k.kind = 'answer' and k.state = 'open';
	return t;
end
$$;

-- What is to be done about a request: "answer" it, "busy", "replay" what is stored, or "message": it does not fit.
-- m: the message by its id, a: its last answer, t: the turn that is open in the conversation.
--
-- The message of a turn whose process has died may be sent again.
create or replace function chat.verdict_on(p_request jsonb, m chat.messages, a chat.messages, t chat.turns) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return case
		when m.id is null then 'answer'
		when m.role <> 'user' then 'message'
		when p_request ->> 'trigger' = 'regenerate-message' then 'answer'
		when m.text <> p_request ->> 'text' then case when p_request ->> 'message_id' = m.id then 'answer'
			else 'message' end
		when a.hold_id = t.hold_id and chat.is_alive(t) then 'busy'
		when exists (
			select from chat.messages k
			where k.user_id = m.user_id and k.chat_id = m.chat_id and k.n > m.n and k.role = 'user')
			then case when p_request ->> 'message_id' = m.id then 'answer'
				when not chat.is_blank(a.text) then 'replay' else 'message' end
		when a.state = 'complete' then 'replay'
		else 'answer' end;
end
$$;

-- An answer that made way for a later message, or whose program has died, has no finish and no counts.
create or replace function chat.replay(m chat.messages, a chat.messages) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return jsonb_build_object('state', 'replay', 'chat', a.chat_id, 'message', m.id, 'answer', a.id,
		'attempt', a.attempt, 'text', a.text, 'finish', coalesce(a.finish, 'error'),
		'usage', jsonb_build_object('input', coalesce(a.input, 0), 'output', coalesce(a.output, 0)), 'model', a.model,
		'display_name', (select k.label from chat.models k where k.name = a.model));
end
$$;

-- Ends a turn that is under way, because another message of the conversation is answered (p_state "later"), because the
-- conversation is deleted ("deleted"), or because its program has died ("ended"). What is settled afterwards counts.
create or replace function chat.end_turn(p_hold uuid, p_state text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update chat.turns t set state = p_state where t.hold_id = p_hold and t.state = 'open';
	update chat.messages m set state = case when chat.is_blank(m.text) then 'empty' else 'partial' end, finish = 'error'
	where m.hold_id = p_hold and m.state = 'open';
end
$$;

-- What the conversation begins with, on one line.
create or replace function chat.opening_of(p_text text) returns text
language sql immutable as $$
	select left(btrim(regexp_replace(left(p_text, 400), '\s+', ' ', 'g')), 80)
$$;

-- Writes the conversation, the user's message and the answer that begins: the attempt. What followed the message is
-- gone. 40001: the conversation was begun by another request meanwhile, so the transaction is run again, and finds it.
create or replace function chat.write_answer(p_user uuid, p_tenant uuid, p_model text, p_request jsonb,
	c chat.conversations, m chat.messages, p_answer text, p_hold uuid) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	nth int;
begin
	if c.id is null then
		insert into chat.conversations (user_id, id, tenant_id, model, opening)
		values (p_user, p_request ->> 'chat', p_tenant, p_model, chat.opening_of(p_request ->> 'text'))
		on conflict do nothing;
		if not found then
			raise exception 'it is there by now' using errcode = '40001';
		end if;
	else
		update chat.conversations k set updated_at = now(), model = p_model where k.user_id = p_user and k.id = c.id;
	end if;
	if m.id is not null then
		delete from chat.messages k where k.user_id = p_user and k.chat_id = c.id and k.n > m.n;
	end if;
	insert into chat.messages as k (user_id, chat_id, id, tenant_id, role, text, attempt)
	values (p_user, p_request ->> 'chat', p_request ->> 'message', p_tenant, 'user', p_request ->> 'text', 1)
	on conflict (user_id, chat_id, id) do update set text = excluded.text, attempt = k.attempt + 1
	returning k.attempt - 1 into nth;
	insert into chat.messages (user_id, chat_id, id, tenant_id, role, text, attempt, answers, state, model, hold_id)
	values (p_user, p_request ->> 'chat', p_answer, p_tenant, 'assistant', '', nth, p_request ->> 'message', 'open',
		p_model, p_hold);
	return nth;
end
$$;

-- What a model would be told of a request: {"list", "bytes", "input"}.
create or replace function chat.told(p_user uuid, p_request jsonb, m chat.messages, p_candidates jsonb)
	returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	first int := (select coalesce(octet_length(s.system), 0) + 16 from chat.settings s);
	said jsonb := chat.history(p_user, p_request ->> 'chat', m.n, p_request ->> 'text',
		coalesce(chat.room_of(p_candidates), 0) - first);
begin
	return said || jsonb_build_object('input', chat.input_bound(p_user, p_request ->> 'chat', m.n,
		p_request ->> 'text', (said -> 'bytes')::bigint + first, p_candidates));
end
$$;

-- A turn begins: its document, or a refusal. t: the turn that makes way.
create or replace function chat.begin_answer(p_user uuid, p_session uuid, p_tenant uuid, p_decision jsonb,
	p_request jsonb, c chat.conversations, m chat.messages, t chat.turns) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	s chat.settings := (select k from chat.settings k);
	choice record;
	candidates jsonb;
	said jsonb;
	held jsonb;
	answer text := replace(gen_random_uuid()::text, '-', '');
	attempt int;
begin
	select k.m, k.refused into choice
	from chat.choose(c.model, p_request ->> 'model', s.model, p_decision ->> 'plan') k;
	if choice.refused is not null then
		return chat.refusal(choice.refused ->> 'code', choice.refused ->> 'reason', null, p_tenant, p_user, p_decision);
	end if;
	candidates := chat.candidates(choice.m);
	if chat.is_busy(p_user, (p_request ->> 'most')::int) then
		return chat.refusal('many', null, null, p_tenant, p_user, p_decision);
	end if;
	held := chat.take(p_tenant, p_user, p_decision, candidates);
	if not (held -> 'ok')::boolean then
		return chat.untaken(held);
	end if;
	said := chat.told(p_user, p_request, m, candidates);
	held := held || case when t.hold_id is null
		then chat.hold(p_tenant, p_user, p_decision, candidates, (said -> 'input')::bigint, (choice.m).max_tokens,
			answer)
		else chat.take_over(p_tenant, p_user, p_decision, candidates, (said -> 'input')::bigint,
			(choice.m).max_tokens, answer, t.hold_id) end;
	if not (held -> 'ok')::boolean then
		return chat.untaken(held);
	end if;
	attempt := chat.write_answer(p_user, p_tenant, (choice.m).name, p_request, c, m, answer, (held ->> 'id')::uuid);
	perform chat.note_turn((held ->> 'id')::uuid, p_user, p_session, p_tenant, p_request ->> 'chat', 'answer',
		(said -> 'input')::bigint);
	return chat.started(held, choice.m, s.system, said -> 'list', (said -> 'input')::bigint) || jsonb_build_object(
		'chat', p_request -> 'chat', 'message', p_request -> 'message', 'answer', answer, 'attempt', attempt,
		'created', c.id is null);
end
$$;

reset role;
