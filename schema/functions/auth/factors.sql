-- Second factors: codes by time (RFC 6238: SHA-1, 30 s, six digits) and recovery codes. Whether a code is good is
-- decided here. A worker sees no seed but the one that its user is adding; it has the key that all are stored under.

set role tollgate_auth;

-- RFC 4226, 5.3: the low half of the last byte says where the 31 bits begin.
create or replace function auth.totp(p_seed bytea, p_step bigint) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
	mac bytea := crypto.hmac(int8send(p_step), p_seed, 'sha1');
	place int := get_byte(mac, 19) & 15;
	bits bigint := ('x' || encode(substr(mac, place + 1, 4), 'hex'))::bit(32)::bigint & 2147483647;
begin
	return lpad((bits % 1000000)::text, 6, '0');
end
$$;

create or replace function auth.totp_step() returns bigint
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return floor(extract(epoch from now()) / 30);
end
$$;

-- TG503: the key is missing, or is not the one that this was stored under. Nothing is decided without it.
create or replace function auth.require_seed_key(p_key text) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	if coalesce(length(p_key), 0) < 32 then
		raise exception 'the key of the seeds is missing' using errcode = 'TG503';
	end if;
end
$$;

-- The key is random, so that stretching it (s2k-mode 3) would only cost time.
create or replace function auth.seal_seed(p_seed bytea, p_key text) returns bytea
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
	perform auth.require_seed_key(p_key);
	return crypto.pgp_sym_encrypt_bytea(p_seed, p_key, 'cipher-algo=aes256, compress-algo=0, s2k-mode=1');
end
$$;

create or replace function auth.open_seed(p_sealed bytea, p_key text) returns bytea
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	perform auth.require_seed_key(p_key);
	return crypto.pgp_sym_decrypt_bytea(p_sealed, p_key);
exception when external_routine_invocation_exception then
	raise exception 'the key of the seeds is another' using errcode = 'TG503';
end
$$;

-- Whether the newest seed was stored under this key; true while there is none.
create or replace function auth.fits_seed_key(p_key text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform auth.open_seed(f.seed, p_key) from (
		select n.seed from auth.factors n order by n.created_at desc limit 1) f;
	return true;
exception when sqlstate 'TG503' then
	return false;
end
$$;

-- RFC 4648, base 32, as authenticators take it. 20 bytes are 32 characters, without padding.
create or replace function auth.spell_seed(p_bytes bytea) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
	bits bit varying := ('x' || encode(p_bytes, 'hex'))::bit varying;
begin
	return (
		select string_agg(substr('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567',
			substring(bits from n * 5 + 1 for 5)::bit(5)::int + 1, 1), '' order by n)
		from generate_series(0, length(bits) / 5 - 1) n);
end
$$;

-- 50 bits in Crockford's alphabet.
create or replace function auth.random_recovery_code() returns text
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
	return auth.random_code() || substr(auth.random_code(), 1, 2);
end
$$;

-- Keyed, because 50 bits are few enough to be tried by whoever has the table. In whichever way it was typed.
create or replace function auth.recovery_hash(p_user uuid, p_code text, p_key text) returns bytea
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	perform auth.require_seed_key(p_key);
	return crypto.hmac(convert_to(p_user || ':' || translate(upper(p_code), 'OIL- ', '011'), 'UTF8'),
		convert_to(p_key, 'UTF8'), 'sha256');
end
$$;

create or replace function auth.has_factor(p_user uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return exists (select from auth.factors f where f.user_id = p_user and f.confirmed_at is not null);
end
$$;

-- A mail about the user's second factor.
create or replace function auth.tell_factor(p_user uuid, p_what text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	insert into mail.outbox (key, recipient, template, language, data)
	select 'factor:' || gen_random_uuid(), c.doc ->> 'email', 'factor_' || p_what, c.doc ->> 'language', '{}'
	from jsonb_array_elements(auth.contacts(array[p_user])) c (doc);
end
$$;

-- Ten new codes in place of those before, as their user is to write them down.
create or replace function auth.make_recovery_codes(p_user uuid, p_key text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	codes text[] := array(select auth.random_recovery_code() from generate_series(1, 10));
begin
	delete from auth.recovery_codes c where c.user_id = p_user;
	insert into auth.recovery_codes (hash, user_id)
	select auth.recovery_hash(p_user, c, p_key), p_user from unnest(codes) c;
	return (select jsonb_agg(substr(c, 1, 5) || '-' || substr(c, 6)) from unnest(codes) c);
end
$$;

-- Whether the code is of this step or the one before or after, for clocks that are apart. It is spent, and all codes
-- before it.
create or replace function auth.spend_totp(p_user uuid, p_code text, p_seed bytea) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update auth.factors f set last_step = s.step
	from generate_series(auth.totp_step() - 1, auth.totp_step() + 1) s (step)
	where f.user_id = p_user and s.step > f.last_step and auth.totp(p_seed, s.step) = p_code;
	return found;
end
$$;

-- The last one is told by mail: without the device nothing signs in any more.
create or replace function auth.spend_recovery_code(p_user uuid, p_code text, p_key text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update auth.recovery_codes c set used_at = now()
	where c.hash = auth.recovery_hash(p_user, p_code, p_key) and c.user_id = p_user and c.used_at is null;
	if not found then
		return false;
	end if;
	perform auth.tell_factor(p_user, 'last_code')
	where not exists (select from auth.recovery_codes c where c.user_id = p_user and c.used_at is null);
	return true;
end
$$;

drop function if exists auth.check_code(uuid, text, text);	-- before p_asker

-- What the code proves of this user, 'totp' or 'recovery'; null: nothing. Calls for one user are decided one after the
-- other. TG429: too many wrong codes. The key is tried in each case, so that no code is decided without it. p_asker: a
-- device or session that has been the user's, whose wrong codes count for themselves: strangers who know the first
-- proof use up nothing of the user's.
create or replace function auth.check_code(p_user uuid, p_code text, p_key text, p_asker text default '') returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	code text := translate(p_code, '- ', '');
	kind text := case when code ~ '^[0-9]{6}$' then 'totp' else 'recovery' end;
	sealed bytea;
	seed bytea;
	good boolean;
begin
	select f.seed into sealed from auth.factors f where f.user_id = p_user and f.confirmed_at is not null for update;
	if sealed is null then
		return null;
	end if;
	seed := auth.open_seed(sealed, p_key);
	if not auth.allow('second_' || kind, p_user || p_asker) then
		raise exception 'too many codes' using errcode = 'TG429';
	end if;
	good := case kind when 'totp' then auth.spend_totp(p_user, code, seed)
		else auth.spend_recovery_code(p_user, code, p_key) end;
	perform auth.give_back('second_' || kind, p_user || p_asker) where good;
	return case when good then kind end;
end
$$;

reset role;
