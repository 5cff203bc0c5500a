-- Users and their profiles, and how often somebody may ask for something.

set role tollgate_auth;

-- One unit of a limit. Each subject's row holds the time until which its allowance is spent, so one statement decides,
-- however many ask at once. "subject" is kept as a digest only.
create or replace function auth.allow(p_kind text, p_subject text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	per interval;
	unit interval;
begin
	select l.per, l.per / l.allowed into strict per, unit from auth.limits l where l.kind = p_kind;
	insert into auth.hits as h (kind, subject, spent_until)
	values (p_kind, sha256(convert_to(p_kind || ':' || coalesce(p_subject, ''), 'UTF8')), now() + unit)
	on conflict (kind, subject) do update set spent_until = greatest(h.spent_until, now()) + unit
		where greatest(h.spent_until, now()) + unit <= now() + per;
	return found;
end
$$;

-- Who shares an allowance: an IPv4 address, or the /64 of an IPv6 one. A mapped IPv4 address counts as what it is.
create or replace function auth.neighbourhood(p_ip inet) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	if p_ip <<= inet '::ffff:0:0/96' then
		return host(inet '0.0.0.0' + (p_ip - inet '::ffff:0:0'));
	elsif family(p_ip) = 6 then
		return network(set_masklen(p_ip, 64))::text;
	end if;
	return host(p_ip);
end
$$;

create or replace function auth.ensure_user(p_email text) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	canonical text := lower(btrim(p_email));
begin
	insert into auth.users (email, email_canonical) values (btrim(p_email), canonical)
	on conflict (email_canonical) do nothing;
	return (select u.id from auth.users u where u.email_canonical = canonical);
end
$$;

-- The language of a user's mails is that of the last sign-in, at first that of the sign-up.
create or replace function auth.set_language(p_user uuid, p_language text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update app.profiles p set language = p_language
	where p.user_id = p_user and p_language is not null and p.language is distinct from p_language;
end
$$;

-- Where mails to these users go: [{"user", "email", "language"}...], without those who are disabled.
create or replace function auth.contacts(p_users uuid[]) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('user', u.id, 'email', u.email, 'language', coalesce(p.language, 'en'))
			order by u.created_at, u.id), '[]')
		from auth.users u left join app.profiles p on p.user_id = u.id
		where u.id = any (p_users) and u.disabled_at is null);
end
$$;

create or replace function auth.make_profile() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	insert into app.profiles (user_id, display_name) values (new.id, split_part(new.email, '@', 1));
	return null;
end
$$;

reset role;

create or replace trigger make_profile after insert on auth.users
	for each row execute function auth.make_profile();
