-- The site's operators: users whom `tollgate admin add` has named. They are no members of tenants, and sign in as
-- nobody else: what they see and do is what the functions of the program admin answer.

set role tollgate_auth;

create or replace function auth.is_operator(p_user uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return exists (select from auth.operators o where o.user_id = p_user);
end
$$;

-- Whether the user has what can prove more than the mailbox: codes by time, or a passkey.
create or replace function auth.has_second(p_user uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return auth.has_factor(p_user) or auth.has_passkey(p_user);
end
$$;

-- The one place where it is decided who acts as operator; each function of admin begins with it. TG401: no session.
-- TG404: the user is none, and these pages are not there. TG40F: the user has neither a second factor nor a passkey.
-- TG40C: the session has shown none of them within the last ten minutes.
create or replace function auth.require_operator() returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me record := auth.require_session();
begin
	if not auth.is_operator(me.user_id) then
		raise exception 'no operator' using errcode = 'TG404';
	elsif not auth.has_second(me.user_id) then
		raise exception 'no second factor' using errcode = 'TG40F';
	elsif not auth.is_fresh() or not exists (
			select from auth.sessions s where s.id = auth.session_id() and auth.is_second(s.amr))
			or not auth.is_second_fresh() then
		raise exception 'the second factor was not shown lately' using errcode = 'TG40C';
	end if;
	return me.user_id;
end
$$;

-- False when the user is one already.
create or replace function auth.add_operator(p_user uuid, p_by text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	insert into auth.operators (user_id, added_by) values (p_user, p_by) on conflict do nothing;
	return found;
end
$$;

create or replace function auth.remove_operator(p_user uuid) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	delete from auth.operators o where o.user_id = p_user;
	return found;
end
$$;

create or replace function auth.list_operators() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('id', u.id, 'email', u.email, 'added_at', o.added_at,
			'added_by', o.added_by, 'factor', auth.has_second(u.id), 'suspended', u.disabled_at is not null)
			order by o.added_at, u.id), '[]')
		from auth.operators o join auth.users u on u.id = o.user_id);
end
$$;

-- Users whose id is p_text, or whose address or name has it in it, by address: p_limit of them after the user p_after.
create or replace function auth.search_users(p_text text, p_after uuid, p_limit int) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('id', w.id, 'email', w.email, 'name', w.display_name,
			'since', api.date_document(w.created_at), 'suspended', w.disabled_at is not null)
			order by w.email_canonical), '[]')
		from (
			select u.id, u.email, u.email_canonical, u.created_at, u.disabled_at, p.display_name
			from auth.users u left join app.profiles p on p.user_id = u.id
			where (u.id::text = lower(p_text) or strpos(u.email_canonical, lower(p_text)) > 0
					or strpos(lower(p.display_name), lower(p_text)) > 0)
				and (p_after is null or u.email_canonical > (
					select a.email_canonical from auth.users a where a.id = p_after))
			order by u.email_canonical limit p_limit) w);
end
$$;

-- What an operator sees of a user's ways in: facts, and no secret. Null for no user.
create or replace function auth.user_record(p_user uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select jsonb_build_object('id', u.id, 'email', u.email, 'name', p.display_name, 'language', p.language,
			'since', api.date_document(u.created_at),
			'seen', (select api.date_document(max(s.seen_at)) from auth.sessions s where s.user_id = u.id),
			'operator', auth.is_operator(u.id),
			'password', exists (select from auth.passwords w where w.user_id = u.id),
			'factor', auth.has_factor(u.id),
			'elsewhere', (
				select string_agg(i.label, ', ' order by i.label) from auth.identities i where i.user_id = u.id),
			'passkeys', (select count(*) from auth.passkeys k where k.user_id = u.id),
			'codes_left', (select count(*) from auth.recovery_codes c where c.user_id = u.id and c.used_at is null),
			'suspended', (
				select jsonb_build_object('at', api.date_document(u.disabled_at), 'reason', x.reason,
					'by', auth.address_of(x.by_id))
				from (select) one left join auth.suspensions x on x.user_id = u.id and x.lifted_at is null
				where u.disabled_at is not null),
			'sessions', auth.session_documents(u.id, null))
		from auth.users u left join app.profiles p on p.user_id = u.id where u.id = p_user);
end
$$;

-- Refuses a user who is disabled with TG403. The lock on the user's row keeps a suspension waiting until the
-- transaction of the sign-in ends.
create or replace function auth.refuse_suspended(p_user uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform from auth.users u where u.id = p_user and u.disabled_at is null for no key update;
	if not found then
		raise exception 'the user is kept out' using errcode = 'TG403';
	end if;
end
$$;

-- Tells the user of the suspension that begins or ends. p_what: begun or lifted.
create or replace function auth.tell_suspension(p_user uuid, p_suspension uuid, p_what text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform auth.tell(p_user, 'suspension:' || p_what || ':' || p_suspension, 'suspension_' || p_what,
		jsonb_build_object('date', api.date_document(now())));
end
$$;

-- Keeps a user out, who is told by mail: all sessions end, and no proof makes another (auth.open_session). The
-- suspension's id; null: the user was kept out already.
create or replace function auth.suspend_user(p_user uuid, p_by uuid, p_reason text) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	made uuid := gen_random_uuid();
begin
	perform auth.lock_user(p_user);
	if exists (select from auth.users u where u.id = p_user and u.disabled_at is not null) then
		return null;
	end if;
	insert into auth.suspensions (id, user_id, by_id, reason) values (made, p_user, p_by, p_reason);
	perform auth.tell_suspension(p_user, made, 'begun');	-- who is kept out gets no further mail
	update auth.users u set disabled_at = now() where u.id = p_user;
	perform auth.revoke_sessions(p_user, 'admin');
	return made;
end
$$;

-- False: the user was not kept out.
create or replace function auth.lift_suspension(p_user uuid, p_by uuid) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	ended uuid;
begin
	update auth.users u set disabled_at = null where u.id = p_user and u.disabled_at is not null;
	if not found then
		return false;
	end if;
	update auth.suspensions s set lifted_at = now(), lifted_by = p_by
	where s.user_id = p_user and s.lifted_at is null
	returning s.id into ended;
	perform auth.tell_suspension(p_user, coalesce(ended, gen_random_uuid()), 'lifted');
	return true;
end
$$;

reset role;
