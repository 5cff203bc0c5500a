-- The page of the second factor: adding one, its recovery codes, and removing it. All of it wants a young proof, and
-- what changes something a second one of who has one (auth.require_second).

set role tollgate_auth;

-- The seed of a factor that its user is about to add; null without one. One is shown for an hour.
create or replace function auth.offered_seed(p_user uuid, p_key text) returns bytea
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select auth.open_seed(f.seed, p_key) from auth.factors f
		where f.user_id = p_user and f.confirmed_at is null and f.created_at > now() - interval '1 hour');
end
$$;

-- {"email", and "on" and "codes_left", or "secret" of the seed that is offered, or "unavailable": without a key of the
-- seeds none can be added}.
create or replace function api.factor_page(p_key text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me record := auth.require_session();
begin
	perform auth.require_fresh();
	if auth.has_factor(me.user_id) then
		return jsonb_build_object('email', me.email, 'on', true, 'codes_left', (
			select count(*) from auth.recovery_codes c where c.user_id = me.user_id and c.used_at is null));
	end if;
	if coalesce(p_key, '') = '' then
		return jsonb_build_object('email', me.email, 'unavailable', true);
	end if;
	return jsonb_build_object('email', me.email, 'secret', auth.spell_seed(auth.offered_seed(me.user_id, p_key)));
end
$$;

-- A new seed in place of one that was offered before. TG409: there is a factor.
create or replace function api.begin_factor(p_key text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_second();
begin
	insert into auth.factors as f (user_id, seed) values (me, auth.seal_seed(crypto.gen_random_bytes(20), p_key))
	on conflict (user_id) do update set seed = excluded.seed, created_at = now() where f.confirmed_at is null;
	if not found then
		raise exception 'there is a second factor' using errcode = 'TG409';
	end if;
	return null;
end
$$;

-- Whether the code is the one that added the user's factor within the last ten minutes, and none was used since.
create or replace function auth.has_just_added(p_user uuid, p_code text, p_key text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return exists (
		select from auth.factors f
		where f.user_id = p_user and f.confirmed_at > now() - interval '10 min'
			and auth.totp(auth.open_seed(f.seed, p_key), f.last_step) = translate(p_code, '- ', ''));
end
$$;

-- Adds the factor whose seed is offered: its user has shown a code, which is spent. {"ok", "codes"}. The same call
-- again, whose answer was lost with the codes, tells ten new ones, and "renewed". TG409: none is offered.
create or replace function api.confirm_factor(p_code text, p_key text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_second();
	seed bytea;
	codes jsonb;
begin
	perform auth.lock_user(me);
	perform from auth.sessions s where s.id = auth.session_id() for no key update;	-- before factors, as a sign-in
	perform from auth.factors f where f.user_id = me for update;
	if auth.has_just_added(me, p_code, p_key) then
		return '{"ok": true, "renewed": true}' || api.renew_codes(p_key);
	end if;
	seed := auth.offered_seed(me, p_key);
	if seed is null then
		raise exception 'no factor is offered' using errcode = 'TG409';
	elsif not auth.allow('second_totp', me::text) then
		raise exception 'too many codes' using errcode = 'TG429';
	elsif not auth.spend_totp(me, translate(p_code, '- ', ''), seed) then
		return jsonb_build_object('ok', false);
	end if;
	perform auth.note_second();
	update auth.factors f set confirmed_at = now() where f.user_id = me;
	codes := auth.make_recovery_codes(me, p_key);
	perform auth.give_back('second_totp', me::text);
	perform auth.tell_factor(me, 'added');
	return jsonb_build_object('ok', true, 'codes', codes);
end
$$;

-- Ten new recovery codes; those before are dead. The key is tried first: codes under another one would be good for
-- nothing. TG409: there is no factor.
create or replace function api.renew_codes(p_key text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_second();
	sealed bytea;
	codes jsonb;
begin
	select f.seed into sealed from auth.factors f where f.user_id = me and f.confirmed_at is not null for update;
	if sealed is null then
		raise exception 'there is no second factor' using errcode = 'TG409';
	end if;
	perform auth.open_seed(sealed, p_key);
	codes := auth.make_recovery_codes(me, p_key);
	perform auth.tell_factor(me, 'renewed');
	perform audit.note('codes_made', null, me, me);
	return jsonb_build_object('codes', codes);
end
$$;

-- With its recovery codes. Nothing happens, and nothing is mailed, where there is none.
create or replace function auth.remove_factor(p_user uuid) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	was timestamptz;
begin
	delete from auth.factors f where f.user_id = p_user returning f.confirmed_at into was;
	perform auth.tell_factor(p_user, 'removed') where was is not null;
	return was is not null;
end
$$;

-- All that proves more than the mailbox. One mail tells of all passkeys. False: there was nothing.
create or replace function auth.remove_seconds(p_user uuid) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	had_passkey boolean;
begin
	perform auth.lock_user(p_user);
	had_passkey := auth.has_passkey(p_user);
	perform auth.end_passkey_sessions(p_user, null) where had_passkey;
	delete from auth.passkeys k where k.user_id = p_user;
	perform auth.tell_passkey(p_user, 'removed') where had_passkey;
	return auth.remove_factor(p_user) or had_passkey;
end
$$;

-- A second factor, passkeys and identities that were added since then, and recovery codes that were made since, are no
-- more.
create or replace function auth.drop_factor_since(p_user uuid, p_at timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	delete from auth.factors f where f.user_id = p_user and coalesce(f.confirmed_at, f.created_at) >= p_at;
	delete from auth.recovery_codes c where c.user_id = p_user and c.created_at >= p_at;
	delete from auth.passkeys k where k.user_id = p_user and k.created_at >= p_at;
	delete from auth.identities i where i.user_id = p_user and i.created_at >= p_at;
end
$$;

create or replace function api.remove_factor() returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	return to_jsonb(auth.remove_factor(auth.require_second()));
end
$$;

reset role;
