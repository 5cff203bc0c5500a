-- The sessions of a user, as the user sees and ends them.

set role tollgate_auth;

-- Live sessions, this one first. One that is renewed and whose successor has not been used yet is the same to its user.
create or replace function auth.session_documents(p_user uuid, p_current uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'current', s.id = p_current,
			'created', api.date_document(s.created_at), 'seen', api.date_document(s.seen_at),
			'seen_clock', to_char(s.seen_at at time zone 'UTC', 'HH24:MI "UTC"'),
			'network', auth.place_of(s.ip), 'browser', auth.browser_of(s.agent))
			order by (s.id = p_current) desc, s.seen_at desc, s.id), '[]')
		from auth.sessions s
		where s.user_id = p_user and s.revoked_at is null and s.absolute_until > now() and s.idle_until > now()
			and (s.replaces is null or s.id = p_current or exists (
				select from auth.tokens t where t.session_id = s.id and t.confirmed_at is not null)));
end
$$;

create or replace function api.sessions_page() returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me record := auth.require_session();
	sessions jsonb := auth.session_documents(me.user_id, auth.session_id());
begin
	return jsonb_build_object('email', me.email, 'sessions', sessions, 'others', jsonb_array_length(sessions) > 1);
end
$$;

create or replace function api.session_state() returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	me record := auth.require_session();
begin
	return (
		select jsonb_build_object('user', jsonb_build_object('id', me.user_id, 'email', me.email),
			'session', jsonb_build_object('id', s.id, 'created', api.date_document(s.created_at),
				'expires', api.date_document(least(s.absolute_until, s.idle_until)), 'fresh', auth.is_fresh()))
		from auth.sessions s where s.id = auth.session_id());
end
$$;

-- Ends live sessions of a user but the one that is kept, for the reason (auth.sessions.revoke_reason): how many. What
-- they have begun ends too: sign-ins with one proof of two, and changes of the address that are not proven yet. The
-- caller has the user's row, as a sign-in has, or writes no log before: the log's lock comes after those of sessions.
create or replace function auth.revoke_sessions(p_user uuid, p_reason text, p_kept uuid default null) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	ended bigint;
begin
	update auth.sessions s set revoked_at = now(), revoke_reason = p_reason
	where s.user_id = p_user and s.id is distinct from p_kept
		and s.revoked_at is null and s.absolute_until > now() and s.idle_until > now();
	get diagnostics ended = row_count;
	delete from auth.pending p where p.user_id = p_user;
	update auth.requests r set used_at = now()
	where r.user_id = p_user and r.purpose = 'address' and r.used_at is null;
	return ended;
end
$$;

-- With one that takes its place and has not been used yet, which pages do not show. TG404: the session is none of the
-- user's, or over.
create or replace function api.end_session(p_session uuid) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_fresh();
begin
	update auth.sessions s set revoked_at = now(), revoke_reason = 'logout'
	where p_session in (s.id, s.replaces) and s.user_id = me
		and s.revoked_at is null and s.absolute_until > now() and s.idle_until > now();
	if not found then
		raise exception 'no such session' using errcode = 'TG404';
	end if;
	return null;
end
$$;

create or replace function api.end_other_sessions() returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_fresh();
begin
	return jsonb_build_object('ended', auth.revoke_sessions(me, 'logout', auth.session_id()));
end
$$;

reset role;
