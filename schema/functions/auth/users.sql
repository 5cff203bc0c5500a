-- Users and their profiles.

set role tollgate_auth;

-- False when the address is a user's already. Of simultaneous calls one makes the user.
create or replace function auth.add_user(p_email text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	insert into auth.users (email, email_canonical) values (btrim(p_email), lower(btrim(p_email)))
	on conflict (email_canonical) do nothing;
	return found;
end
$$;

-- Mails to a user are in the language of the last sign-in; before that, of the sign-up.
create or replace function auth.set_language(p_user uuid, p_language text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update app.profiles p set language = p_language
	where p.user_id = p_user and p_language is not null and p.language is distinct from p_language;
end
$$;

-- Where mails to these users go: [{"user", "email", "language"}...], without disabled users.
create or replace function auth.contacts(p_users uuid[]) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_agg(
			jsonb_build_object('user', u.id, 'email', u.email, 'language', coalesce(p.language, 'en'))
			order by u.created_at, u.id), '[]')
		from auth.users u left join app.profiles p on p.user_id = u.id
		where u.id = any (p_users) and u.disabled_at is null);
end
$$;

-- Trigger make_profile on auth.users.
create or replace function auth.make_profile() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	insert into app.profiles (user_id, display_name) values (new.id, app.first_name(new.email));
	return null;
end
$$;

create or replace function auth.find_user(p_email text) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (select u.id from auth.users u where u.email_canonical = lower(btrim(p_email)));
end
$$;

create or replace function auth.has_signed_in(p_user uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return exists (select from auth.sessions s where s.user_id = p_user);
end
$$;

-- Deletes a user who was made since, has never signed in and to whom nothing refers any more: by a foreign key, so that
-- a new table's rows keep their users too.
create or replace function auth.drop_unused(p_user uuid, p_since timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	delete from auth.users u where u.id = p_user and u.created_at >= p_since and not auth.has_signed_in(u.id);
exception when foreign_key_violation then
	null;
end
$$;

-- Deletes a user, with all that references the user and goes with it, and what was asked for with the addresses. A row
-- that is kept and still names the user refuses it.
create or replace function auth.forget_user(p_user uuid, p_addresses text[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	delete from auth.requests r where r.user_id = p_user or r.email_canonical = any (p_addresses);
	perform auth.remove_operator(p_user);
	delete from auth.users u where u.id = p_user;
end
$$;

create or replace function auth.address_of(p_user uuid) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (select u.email from auth.users u where u.id = p_user);
end
$$;

-- For the operator. Null for no user.
create or replace function auth.user_document(p_user uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return (
		select jsonb_build_object('id', u.id, 'email', u.email, 'language', p.language, 'created_at', u.created_at,
			'disabled_at', u.disabled_at,
			'last_sign_in', (select max(s.auth_at) from auth.sessions s where s.user_id = u.id),
			'sessions', (select count(*) from auth.sessions s where s.user_id = u.id and s.revoked_at is null
				and s.absolute_until > now() and s.idle_until > now()),
			'passkeys', (select count(*) from auth.passkeys k where k.user_id = u.id),
			'passkey_used', (select max(k.used_at) from auth.passkeys k where k.user_id = u.id),
			'connections', (select count(*) from auth.identities i where i.user_id = u.id),
			'connection_used', (select max(i.used_at) from auth.identities i where i.user_id = u.id))
		from auth.users u left join app.profiles p on p.user_id = u.id where u.id = p_user);
end
$$;

-- Links that were sent to the former address end with it: a sign-in compares. Sessions go on.
create or replace function auth.change_address(p_user uuid, p_email text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update auth.users u set email = btrim(p_email), email_canonical = lower(btrim(p_email)) where u.id = p_user;
exception when unique_violation then
	raise exception 'the address is another user''s' using errcode = 'TG409';
end
$$;

-- Before requests and sessions of one user, so that two changes wait for each other.
create or replace function auth.lock_user(p_user uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform from auth.users u where u.id = p_user for no key update;
end
$$;

create or replace function auth.end_sessions(p_user uuid) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	return auth.revoke_sessions(p_user, 'admin');
end
$$;

reset role;
