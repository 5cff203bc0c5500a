-- What a proof leads to: a session, or, for a user with a second factor, a pending sign-in. That is no session: it has
-- another cookie, and no function but those below looks for it, so that every other page takes its browser for a
-- visitor's.

set role tollgate_auth;

-- A sign-in whose user has proved all there is to prove.
create or replace function auth.finish_sign_in(p_user uuid, p_token_hash bytea, p_amr text[], p_language text,
	p_tenant uuid, p_ip inet, p_agent text, p_device_hash bytea, p_remember boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	device bytea := auth.device_of(p_device_hash, auth.address_of(p_user));
begin
	perform auth.set_language(p_user, p_language);
	perform billing.accept_offer(p_tenant, p_user);
	perform auth.open_session(p_user, p_token_hash, p_amr, p_ip, p_agent, p_remember);
	perform auth.tell_new_device(p_user, device, p_ip, p_agent);
	perform auth.keep_device(p_user, device);
end
$$;

-- Where a sign-in leads. Whose account is being deleted is led to the page that says so.
create or replace function auth.onward(p_user uuid, p_next text) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return case when app.is_leaving(p_user) then '/settings/account' else p_next end;
end
$$;

-- What the program is told of a proof that was accepted. second: the token is of a pending sign-in.
create or replace function auth.proof_answer(p_token_hash bytea, p_next text) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return jsonb_build_object('ok', true, 'next', auth.onward((
			select s.user_id from auth.tokens t join auth.sessions s on s.id = t.session_id
			where t.hash = p_token_hash), p_next))
		|| case when exists (select from auth.pending p where p.hash = p_token_hash) then '{"second": true}'::jsonb
			else '{}' end;
end
$$;

-- The one place where it is decided whether a first proof is enough. p_tenant: an offer that the proof accepts.
create or replace function auth.accept_proof(p_user uuid, p_token_hash bytea, p_amr text[], p_next text,
	p_language text, p_tenant uuid, p_ip inet, p_agent text, p_device_hash bytea, p_remember boolean) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if auth.has_factor(p_user) then
		insert into auth.pending (hash, user_id, amr, next, language, tenant_id, remember)
		values (p_token_hash, p_user, p_amr, auth.onward(p_user, p_next), p_language, p_tenant, p_remember);
	else
		perform auth.finish_sign_in(p_user, p_token_hash, p_amr, p_language, p_tenant, p_ip, p_agent, p_device_hash,
			p_remember);
	end if;
	return auth.proof_answer(p_token_hash, p_next);
end
$$;

create or replace function auth.is_pending(p auth.pending) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return p.created_at > now() - interval '10 min' and p.used_at is null and p.attempts < 5
		and exists (select from auth.users u where u.id = p.user_id and u.disabled_at is null);
end
$$;

-- The pending sign-in of the bearer; a row of nulls for anything else.
create or replace function auth.find_pending() returns auth.pending
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	bearer text := current_setting('app.bearer', true);
	found_row auth.pending;
begin
	if bearer ~ '^[0-9a-f]{64}$' then
		select p.* into found_row from auth.pending p where p.hash = sha256(decode(bearer, 'hex'));
	end if;
	return found_row;
end
$$;

-- Asked by programs of before there were passkeys, which serve until they are restarted: api.second_page().
create or replace function api.second_due() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return to_jsonb(coalesce(auth.is_pending(auth.find_pending()), false));
end
$$;

-- The second proof of the bearer's pending sign-in, a code by time or a recovery code. Five wrong ones end it. The
-- session is a new one, with a token of its own.
create or replace function api.sign_in_second(p_code text, p_key text, p_token_hash bytea, p_ip inet, p_agent text,
	p_device_hash bytea default null) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	p auth.pending := auth.find_pending();
	device bytea := auth.device_of(p_device_hash, auth.address_of(p.user_id));
	proof text;
begin
	perform auth.lock_user(p.user_id);
	select q.* into p from auth.pending q where q.hash = p.hash for update;
	if p.token_hash = p_token_hash then
		return jsonb_build_object('ok', true, 'next', p.next, 'remember', p.remember);
	elsif not coalesce(auth.is_pending(p), false) then
		return jsonb_build_object('ok', false, 'attempts_left', 0);
	end if;
	-- before the log, which a recovery code is written to
	perform from auth.sessions s where s.user_id = p.user_id and s.revoked_at is null order by s.id for no key update;
	proof := auth.check_code(p.user_id, p_code, p_key, coalesce((
		select ' device ' || encode(d.hash, 'hex') from auth.devices d
		where d.hash = device and d.user_id = p.user_id), ''));
	if proof is null then
		update auth.pending q set attempts = q.attempts + 1 where q.hash = p.hash;
		return jsonb_build_object('ok', false, 'attempts_left', 4 - p.attempts);
	end if;
	update auth.pending q set used_at = now(), token_hash = p_token_hash where q.hash = p.hash;
	perform auth.take_identity(p.user_id, p.connects) where p.connects is not null;
	perform auth.finish_sign_in(p.user_id, p_token_hash, p.amr || proof, p.language, p.tenant_id, p_ip, p_agent,
		p_device_hash, p.remember);
	return jsonb_build_object('ok', true, 'next', p.next, 'remember', p.remember);
end
$$;

reset role;
