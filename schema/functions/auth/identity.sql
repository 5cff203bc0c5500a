-- Which user the bearer in app.bearer stands for. PL/pgSQL throughout: its plans are kept with the connection, while
-- SQL functions are planned anew in every statement.

set role tollgate_auth;

-- The one rule of what a live session is. Anything else, a malformed bearer included, gives a row of nulls.
create or replace function auth.live_session() returns auth.sessions
language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
declare
	bearer text := current_setting('app.bearer', true);
	live auth.sessions;
begin
	if bearer is null or bearer !~ '^[0-9a-f]{64}$' then
		return null;
	end if;
	select s.* into live
	from auth.tokens t join auth.sessions s on s.id = t.session_id join auth.users u on u.id = s.user_id
	where t.hash = sha256(decode(bearer, 'hex'))
		and (t.retired_at is null or t.retired_at > now() - interval '30 s')
		and s.revoked_at is null and s.absolute_until > now() and s.idle_until > now()
		and u.disabled_at is null;
	return live;
end
$$;

create or replace function auth.uid() returns uuid
language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (auth.live_session()).user_id;
end
$$;

create or replace function auth.email() returns text
language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (select u.email from auth.users u where u.id = auth.uid());
end
$$;

-- For pages: the session's user, or TG401. Extends the idle deadline, with at most one write every 5 minutes.
create or replace function auth.require_session(out user_id uuid, out email text)
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	live auth.sessions := auth.live_session();
begin
	if live.id is null then
		raise exception 'no session' using errcode = 'TG401';
	end if;
	if live.idle_until < least(live.absolute_until, now() + interval '7 days' - interval '5 min') then
		update auth.sessions s set idle_until = least(s.absolute_until, now() + interval '7 days') where s.id = live.id;
	end if;
	select u.id, u.email into user_id, email from auth.users u where u.id = live.user_id;
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
