-- What a model is told of a conversation, and how many tokens that may be.

set role tollgate_service;

-- The newest messages before p_before (null: all) whose bytes, and 16 for each, are at most p_budget, and then p_text
-- (null: nothing). What is blank or failed is left out, and so are answers before a user's first message. Neighbours of
-- one role are joined. {"list": [{"role", "text"}...], "bytes": with 16 for each message}
create or replace function chat.history(p_user uuid, p_chat text, p_before bigint, p_text text, p_budget bigint)
	returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		with said as (
			select m.n, m.role, m.text from (
				select k.n, k.role, k.text, k.state from chat.messages k
				where k.user_id = p_user and k.chat_id = p_chat and (p_before is null or k.n < p_before)
				order by k.n desc limit 1000) m
			where coalesce(m.state, '') not in ('empty', 'failed') and not chat.is_blank(m.text)
			union all select 9223372036854775807, 'user', p_text where p_text is not null),
		fitting as (
			select s.n, s.role, s.text, row_number() over (order by s.n)
				- row_number() over (partition by s.role order by s.n) as run
			from (
				select k.*, sum(octet_length(k.text) + 16) over (order by k.n desc) as size,
					row_number() over (order by k.n desc) as nth
				from said k) s
			where s.size <= p_budget or s.nth = 1),
		joined as (
			select min(f.n) as n, f.role, string_agg(f.text, e'\n\n' order by f.n) as text, count(*) as parts
			from fitting f group by f.role, f.run)
		select jsonb_build_object('list', coalesce(jsonb_agg(jsonb_build_object('role', j.role, 'text', j.text)
				order by j.n), '[]'),
			'bytes', coalesce(sum(octet_length(j.text) + 16 * j.parts), 0))
		from joined j where j.n >= (select min(k.n) from joined k where k.role = 'user'));
end
$$;

-- The most tokens that the input may count, which is the lower of two bounds: p_bytes, of all that is told, because no
-- tokenizer makes more tokens than bytes; and what the last answer's provider counted in its call, plus the bytes that
-- are new since. The counted part is doubled where another provider may answer, because its tokenizer is another.
create or replace function chat.input_bound(p_user uuid, p_chat text, p_before bigint, p_text text, p_bytes bigint,
	p_candidates jsonb) returns bigint
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	last chat.messages;
	others boolean;
begin
	select m.* into last from chat.messages m
	where m.user_id = p_user and m.chat_id = p_chat and (p_before is null or m.n < p_before)
		and m.role = 'assistant'
	order by m.n desc limit 1;
	if last.counted is distinct from 'told' then
		return p_bytes;
	end if;
	others := exists (
		select from jsonb_array_elements(p_candidates) c where c ->> 'provider' <> last.provider);
	return least(p_bytes, (last.input + last.output) * (1 + others::int) + octet_length(p_text) + 16 + (
		select coalesce(sum(octet_length(m.text) + 16), 0) from chat.messages m
		where m.user_id = p_user and m.chat_id = p_chat and m.n > last.n and (p_before is null or m.n < p_before)));
end
$$;

-- One message of a text about which a model is asked.
create or replace function chat.line_of(p_role text, p_text text) returns text
language sql immutable as $$
	select case p_role when 'user' then 'User: ' else 'Assistant: ' end || p_text
$$;

-- How a conversation begins, as one text: its first two messages, 2,000 characters of each.
create or replace function chat.beginning(p_user uuid, p_chat text) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select string_agg(chat.line_of(t.role, left(t.text, 2000)), e'\n\n' order by t.n)
		from (
			select m.n, m.role, m.text from chat.messages m
			where m.user_id = p_user and m.chat_id = p_chat and not chat.is_blank(m.text)
				and coalesce(m.state, '') not in ('empty', 'failed')
			order by m.n limit 2) t);
end
$$;

-- A conversation as one text: its newest messages, as many as fit in p_budget bytes, one at least and 1,000 at most.
create or replace function chat.transcript(p_user uuid, p_chat text, p_budget bigint) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select string_agg(chat.line_of(t.role, t.text), e'\n\n' order by t.n)
		from (
			select k.*, sum(octet_length(k.text) + 16) over (order by k.n desc) as size,
				row_number() over (order by k.n desc) as nth
			from (
				select m.n, m.role, m.text from chat.messages m
				where m.user_id = p_user and m.chat_id = p_chat and not chat.is_blank(m.text)
					and coalesce(m.state, '') not in ('empty', 'failed')
				order by m.n desc limit 1000) k) t
		where t.size <= p_budget or t.nth = 1);
end
$$;

reset role;
