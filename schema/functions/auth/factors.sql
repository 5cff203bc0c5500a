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

-- p_key, here and below, is the key of the seeds; while it is changed, the one before it follows behind a blank. What
-- is stored anew is stored under the first. TG503: the key is missing, or is not the one that this was stored under.
-- Nothing is decided without it.
create or replace function auth.newest_key(p_key text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	if coalesce(length(split_part(p_key, ' ', 1)), 0) < 32 then
		raise exception 'the key of the seeds is missing' using errcode = 'TG503';
	end if;
	return split_part(p_key, ' ', 1);
end
$$;

-- Unused. Not in a migration, because until this commit the earlier functions call it.
drop function if exists auth.require_seed_key(text);

-- The key is random, so that stretching it (s2k-mode 3) would only cost time.
create or replace function auth.seal_seed(p_seed bytea, p_key text) returns bytea
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
	return crypto.pgp_sym_encrypt_bytea(p_seed, auth.newest_key(p_key),
		'cipher-algo=aes256, compress-algo=0, s2k-mode=1');
end
$$;

-- What was sealed, and the key that it was sealed under.
create or replace function auth.unseal(p_sealed bytea, p_key text, out seed bytea, out key text)
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	perform auth.newest_key(p_key);
	foreach key in array string_to_array(p_key, ' ') loop
		begin
			seed := crypto.pgp_sym_decrypt_bytea(p_sealed, key);
			return;
		exception when external_routine_invocation_exception then
			continue;
		end;
	end loop;
	raise exception 'the key of the seeds is another' using errcode = 'TG503';
end
$$;

create or replace function auth.open_seed(p_sealed bytea, p_key text) returns bytea
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return (auth.unseal(p_sealed, p_key)).seed;
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

-- The key that digests of recovery codes are made with: that of the seed when they were made.
create or replace function auth.codes_key(f auth.factors, p_key text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return case when f.codes_key is null then (auth.unseal(f.seed, p_key)).key
		else convert_from(auth.open_seed(f.codes_key, p_key), 'UTF8') end;
end
$$;

-- Keyed, because 50 bits are few enough to be tried by whoever has the table. In whichever way it was typed. p_key:
-- auth.codes_key()
create or replace function auth.recovery_hash(p_user uuid, p_code text, p_key text) returns bytea
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	perform auth.newest_key(p_key);
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
	key text;
begin
	delete from auth.recovery_codes c where c.user_id = p_user;
	update auth.factors f set codes_key = null where f.user_id = p_user returning auth.codes_key(f, p_key) into key;
	insert into auth.recovery_codes (hash, user_id)
	select auth.recovery_hash(p_user, c, key), p_user from unnest(codes) c;
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
	where c.hash = auth.recovery_hash(p_user, p_code, (
			select auth.codes_key(f, p_key) from auth.factors f where f.user_id = p_user))
		and c.user_id = p_user and c.used_at is null;
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

-- Stores under the first key what is stored under the other one, of the p_most factors behind p_after. {"last": null at
-- the end, "seen", "moved", "lost": under neither key}. A code that is used at the same moment waits, and so does this.
create or replace function auth.rotate_seeds(p_key text, p_after uuid, p_most int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	f auth.factors;
	seen int := 0;
	moved int := 0;
	lost int := 0;
	last_user uuid;
begin
	perform auth.newest_key(p_key);
	for f in select w.* from auth.factors w where w.user_id > p_after order by w.user_id limit p_most for update loop
		last_user := f.user_id;
		seen := seen + 1;
		begin
			update auth.factors w set seed = auth.seal_seed(auth.open_seed(f.seed, p_key), p_key),
				codes_key = auth.seal_seed(convert_to(auth.codes_key(f, p_key), 'UTF8'), p_key)
			where w.user_id = f.user_id and (auth.unseal(f.seed, p_key)).key <> auth.newest_key(p_key);
			moved := moved + found::int;
		exception when sqlstate 'TG503' then
			lost := lost + 1;
		end;
	end loop;
	return jsonb_build_object('last', last_user, 'seen', seen, 'moved', moved, 'lost', lost);
end
$$;

reset role;
