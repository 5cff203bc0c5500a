-- Work without a stream: a title, a summary, a class.

set role tollgate_service;

-- What a model is told to do, and how many tokens the answer may have: room to think before a few words.
create or replace function chat.instruction(p_kind text, p_labels jsonb, out text text, out most int)
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	text := case p_kind
		when 'title' then 'Write a title of at most six words for this conversation, in its language. '
			|| 'Answer with the title alone, without quotes.'
		when 'summary' then 'Summarise this conversation in at most 150 words, in its language. '
			|| 'Answer with the summary alone.'
		else format('Answer with the one of these labels that fits this text best, and nothing else: %s', (
			select string_agg(l.value, ' | ' order by l.n)
			from jsonb_array_elements_text(p_labels) with ordinality l (value, n))) end;
	most := case p_kind when 'summary' then 1024 else 512 end;
end
$$;

-- TG422: not as schema/functions/api/chat.sql says.
create or replace function chat.require_operation(p_request jsonb) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	labels jsonb := p_request -> 'labels';
begin
	if jsonb_typeof(p_request) is distinct from 'object'
			or coalesce(p_request ->> 'kind', '') not in ('title', 'summary', 'classify')
			or coalesce(p_request ->> 'chat', '') !~ '^[A-Za-z0-9_-]{1,64}$'
			or octet_length(p_request ->> 'text') > 65536 then
		raise exception 'no such request' using errcode = 'TG422';
	elsif p_request ->> 'kind' = 'classify' and (jsonb_typeof(labels) is distinct from 'array'
			or jsonb_array_length(labels) not between 2 and 20 or exists (
				select from jsonb_array_elements(labels) l
				where jsonb_typeof(l) <> 'string' or char_length(l #>> '{}') not between 1 and 64
					or chat.is_blank(l #>> '{}') or l #>> '{}' ~ '[[:cntrl:]|]')) then
		raise exception 'no such labels' using errcode = 'TG422';
	end if;
end
$$;

-- A turn begins: its document, or a refusal. The model is the operator's choice, whatever the plan has. TG404: there is
-- nothing to do it with.
create or replace function chat.begin_operation(p_session uuid, p_decision jsonb, p_request jsonb,
	c chat.conversations) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	s chat.settings := (select k from chat.settings k);
	order_text record;
	choice record;
	candidates jsonb;
	subject text;
	input bigint;
	held jsonb;
begin
	select k.m, k.refused into choice
	from chat.choose(coalesce(s.title_model, c.model), null, s.model, null) k;
	if (choice.m).name is null then
		return chat.refusal('unavailable', 'model', null, c.tenant_id, c.user_id, p_decision);
	end if;
	select i.text, i.most into order_text from chat.instruction(p_request ->> 'kind', p_request -> 'labels') i;
	candidates := chat.candidates(choice.m);
	if chat.is_busy(c.user_id, (p_request ->> 'most')::int) then
		return chat.refusal('many', null, null, c.tenant_id, c.user_id, p_decision);
	end if;
	held := chat.take(c.tenant_id, c.user_id, p_decision, candidates);
	if not (held -> 'ok')::boolean then
		return chat.untaken(held);
	end if;
	subject := coalesce(nullif(p_request ->> 'text', ''), case p_request ->> 'kind'
		when 'title' then chat.beginning(c.user_id, c.id)
		else chat.transcript(c.user_id, c.id, chat.room_of(candidates) - octet_length(order_text.text) - 64) end);
	if subject is null or chat.is_blank(subject) then
		raise exception 'nothing in it' using errcode = 'TG404';
	end if;
	input := octet_length(subject) + octet_length(order_text.text) + 32;
	held := held || chat.hold(c.tenant_id, c.user_id, p_decision, candidates, input,
		least(order_text.most, (choice.m).max_tokens), replace(gen_random_uuid()::text, '-', ''));
	if not (held -> 'ok')::boolean then
		return chat.untaken(held);
	end if;
	perform chat.note_turn((held ->> 'id')::uuid, c.user_id, p_session, c.tenant_id, c.id, p_request ->> 'kind',
		input);
	return chat.started(held, choice.m, order_text.text, jsonb_build_array(jsonb_build_object('role', 'user', 'text',
		subject)), input) || jsonb_build_object('kind', p_request -> 'kind', 'chat', c.id);
end
$$;

reset role;
