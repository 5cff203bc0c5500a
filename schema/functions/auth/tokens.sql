-- The tokens of a session, which rotate. A token is a candidate until its first use, then the session's current one,
-- and retired once a younger one is used. So a reply that is lost with a candidate costs nothing: the current one goes
-- on.

set role tollgate_auth;

-- The first use of a candidate. A session that was renewed ends here, when its successor is sure to have arrived, and
-- with it each other successor, whose answer was lost. Of two that are used at once the second waits for the row of the
-- former session, and then finds the first's free: neither waits for the other's.
create or replace function auth.confirm_token(p_session uuid, p_token bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update auth.tokens t set confirmed_at = now() where t.hash = p_token;
	update auth.tokens t set retired_at = now()
	where t.session_id = p_session and t.hash <> p_token and t.retired_at is null;
	update auth.sessions o set revoked_at = now(), revoke_reason = 'replaced'
	from auth.sessions s where s.id = p_session and o.id = s.replaces and o.revoked_at is null;
	update auth.sessions o set revoked_at = now(), revoke_reason = 'replaced'
	where o.id in (
		select w.id from auth.sessions w join auth.sessions s on s.id = p_session and w.replaces = s.replaces
		where w.id <> p_session and w.revoked_at is null for no key update of w skip locked);
end
$$;

-- Issues the candidate that the worker offers, unless one is younger than 10 s. A client that keeps no cookie gets one
-- after another, of which the newest five are good. Tells the worker by an INFO
-- (lib/db/db.h) how long the cookie may be kept.
create or replace function auth.issue_token(s auth.sessions) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	candidate text := current_setting('app.candidate', true);
begin
	if candidate ~ '^[0-9a-f]{64}$' and not exists (
			select from auth.tokens t where t.session_id = s.id and t.issued_at > now() - interval '10 s') then
		delete from auth.tokens d where d.hash in (
			select t.hash from auth.tokens t
			where t.session_id = s.id and t.confirmed_at is null and t.retired_at is null
			order by t.issued_at desc offset 4);
		insert into auth.tokens (hash, session_id) values (decode(candidate, 'hex'), s.id)
		on conflict do nothing;		-- a request that takes this long has had it already
		if found then
			raise info '%', auth.cookie_age(s) using errcode = 'TG001';
		end if;
	end if;
end
$$;

-- What a page does for a session beside showing it. Of calls at the same time one does it, and none waits for it.
create or replace function auth.tend_session(p_session uuid, p_token bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	s auth.sessions;
	t auth.tokens;
begin
	select q.* into s from auth.sessions q where q.id = p_session and q.revoked_at is null
	for no key update skip locked;
	select k.* into t from auth.tokens k where k.hash = p_token and k.session_id = s.id;	-- as it is by now
	if t.hash is null then
		return;
	end if;
	if s.seen_at <= now() - interval '5 min' or t.retired_at is null and t.confirmed_at is null then
		update auth.sessions q set seen_at = now(), idle_until = least(q.absolute_until, now() + interval '7 days')
		where q.id = s.id;
	end if;
	if t.retired_at is null and t.confirmed_at is null then
		perform auth.confirm_token(s.id, t.hash);
	elsif t.retired_at is not null or t.issued_at <= now() - interval '15 min' then
		perform auth.issue_token(s);
	end if;
end
$$;

-- After a refusal: a bearer that was retired more than 30 s ago is in two hands. Its session ends, and the user is
-- told: whoever of the two is the user signs in again. {"session"}, or null when the refusal has another reason.
-- {"late": true}: another session has taken this one's place within the last 30 s, so the browser may have its cookie.
create or replace function api.end_reused() returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	bearer text := current_setting('app.bearer', true);
	ended auth.sessions;
begin
	if bearer ~ '^[0-9a-f]{64}$' then
		update auth.sessions s set revoked_at = now(), revoke_reason = 'reuse'
		from auth.tokens t
		where t.hash = sha256(decode(bearer, 'hex')) and t.retired_at <= now() - interval '30 s'
			and s.id = t.session_id and s.revoked_at is null and s.absolute_until > now() and s.idle_until > now()
		returning s.* into ended;
	end if;
	if ended.id is null then
		return (
			select '{"late": true}'::jsonb from auth.tokens t join auth.sessions s on s.id = t.session_id
			where t.hash = case when bearer ~ '^[0-9a-f]{64}$' then sha256(decode(bearer, 'hex')) end
				and s.revoke_reason = 'replaced' and s.revoked_at > now() - interval '30 s');
	end if;
	perform auth.tell(ended.user_id, 'reuse:' || ended.id, 'safety_reuse',
		auth.sign_in_facts(ended.created_at, ended.ip, ended.agent));
	return jsonb_build_object('session', ended.id);
end
$$;

reset role;
