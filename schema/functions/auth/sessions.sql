-- Sessions: opened by a proof of the mailbox, ended by their user.

set role tollgate_auth;

drop function if exists auth.trim_sessions(uuid, uuid);	-- before it ran first

-- Revokes live sessions beyond the newest 19, to make room for one.
create or replace function auth.trim_sessions(p_user uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update auth.sessions s set revoked_at = now(), revoke_reason = 'limit'
	where s.id in (
		select o.id from auth.sessions o
		where o.user_id = p_user and o.revoked_at is null and o.absolute_until > now() and o.idle_until > now()
		order by o.created_at desc, o.id
		offset 19);
end
$$;

-- How long the session's cookie may be kept, in seconds; -1: it ends with the browser.
create or replace function auth.cookie_age(s auth.sessions) returns int
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return case when s.remember then greatest(0, extract(epoch from s.absolute_until - now()))::int else -1 end;
end
$$;

drop function if exists auth.open_session(uuid, bytea, text[], inet, text);	-- before p_remember

create or replace function auth.open_session(p_user uuid, p_token_hash bytea, p_amr text[], p_ip inet, p_agent text,
	p_remember boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	session uuid;
	lasts interval := case when p_remember then interval '30 days' else interval '12 hours' end;
begin
	if auth.has_factor(p_user) and not p_amr && '{totp,recovery,passkey}' then
		raise exception 'a second proof is due';	-- who has a first one calls auth.accept_proof()
	end if;
	perform auth.refuse_suspended(p_user), auth.trim_sessions(p_user);
	insert into auth.sessions (user_id, absolute_until, idle_until, auth_at, second_at, amr, ip, agent, remember)
	values (p_user, now() + lasts, now() + least(lasts, interval '7 days'), now(),
		case when auth.is_second(p_amr) then now() end, p_amr, p_ip, left(p_agent, 300), p_remember)
	returning id into session;
	insert into auth.tokens (hash, session_id, confirmed_at) values (p_token_hash, session, now());
end
$$;

drop function if exists auth.find_link(bytea, text, bytea);	-- before p_purpose

-- The request that a proof is about, and the link that proves it: the link that was sent, or the one of the browser's
-- newest request that has this code. The request's row is locked, which makes its links single use. p_purpose: of the
-- request; "signin" stands for each that signs in.
create or replace function auth.find_link(p_purpose text, p_link_hash bytea, p_code text, p_flow_hash bytea,
	out request auth.requests, out link auth.links)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if p_link_hash is not null then
		select l.* into link from auth.links l where l.hash = sha256(p_link_hash);
		select r.* into request from auth.requests r
		where r.id = link.request_id and (r.purpose = p_purpose or p_purpose = 'signin' and auth.signs_in(r.purpose))
		for update;
	elsif p_code is not null then
		select r.* into request from auth.requests r
		where r.flow_hash = sha256(p_flow_hash)
			and (r.purpose = p_purpose or p_purpose = 'signin' and auth.signs_in(r.purpose))
		order by r.created_at desc limit 1 for update;
		select l.* into link from auth.links l
		where l.request_id = request.id and l.code_hash = auth.code_hash(l.hash, p_code);
	end if;
end
$$;

-- p_device as auth.device_of() makes it; null: the browser keeps no cookie.
create or replace function auth.keep_device(p_user uuid, p_device bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	insert into auth.devices as d (hash, user_id) select p_device, p_user where p_device is not null
	on conflict (hash) do update set user_id = excluded.user_id, last_seen = now();
end
$$;

drop function if exists api.sign_in(bytea, text, bytea, bytea, inet, text, bytea);	-- before p_remember

-- A proof is two of: the link, its code, the browser that asked. Wrong codes are counted for the request, also for one
-- that nobody got a link for. The session token's digest on the request lets a caller that lost the answer ask again.
create or replace function api.sign_in(p_link_hash bytea, p_code text, p_flow_hash bytea, p_token_hash bytea, p_ip inet,
	p_agent text, p_device_hash bytea default null, p_remember boolean default false) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	f record := auth.find_link('signin', p_link_hash, p_code, p_flow_hash);
	r auth.requests := f.request;
	link auth.links := f.link;
	proofs int;
begin
	if r.token_hash = p_token_hash then
		return auth.proof_answer(p_token_hash, r.next);
	elsif not auth.is_open(r) or link.expires_at <= now() then
		return jsonb_build_object('ok', false, 'attempts_left', null);
	end if;

	proofs := (p_link_hash is not null)::int
		+ coalesce(r.flow_hash = sha256(p_flow_hash), false)::int
		+ coalesce(link.code_hash = auth.code_hash(link.hash, p_code), false)::int;
	if proofs < 2 then
		update auth.requests q set attempts = q.attempts + (p_code is not null)::int where q.id = r.id
		returning q.* into r;
		return jsonb_build_object('ok', false, 'attempts_left', 5 - r.attempts);
	end if;

	perform from auth.users u
	where u.id = link.user_id and u.email_canonical = r.email_canonical and u.disabled_at is null for no key update;
	if not found then
		return jsonb_build_object('ok', false, 'attempts_left', null);
	end if;
	update auth.requests q set used_at = now(), token_hash = p_token_hash where q.id = r.id;
	return auth.accept_proof(link.user_id, p_token_hash, '{link}', r.next, r.language, r.tenant_id, p_ip, p_agent,
		p_device_hash, p_remember);
end
$$;

-- Ends the bearer's session, and with it the one that it takes the place of and each that takes its place, of which one
-- token or the other may not have been used yet: to the user they are one (auth.renew_session).
create or replace function api.sign_out() returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me auth.sessions;
begin
	select s.* into me from auth.sessions s where s.id = (auth.find_session()).id;
	update auth.sessions s set revoked_at = now(), revoke_reason = 'logout'
	where s.user_id = me.user_id
		and (s.id in (me.id, me.replaces) or s.replaces in (me.id, me.replaces))
		and s.revoked_at is null and s.absolute_until > now() and s.idle_until > now();
	return null;
end
$$;

reset role;
