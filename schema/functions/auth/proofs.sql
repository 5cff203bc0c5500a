-- Who may do what needs a proof that is young: a session counts as fresh for ten minutes after it.

set role tollgate_auth;

create or replace function auth.is_fresh() returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce((auth.find_session()).auth_at > now() - interval '10 min', false);
end
$$;

-- For functions that do what needs a proof: TG401 without a session, TG40C with one that is not fresh. Else the user.
create or replace function auth.require_fresh() returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me record := auth.require_session();
begin
	if not auth.is_fresh() then
		raise exception 'the proof is too old' using errcode = 'TG40C';
	end if;
	return me.user_id;
end
$$;

-- Whether there is one among the proofs that a user has beside mailbox, password and accounts elsewhere.
create or replace function auth.is_second(p_amr text[]) returns boolean
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return p_amr && '{totp,recovery,passkey}';
end
$$;

-- Whether the session has shown one within the last ten minutes, or has added one then. What it has shown before counts
-- no more, whatever it has shown since.
create or replace function auth.is_second_fresh() returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return exists (
		select from auth.sessions s where s.id = auth.session_id() and s.second_at > now() - interval '10 min');
end
$$;

-- As auth.require_fresh(), and of who has a second factor or a passkey one of them must have been shown: else whoever
-- reads the mailbox would add a passkey, and prove by that one what the mailbox does not.
create or replace function auth.require_second() returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_fresh();
begin
	if auth.has_second(me) and not auth.is_second_fresh() then
		raise exception 'the second proof was not shown lately' using errcode = 'TG40C';
	end if;
	return me;
end
$$;

-- Who adds a second proof has it: the next one may be added, and this one named or removed. The caller has the user's
-- row.
create or replace function auth.note_second() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update auth.sessions s set second_at = now() where s.id = auth.session_id();
end
$$;

-- For rows of a route table that say so.
create or replace function api.require_fresh() returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform auth.require_fresh();
	return null;
end
$$;

-- Makes a new session in place of this one, after a proof or with a new role, because somebody may know the token of
-- the former (F36, ASVS 7.2.4). p_amr names the proof; it is '{}' for a role, which proves nothing. The former session
-- goes on until the new token is used, so a lost reply costs the proof and not the session. The answer is the cookie's
-- max_age; null without a session.
create or replace function auth.renew_session(p_token_hash bytea, p_amr text[], p_ip inet, p_agent text) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	renewed auth.sessions;
begin
	insert into auth.sessions (user_id, created_at, absolute_until, idle_until, auth_at, second_at, amr, ip, agent,
		remember, replaces)
	select s.user_id, s.created_at, s.absolute_until, least(s.absolute_until, now() + interval '10 min'),
		case when p_amr = '{}' then s.auth_at else now() end,
		case when auth.is_second(p_amr) then now() else s.second_at end,
		array(select distinct unnest(s.amr || p_amr)), p_ip, left(p_agent, 300), s.remember, s.id
	from auth.sessions s where s.id = auth.session_id()
	returning * into renewed;
	insert into auth.tokens (hash, session_id) select p_token_hash, renewed.id where renewed.id is not null;
	return auth.cookie_age(renewed);
end
$$;

-- What stands in a request for the browser that asked: the session.
create or replace function auth.confirm_flow() returns bytea
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return convert_to('session:' || auth.session_id(), 'UTF8');
end
$$;

-- "second_due": nothing but a second proof leads on.
create or replace function api.confirm_page() returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me record := auth.require_session();
begin
	return jsonb_build_object('email', me.email, 'fresh', auth.is_fresh(), 'factor', auth.has_factor(me.user_id),
			'password', exists (select from auth.passwords p where p.user_id = me.user_id))
		|| case when auth.is_fresh() and auth.has_second(me.user_id) and not auth.is_second_fresh()
			then '{"second_due": true}' else '{}'::jsonb end
		|| case when auth.has_passkey(me.user_id)
			then jsonb_build_object('keys', auth.passkey_list(me.user_id)) else '{}' end;
end
$$;

-- Mails a code to the session's user, which only this session can use. TG429: there were five in the last hour. TG409:
-- the user has a second factor, whose code is asked for instead.
create or replace function api.request_confirm() returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me record := auth.require_session();
begin
	if auth.has_factor(me.user_id) then
		raise exception 'the second factor proves more' using errcode = 'TG409';
	elsif not auth.allow('confirm', me.user_id::text) then
		raise exception 'too many codes' using errcode = 'TG429';
	end if;
	perform auth.ask_link('confirm:' || gen_random_uuid(), 'confirm', '{}', 'confirm', me.email,
		auth.contacts(array[me.user_id]) #>> '{0,language}', p_user => me.user_id,
		p_flow => sha256(auth.confirm_flow()), p_known => true);
	return null;
end
$$;

-- What is told of a session that was renewed under this token; null: none was.
create or replace function auth.renewal_answer(p_token_hash bytea) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select jsonb_build_object('ok', true, 'max_age', auth.cookie_age(s)) from auth.sessions s
			join auth.tokens t on t.session_id = s.id
		where t.hash = p_token_hash);
end
$$;

-- The proof of who has a second factor: reading the mailbox proves no more than the session.
create or replace function auth.confirm_factor(p_user uuid, p_code text, p_key text, p_token_hash bytea, p_ip inet,
	p_agent text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	proof text;
begin
	perform from auth.factors f where f.user_id = p_user for update;
	if exists (select from auth.tokens t where t.hash = p_token_hash) then
		return auth.renewal_answer(p_token_hash);
	end if;
	proof := auth.check_code(p_user, p_code, p_key, ' session ' || auth.session_id());
	if proof is null then
		return '{"ok": false}';
	end if;
	return jsonb_build_object('ok', true,
		'max_age', auth.renew_session(p_token_hash, array[proof], p_ip, p_agent));
end
$$;

drop function if exists api.confirm_code(text, bytea, inet, text);	-- before p_key

-- {"ok", "max_age"}. Wrong codes count as those of a sign-in do, and who lost the answer may ask again. p_key:
-- that of the seeds, for users with a second factor.
create or replace function api.confirm_code(p_code text, p_token_hash bytea, p_ip inet, p_agent text, p_key text)
	returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me record := auth.require_session();
	f record := auth.find_link('confirm', null, p_code, auth.confirm_flow());
	r auth.requests := f.request;
	link auth.links := f.link;
begin
	if auth.has_factor(me.user_id) then
		return auth.confirm_factor(me.user_id, p_code, p_key, p_token_hash, p_ip, p_agent);
	elsif r.token_hash = p_token_hash then
		return auth.renewal_answer(p_token_hash);
	elsif not auth.is_open(r) then
		return '{"ok": false}';
	elsif link.hash is null or link.expires_at <= now() or link.user_id <> me.user_id then
		update auth.requests q set attempts = q.attempts + 1 where q.id = r.id;
		return '{"ok": false}';
	end if;
	update auth.requests q set used_at = now(), token_hash = p_token_hash where q.id = r.id;
	return jsonb_build_object('ok', true,
		'max_age', auth.renew_session(p_token_hash, '{code}', p_ip, p_agent));
end
$$;

reset role;
