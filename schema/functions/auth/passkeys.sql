-- Passkeys. The program authn verifies signature, origin and challenge, and is believed. Here it is judged whose key
-- it is, whether it is a copy, whether the challenge was used before, and what the passkey proves.

set role tollgate_auth;

-- What a device knows the user by: 32 bytes that say nothing of the user.
create or replace function auth.passkey_handle(p_user uuid) returns bytea
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (select sha256(p.bytes || convert_to('passkey ' || p_user, 'UTF8')) from auth.pepper p);
end
$$;

create or replace function auth.base64url(p_bytes bytea) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return rtrim(translate(encode(p_bytes, 'base64'), E'+/\n', '-_'), '=');
end
$$;

create or replace function auth.has_passkey(p_user uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return exists (select from auth.passkeys k where k.user_id = p_user);
end
$$;

-- Whether the bearer's session is this user's and was proven by a passkey, and the user has one by now.
create or replace function auth.came_by_passkey(p_user uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return exists (
		select from auth.session_of(current_setting('app.bearer', true)) b join auth.sessions s on s.id = b.id
		where s.user_id = p_user and 'passkey' = any (s.amr)) and auth.has_passkey(p_user);
end
$$;

-- The user's keys as a browser is told of them: [{"id", "transports"}...].
create or replace function auth.passkey_list(p_user uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('id', auth.base64url(k.credential),
			'transports', array_to_string(k.transports, ' ')) order by k.created_at, k.id), '[]')
		from auth.passkeys k where k.user_id = p_user);
end
$$;

-- A mail about a key that was added, removed or copied, once for each p_key.
create or replace function auth.tell_passkey(p_user uuid, p_what text, p_key text default gen_random_uuid()::text)
	returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform auth.tell(p_user, 'passkey:' || p_key, 'safety_passkey_' || p_what,
		jsonb_build_object('date', api.date_document(now())));
end
$$;

-- False: it was used before. Of calls at the same time one is told that it was not.
create or replace function auth.spend_challenge(p_challenge bytea) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	insert into auth.challenges (hash) values (p_challenge) on conflict do nothing;
	return found;
end
$$;

-- {"user": {"id", "name", "label"}, "passkeys": [{"id", "name", "created", "used", "backed_up"}...], "keys"}.
create or replace function api.passkeys_page() returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me record := auth.require_session();
begin
	perform auth.require_second();	-- on this page already: the browser makes the key before it is sent
	return jsonb_build_object('user', jsonb_build_object('id', auth.base64url(auth.passkey_handle(me.user_id)),
			'name', me.email),
		'keys', auth.passkey_list(me.user_id),
		'passkeys', (
			select coalesce(jsonb_agg(jsonb_build_object('id', k.id, 'name', k.name,
				'created', api.date_document(k.created_at), 'used', api.date_document(k.used_at),
				'backed_up', k.backed_up) order by k.created_at, k.id), '[]')
			from auth.passkeys k where k.user_id = me.user_id));
end
$$;

