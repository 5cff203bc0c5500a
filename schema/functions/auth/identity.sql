-- Which user the bearer in app.bearer stands for. PL/pgSQL throughout: its plans are kept with the connection, while
-- SQL functions are planned anew in every statement.

set role tollgate_auth;

-- Before it told of the token. Only then, because a call that is under way would not find its function.
do $$
begin
	if not exists (select from pg_catalog.pg_proc p
			where p.oid = to_regprocedure('auth.find_session()') and 'issued_at' = any (p.proargnames)) then
		drop function if exists auth.find_session();
	end if;
end
$$;

-- The one rule of what a live session is. Anything else, a malformed bearer included, gives a row of nulls. A token
-- that was retired lately still is the session's: calls are under way with it. It has its caller's rights and
-- search_path: only functions of tollgate_auth may call it.
create or replace function auth.find_session(out id uuid, out user_id uuid, out email text,
	out auth_at timestamptz, out seen_at timestamptz,
	out token bytea, out issued_at timestamptz, out confirmed_at timestamptz, out retired_at timestamptz)
language plpgsql stable parallel safe as $$
declare
	bearer text := current_setting('app.bearer', true);
begin
	if bearer ~ '^[0-9a-f]{64}$' then
		select s.id, u.id, u.email, s.auth_at, s.seen_at, t.hash, t.issued_at, t.confirmed_at, t.retired_at
		into id, user_id, email, auth_at, seen_at, token, issued_at, confirmed_at, retired_at
		from auth.tokens t join auth.sessions s on s.id = t.session_id join auth.users u on u.id = s.user_id
		where t.hash = sha256(decode(bearer, 'hex'))
			and (t.retired_at is null or t.retired_at > now() - interval '30 s')
			and s.revoked_at is null and s.absolute_until > now() and s.idle_until > now()
			and u.disabled_at is null;
	end if;
end
$$;

-- Unused. Not in a migration, because until this commit the earlier functions call it.
drop function if exists auth.live_session();

create or replace function auth.uid() returns uuid
language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (auth.find_session()).user_id;
end
$$;

create or replace function auth.email() returns text
language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (auth.find_session()).email;
end
$$;

create or replace function auth.session_id() returns uuid
language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (auth.find_session()).id;
end
$$;

-- For pages: the session's user, or TG401. For a token that is young and in use it writes nothing, but every 5 minutes
-- that its session is used.
create or replace function auth.require_session(out user_id uuid, out email text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	live record := auth.find_session();
begin
	if live.id is null then
		raise exception 'no session' using errcode = 'TG401';
	end if;
	if live.issued_at <= now() - interval '15 min' or live.confirmed_at is null or live.retired_at is not null
			or live.seen_at <= now() - interval '5 min' then
		perform auth.tend_session(live.id, live.token);
	end if;
	user_id := live.user_id;
	email := live.email;
end
$$;

create or replace function auth.require_user() returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (select s.user_id from auth.require_session() s);
end
$$;

create or replace function api.signed_in() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return to_jsonb(auth.uid() is not null);
end
$$;

reset role;
