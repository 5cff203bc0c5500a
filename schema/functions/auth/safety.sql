-- What a user is told by mail of the ways into the account.

set role tollgate_auth;

-- A browser as its user would name it, "Firefox, Linux", by its User-Agent. Null for what is not in the lists. Of
-- several words the first in rank counts, because browsers also name those that they are like.
create or replace function auth.browser_of(p_agent text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return nullif(concat_ws(', ', (
		select v.name from (values (1, 'Edg', 'Edge'), (2, 'OPR/', 'Opera'), (3, 'Firefox/', 'Firefox'),
			(4, 'FxiOS/', 'Firefox'), (5, 'Chrome/', 'Chrome'), (6, 'CriOS/', 'Chrome'), (7, 'Safari/', 'Safari'),
			(8, 'curl/', 'curl')) v (rank, word, name)
		where position(v.word in p_agent) > 0 order by v.rank limit 1), (
		select v.name from (values (1, 'Android', 'Android'), (2, 'iPhone', 'iPhone'), (3, 'iPad', 'iPad'),
			(4, 'Windows', 'Windows'), (5, 'Mac OS X', 'macOS'), (6, 'CrOS', 'ChromeOS'), (7, 'Linux', 'Linux'))
			v (rank, word, name)
		where position(v.word in p_agent) > 0 order by v.rank limit 1)), '');
end
$$;

-- The network that stands for a place: the /24 of an IPv4 address, the /48 of an IPv6 address.
create or replace function auth.place_of(p_ip inet) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return auth.network_of(p_ip, 24, 48);
end
$$;

-- What a mail says of a sign-in.
create or replace function auth.sign_in_facts(p_at timestamptz, p_ip inet, p_agent text) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return jsonb_strip_nulls(jsonb_build_object('date', api.date_document(p_at), 'browser', auth.browser_of(p_agent),
		'network', auth.place_of(p_ip)));
end
$$;

-- Mails it to the user, once for each key. p_template: safety_ and the name of its texts; all share one template.
create or replace function auth.tell(p_user uuid, p_key text, p_template text, p_data jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	insert into mail.outbox (key, recipient, template, language, data)
	select p_key, c.who ->> 'email', p_template, c.who ->> 'language', p_data
	from jsonb_array_elements(auth.contacts(array[p_user])) c (who)
	on conflict do nothing;
end
$$;

-- A browser that signs in as the user for the first time, when another one has before.
create or replace function auth.tell_new_device(p_user uuid, p_device bytea, p_ip inet, p_agent text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if exists (select from auth.devices d where d.user_id = p_user)
			and not exists (select from auth.devices d where d.user_id = p_user and d.hash = p_device) then
		perform auth.tell(p_user, 'device:' || gen_random_uuid(), 'safety_device',
			auth.sign_in_facts(now(), p_ip, p_agent));
	end if;
end
$$;

reset role;
