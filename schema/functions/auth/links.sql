-- Sign-in links. They are made here, and the raw token goes to the mail outbox only: a web worker sees a token only
-- when a person typed or clicked it.

set role tollgate_auth;

-- 32 bytes; the two UUIDs hold 244 bits from the system's generator.
create or replace function auth.random_bytes() returns bytea
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
	return sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
end
$$;

-- 40 bits in Crockford's alphabet.
create or replace function auth.random_code() returns text
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
	bytes bytea := auth.random_bytes();
	code text := '';
begin
	for i in 0..7 loop
		code := code || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', get_byte(bytes, i) % 32 + 1, 1);
	end loop;
	return code;
end
$$;

-- What is stored of a code, in whichever way it was typed: lower case, spaces or hyphens, O for 0, I or L for 1.
create or replace function auth.code_hash(p_link bytea, p_code text) returns bytea
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return sha256(p_link || convert_to(translate(upper(p_code), 'OIL- ', '011'), 'UTF8'));
end
$$;

-- Workers send the digest of a link's token and of a flow cookie, and the tables keep the digest of that: what a table
-- holds proves nothing to the functions. p_flow is in the stored form.
--
-- Makes a link and its mail. With p_user null the same work is done and the mail is void. p_data: further values for
-- the template.
create or replace function auth.mint_link(p_user uuid, p_email text, p_flow bytea, p_next text, p_language text,
	p_ip inet, p_key text, p_template text, p_data jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	canonical text := lower(btrim(p_email));
	recipient text := coalesce((select u.email from auth.users u where u.id = p_user), p_email);
	token bytea := auth.random_bytes();
	stored bytea := sha256(sha256(token));
	code text := auth.random_code();
	secrets jsonb := jsonb_build_object(
		'token', rtrim(translate(encode(token, 'base64'), '+/', '-_'), '='),
		'code', substr(code, 1, 4) || '-' || substr(code, 5));
begin
	update auth.links l set expires_at = now()
	where l.email_canonical = canonical and l.used_at is null and l.expires_at > now() and p_user is not null;

	insert into auth.links (hash, code_hash, flow_hash, user_id, email_canonical, next, language, ip, expires_at)
	values (stored, auth.code_hash(stored, code), p_flow, p_user, canonical, p_next, p_language, p_ip,
		now() + interval '10 min');

	insert into mail.outbox (key, recipient, template, language, data, state)
	values (p_key, recipient, p_template, p_language,
		case when p_user is null then '{}' else secrets || jsonb_strip_nulls(p_data) end,
		case when p_user is null then 'void' else 'pending' end);
end
$$;

-- An address that is known, unknown, disabled or over its limit gets the same answer after the same work. A refused
-- request leaves earlier links valid.
create or replace function api.request_link(p_email text, p_flow_hash bytea, p_next text, p_language text, p_ip inet)
	returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	canonical text := lower(btrim(p_email));
	by_ip boolean := auth.allow('link_ip', auth.neighbourhood(p_ip));
	allowed boolean := by_ip and auth.allow('link_address', canonical);
	who uuid := (select u.id from auth.users u where u.email_canonical = canonical and u.disabled_at is null
		and allowed);
begin
	perform auth.mint_link(who, p_email, case when allowed then sha256(p_flow_hash) end, p_next, p_language, p_ip,
		'signin:' || gen_random_uuid(), 'signin', jsonb_build_object('next', p_next));
	return null;
end
$$;

create or replace function auth.link_usable(p_link auth.links) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return p_link.hash is not null and p_link.used_at is null and p_link.expires_at > now() and p_link.attempts < 5;
end
$$;

-- For GET: reads only.
create or replace function api.link_state(p_link_hash bytea, p_flow_hash bytea) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	link auth.links;
begin
	select l.* into link from auth.links l where l.hash = sha256(p_link_hash);
	return jsonb_build_object('state', case
		when not auth.link_usable(link) then 'unusable'
		when link.flow_hash = sha256(p_flow_hash) then 'usable'
		else 'code_needed' end);
end
$$;

reset role;
