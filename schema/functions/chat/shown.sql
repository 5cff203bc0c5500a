-- What a user is shown of the own conversations. Row-level security shows a login role the rows of its user only. Each
-- function selects them by the user all the same, so that an index finds them.

set role tollgate_owner;

-- Where a page ends, as text, and read again. TG422: it is none.
create or replace function chat.cursor_of(p_at timestamptz, p_id text) returns text
language sql immutable as $$
	select (extract(epoch from p_at) * 1000000)::bigint || '.' || p_id
$$;

create or replace function chat.read_cursor(p_cursor text, out at timestamptz, out id text)
language plpgsql immutable as $$
begin
	if p_cursor !~ '^[0-9]{1,16}\.[A-Za-z0-9_-]{1,64}$' then
		raise exception 'no such page' using errcode = 'TG422';
	end if;
	at := 'epoch'::timestamptz + split_part(p_cursor, '.', 1)::bigint * interval '1 us';
	id := substr(p_cursor, strpos(p_cursor, '.') + 1);
end
$$;

-- The next p_limit conversations after the cursor, of one tenant, or (null) of all.
create or replace function chat.rows_after(p_user uuid, p_tenant uuid, p_after text, p_limit int)
	returns setof chat.conversations
language plpgsql stable as $$
declare
	place record;
begin
	select c.at, c.id into place from chat.read_cursor(p_after) c;
	return query
	select c.* from chat.conversations c
	where c.user_id = p_user and (p_tenant is null or c.tenant_id = p_tenant)
		and (place.at is null or (c.created_at, c.id) < (place.at, place.id))
	order by c.created_at desc, c.id desc limit p_limit;
end
$$;

create or replace function chat.conversation_document(c chat.conversations) returns jsonb
language plpgsql stable as $$
begin
	return jsonb_build_object('id', c.id, 'title', c.title, 'opening', c.opening, 'model', c.model,
		'display_name', coalesce((select m.label from chat.models m where m.name = c.model), c.model),
		'tenant', c.tenant_id, 'created', api.date_document(c.created_at) ->> 'iso',
		'updated', api.date_document(c.updated_at) ->> 'iso');
end
$$;

-- The newest p_limit messages before p_before (null: all).
create or replace function chat.messages_before(p_user uuid, p_chat text, p_before text, p_limit int)
	returns table (n bigint, id text, role text, text text, state text, finish text, model text, input bigint,
		output bigint, created_at timestamptz)
language plpgsql stable as $$
begin
	if p_before !~ '^[0-9]{1,18}$' then
		raise exception 'no such page' using errcode = 'TG422';
	end if;
	return query
	select m.n, m.id, m.role, m.text, m.state, m.finish, m.model, m.input, m.output, m.created_at
	from chat.messages m
	where m.user_id = p_user and m.chat_id = p_chat and (p_before is null or m.n < p_before::bigint)
	order by m.n desc limit p_limit;
end
$$;

create or replace function chat.limit_of(p_limit int) returns int
language sql immutable as $$
	select case when p_limit between 1 and 100 then p_limit else 20 end
$$;

reset role;

set role tollgate_owner;

-- A message as useChat has it. An answer without text has no part.
create or replace function chat.message_document(p_id text, p_role text, p_text text, p_state text, p_finish text,
	p_model text, p_input bigint, p_output bigint, p_created timestamptz) returns jsonb
language plpgsql stable as $$
begin
	return jsonb_build_object('id', p_id, 'role', p_role,
		'parts', case when p_text = '' then '[]' else jsonb_build_array(jsonb_build_object('type', 'text',
			'text', p_text) || case p_role when 'assistant' then '{"state": "done"}'::jsonb else '{}' end) end,
		'metadata', jsonb_build_object('created', api.date_document(p_created) ->> 'iso') || case p_role
			when 'assistant' then jsonb_build_object('state', p_state, 'model', p_model, 'finish', p_finish,
				'usage', jsonb_build_object('input', p_input, 'output', p_output))
			else '{}' end);
end
$$;

reset role;

set role tollgate_service;

-- The models that a page offers: {"name", "display_name", "current", "allowed"} each.
create or replace function chat.model_documents(p_current text, p_plan text) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('name', m.name, 'display_name', m.label,
			'current', m.name = coalesce(p_current, s.model), 'allowed', coalesce(p_plan = any (m.plans), false))
			order by m.rank), '[]')
		from chat.models m cross join chat.settings s where m.offered and m.plans <> '{}');
end
$$;

-- A conversation and its newest messages for a page. Null: none is shown.
create or replace function chat.shown_conversation(c chat.conversations) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	if c.id is null then
		return null;
	end if;
	return chat.conversation_document(c) - '{tenant,created,updated}'::text[] || (
		select jsonb_build_object('open', coalesce(bool_or(r.state = 'open'), false),
			'before', min(r.n) filter (where r.nth = 100 and r.total > 100)::text,
			'messages', coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'mine', r.role = 'user', 'text', r.text,
				'state', r.state, 'cut', coalesce(r.state in ('partial', 'empty', 'failed'), false),
				'created', api.date_document(r.created_at)) order by r.n) filter (where r.nth <= 100), '[]'))
		from (
			select k.*, row_number() over (order by k.n desc) as nth, count(*) over () as total
			from chat.messages_before(c.user_id, c.id, null, 101) k) r);
end
$$;

-- {"chats", "next"} of one tenant for a page.
create or replace function chat.shown_list(p_user uuid, p_tenant uuid, p_current text, p_after text) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select jsonb_build_object('chats', coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'title', r.title,
				'opening', r.opening, 'current', coalesce(r.id = p_current, false),
				'created', api.date_document(r.created_at)) order by r.nth) filter (where r.nth <= 20), '[]'),
			'next', min(chat.cursor_of(r.created_at, r.id)) filter (where r.nth = 20 and r.total > 20))
		from (
			select k.*, row_number() over (order by k.created_at desc, k.id desc) as nth, count(*) over () as total
			from chat.rows_after(p_user, p_tenant, p_after, 21) k) r);
end
$$;

-- For the copy of the own data: the newest 1000 messages, as far as they are 8 MiB together.
create or replace function chat.export_user(p_user uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return jsonb_build_object(
		'chats', (
			select coalesce(jsonb_agg(to_jsonb(n)), '[]') from (
				select c.id, c.tenant_id as tenant, c.model, c.title, c.created_at, c.updated_at
				from chat.conversations c
				where c.user_id = p_user order by c.created_at desc, c.id limit 1000) n),
		'chat_messages', (
			select coalesce(jsonb_agg(to_jsonb(r) - '{n,size}'::text[] order by r.created_at desc, r.n desc), '[]')
			from (
				select m.n, m.chat_id as chat, m.id, m.role, m.text, m.state, m.model, m.provider, m.provider_model,
					m.finish, m.input, m.output, m.created_at,
					sum(octet_length(m.text)) over (order by m.created_at desc, m.n desc) as size
				from chat.messages m where m.user_id = p_user order by m.created_at desc, m.n desc limit 1000) r
			where r.size <= 8388608));
end
$$;

-- What a closed tenant's members said there. Turns, which hold no words, go after their time.
create or replace function chat.forget_tenants(p_tenants uuid[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	delete from chat.conversations c where c.tenant_id = any (p_tenants);
end
$$;

reset role;
