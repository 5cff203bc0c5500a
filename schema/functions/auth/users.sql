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
	insert into app.profiles (user_id, display_name) values (new.id, split_part(new.email, '@', 1));
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

create or replace function auth.address_of(p_user uuid) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (select u.email from auth.users u where u.id = p_user);
end
$$;

reset role;