-- p_made: {"credential", "key", "challenge" (of its digest), each in hexadecimal, "counter", "eligible", "backed_up",
-- "transports"}. {"ok"}, or {"ok": false, "reason"}: "challenge" was used, the key is "taken" by another user, or there
-- are too "many". The same call again, its answer lost, is told the same. TG422: the name is none.
create or replace function api.add_passkey(p_made jsonb, p_name text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_second();
	name text := app.clean_name(p_name, 1, 64);
	wanted bytea := decode(p_made ->> 'credential', 'hex');
	holder uuid;
begin
	perform auth.lock_user(me);
	select k.user_id into holder from auth.passkeys k where k.credential = wanted;
	if holder = me then
		return '{"ok": true}';
	elsif not auth.spend_challenge(decode(p_made ->> 'challenge', 'hex')) then
		return '{"ok": false, "reason": "challenge"}';
	elsif (select count(*) >= 20 from auth.passkeys k where k.user_id = me) then
		return '{"ok": false, "reason": "many"}';
	end if;
	perform auth.note_second();	-- before the log, which the key is written to
	insert into auth.passkeys (user_id, credential, key, counter, eligible, backed_up, transports, name)
	values (me, wanted, decode(p_made ->> 'key', 'hex'), (p_made -> 'counter')::bigint,
		(p_made -> 'eligible')::boolean, (p_made -> 'backed_up')::boolean,
		array(select t.word from regexp_split_to_table(coalesce(p_made ->> 'transports', ''), ' ') t (word)
			where t.word in ('usb', 'nfc', 'ble', 'smart-card', 'hybrid', 'internal')), name)
	on conflict (credential) do nothing;
	if not found then
		perform audit.note('passkey_refused', null, me, me, '{"reason": "taken"}');
		return '{"ok": false, "reason": "taken"}';
	end if;
	perform auth.tell_passkey(me, 'added');
	return '{"ok": true}';
end
$$;

-- TG404: it is none of the user's. TG422: the name is none.
create or replace function api.name_passkey(p_passkey uuid, p_name text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_fresh();
begin
	update auth.passkeys k set name = app.clean_name(p_name, 1, 64) where k.id = p_passkey and k.user_id = me;
	if not found then
		raise exception 'no such passkey' using errcode = 'TG404';
	end if;
	return null;
end
$$;

-- The sessions that came by a passkey end, but the one that is kept: nobody knows which passkey each of them came by.
create or replace function auth.end_passkey_sessions(p_user uuid, p_kept uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update auth.sessions s set revoked_at = now(), revoke_reason = 'factor'
	where s.user_id = p_user and s.id is distinct from p_kept and 'passkey' = any (s.amr)
		and s.revoked_at is null and s.absolute_until > now() and s.idle_until > now();
end
$$;

-- TG404: it is none of the user's. TG409: it is the last way in.
create or replace function api.remove_passkey(p_passkey uuid) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_second();
begin
	perform auth.lock_user(me);
	if not exists (select from auth.passkeys k where k.id = p_passkey and k.user_id = me) then
		raise exception 'no such passkey' using errcode = 'TG404';
	elsif not auth.has_way_beside(me, p_passkey) then
		raise exception 'the last way in' using errcode = 'TG409';
	end if;
	perform auth.end_passkey_sessions(me, auth.session_id());	-- before the log, which the key is written to
	delete from auth.passkeys k where k.id = p_passkey;
	perform auth.tell_passkey(me, 'removed');
	return null;
end
$$;

-- The key that a signature is to be verified by, {"key"} in hexadecimal; null: we do not know it, or not any more.
-- TG429: too many from this network, as of passwords.
create or replace function api.find_passkey(p_credential bytea, p_ip inet) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if not auth.allow_network('password', p_ip) then
		raise exception 'too many passkeys' using errcode = 'TG429';
	end if;
	return (
		select jsonb_build_object('key', encode(k.key, 'hex'))
		from auth.passkeys k join auth.users u on u.id = k.user_id
		where k.credential = p_credential and u.disabled_at is null);
end
$$;

-- What is wrong with a use whose signature is good, as a word; null: nothing. p_user: who it must be; null: the handle
-- says who. The counter of a key that is on one device alone grows with each use, unless the device counts none.
create or replace function auth.judge_passkey(k auth.passkeys, p_user uuid, p_handle bytea, p_counter bigint)
	returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return case
		when k.user_id is distinct from coalesce(p_user, k.user_id)
			or p_handle is distinct from auth.passkey_handle(k.user_id) and (p_user is null or p_handle is not null)
			then 'user'
		when not k.eligible and (k.counter > 0 or p_counter > 0) and p_counter <= k.counter then 'counter' end;
end
$$;

-- Spends the challenge and judges the use. p_use: {"credential", "challenge" (of its digest), "handle" (or null), each
-- in hexadecimal, "counter", "eligible", "backed_up"}. {"ok", "user"}, or {"ok": false, "reason"}.
create or replace function auth.use_passkey(p_use jsonb, p_user uuid) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	k auth.passkeys;
	reason text;
begin
	perform auth.lock_user(q.user_id) from auth.passkeys q
	where q.credential = decode(p_use ->> 'credential', 'hex');
	select q.* into k from auth.passkeys q join auth.users u on u.id = q.user_id
	where q.credential = decode(p_use ->> 'credential', 'hex') and u.disabled_at is null for update of q;
	if k.id is null then
		return '{"ok": false, "reason": "unknown"}';
	elsif not auth.spend_challenge(decode(p_use ->> 'challenge', 'hex')) then
		return '{"ok": false, "reason": "challenge"}';
	end if;
	-- before the log, which the change of a key and a refusal are written to
	perform from auth.sessions s where s.user_id = k.user_id and s.revoked_at is null order by s.id for no key update;
	reason := auth.judge_passkey(k, p_user, decode(p_use ->> 'handle', 'hex'), (p_use -> 'counter')::bigint);
	if reason is not null then
		perform auth.tell_passkey(k.user_id, 'copied', k.id || ' ' || current_date) where reason = 'counter';
		perform audit.note('passkey_refused', null, p_user, k.user_id,
			jsonb_build_object('passkey', k.id, 'reason', reason));
		return jsonb_build_object('ok', false, 'reason', reason);
	end if;
	update auth.passkeys q set counter = (p_use -> 'counter')::bigint, eligible = (p_use -> 'eligible')::boolean,
		backed_up = (p_use -> 'backed_up')::boolean, used_at = now()
	where q.id = k.id;
	return jsonb_build_object('ok', true, 'user', k.user_id);
end
$$;

-- A passkey is both proofs. The same call again, whose answer was lost, is told the same.
create or replace function api.sign_in_passkey(p_use jsonb, p_token_hash bytea, p_next text, p_language text,
	p_ip inet, p_agent text, p_device_hash bytea, p_remember boolean) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	verdict jsonb;
begin
	if exists (select from auth.tokens t where t.hash = p_token_hash) then
		return auth.proof_answer(p_token_hash, p_next);
	end if;
	verdict := auth.use_passkey(p_use, null);
	if not (verdict -> 'ok')::boolean then
		return verdict;
	end if;
	perform auth.finish_sign_in((verdict ->> 'user')::uuid, p_token_hash, '{passkey}', p_language, null, p_ip, p_agent,
		p_device_hash, p_remember);
	return auth.proof_answer(p_token_hash, p_next);
end
$$;

-- For GET: whether the bearer's pending sign-in may show a second proof, and its user's passkeys, {"due", "keys"}.
create or replace function api.second_page() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	p auth.pending := auth.find_pending();
	due boolean := coalesce(auth.is_pending(p), false);
begin
	return jsonb_build_object('due', due) || case when due and auth.has_passkey(p.user_id)
		then jsonb_build_object('keys', auth.passkey_list(p.user_id)) else '{}' end;
end
$$;

-- The second proof of the bearer's pending sign-in by a passkey of its user, in place of a code (api.sign_in_second).
create or replace function api.second_passkey(p_use jsonb, p_token_hash bytea, p_ip inet, p_agent text,
	p_device_hash bytea) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	p auth.pending := auth.find_pending();
	verdict jsonb;
begin
	perform auth.lock_user(p.user_id);
	select q.* into p from auth.pending q where q.hash = p.hash for update;
	if p.token_hash = p_token_hash then
		return jsonb_build_object('ok', true, 'next', p.next, 'remember', p.remember);
	elsif not coalesce(auth.is_pending(p), false) then
		return '{"ok": false, "reason": "over"}';
	end if;
	verdict := auth.use_passkey(p_use, p.user_id);
	if not (verdict -> 'ok')::boolean then
		update auth.pending q set attempts = q.attempts + 1 where q.hash = p.hash;
		return verdict;
	end if;
	update auth.pending q set used_at = now(), token_hash = p_token_hash where q.hash = p.hash;
	perform auth.take_identity(p.user_id, p.connects) where p.connects is not null;
	perform auth.finish_sign_in(p.user_id, p_token_hash, p.amr || '{passkey}', p.language, p.tenant_id, p_ip, p_agent,
		p_device_hash, p.remember);
	return jsonb_build_object('ok', true, 'next', p.next, 'remember', p.remember);
end
$$;

-- The session's user proves again who it is. {"ok", "max_age"}: a session takes the place of this one
-- (auth.renew_session).
create or replace function api.confirm_passkey(p_use jsonb, p_token_hash bytea, p_ip inet, p_agent text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me record := auth.require_session();
	verdict jsonb;
begin
	if not exists (select from auth.tokens t where t.hash = p_token_hash) then
		verdict := auth.use_passkey(p_use, me.user_id);
		if not (verdict -> 'ok')::boolean then
			return verdict;
		end if;
		perform auth.renew_session(p_token_hash, '{passkey}', p_ip, p_agent);
	end if;
	return auth.renewal_answer(p_token_hash);
end
$$;

reset role;
