-- Which user the bearer in app.bearer stands for.

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

-- The one rule of what a live session is. Anything else, a malformed bearer included, gives no row. A token that was
-- retired lately still is the session's: calls are under way with it. PostgreSQL puts it into the statements below.
create or replace function auth.session_of(p_bearer text) returns table (id uuid, user_id uuid, email text,
	auth_at timestamptz, seen_at timestamptz,
	token bytea, issued_at timestamptz, confirmed_at timestamptz, retired_at timestamptz)
language sql stable parallel safe rows 1 as $$
	select s.id, u.id, u.email, s.auth_at, s.seen_at, t.hash, t.issued_at, t.confirmed_at, t.retired_at
	from auth.tokens t join auth.sessions s on s.id = t.session_id join auth.users u on u.id = s.user_id
	where t.hash = case when p_bearer ~ '^[0-9a-f]{64}$' then sha256(decode(p_bearer, 'hex')) end
		and (t.retired_at is null or t.retired_at > now() - interval '30 s')
		and s.revoked_at is null and s.absolute_until > now() and s.idle_until > now()
		and u.disabled_at is null
$$;

-- A row of nulls: there is no session. It has its caller's rights and search_path: only functions of tollgate_auth may
-- call it.
create or replace function auth.find_session(out id uuid, out user_id uuid, out email text,
	out auth_at timestamptz, out seen_at timestamptz,
	out token bytea, out issued_at timestamptz, out confirmed_at timestamptz, out retired_at timestamptz)
language plpgsql stable parallel safe as $$
begin
	select s.id, s.user_id, s.email, s.auth_at, s.seen_at, s.token, s.issued_at, s.confirmed_at, s.retired_at
	into id, user_id, email, auth_at, seen_at, token, issued_at, confirmed_at, retired_at
	from auth.session_of(current_setting('app.bearer', true)) s;
end
$$;

-- Unused. Not in a migration, because until this commit the earlier functions call it.
drop function if exists auth.live_session();

create or replace function auth.uid() returns uuid
language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (select s.user_id from auth.session_of(current_setting('app.bearer', true)) s);
end
$$;

create or replace function auth.email() returns text
language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (select s.email from auth.session_of(current_setting('app.bearer', true)) s);
end
$$;

create or replace function auth.session_id() returns uuid
language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (select s.id from auth.session_of(current_setting('app.bearer', true)) s);
end
$$;

-- Whether work that a session began may go on: the session lives, or another that renewed it, and its user is not
-- disabled. Not by a bearer, which may have rotated meanwhile.
create or replace function auth.goes_on(p_session uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return exists (
		select from auth.sessions s join auth.users u on u.id = s.user_id
		where (s.id = p_session or s.replaces = p_session) and s.revoked_at is null and s.absolute_until > now()
			and s.idle_until > now() and u.disabled_at is null);
end
$$;

-- Whether a call does more for its session than to find it.
create or replace function auth.is_due(p_issued timestamptz, p_confirmed timestamptz, p_retired timestamptz,
	p_seen timestamptz) returns boolean
language sql stable as $$
	select p_issued <= now() - interval '15 min' or p_confirmed is null or p_retired is not null
		or p_seen <= now() - interval '5 min'
$$;

-- For pages: the session's user, or TG401. For a token that is young and in use it writes nothing, but every 5 minutes
-- that its session is used.
create or replace function auth.require_session(out user_id uuid, out email text, out session_id uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	live record;
begin
	select s.* into live from auth.session_of(current_setting('app.bearer', true)) s;
	if live.id is null then
		raise exception 'no session' using errcode = 'TG401';
	end if;
	if auth.is_due(live.issued_at, live.confirmed_at, live.retired_at, live.seen_at) then
		perform auth.tend_session(live.id, live.token);
	end if;
	user_id := live.user_id;
	email := live.email;
	session_id := live.id;
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
