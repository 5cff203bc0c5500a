-- Sign-in links. A web worker asks for a link; the link is made when its mail is claimed, and its token is in no table:
-- a web worker sees a token only when a person typed or clicked it.

set role tollgate_auth;

-- 32 bytes; the two UUIDs hold 244 bits from the system's generator.
create or replace function auth.random_bytes() returns bytea
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
	return sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
end
$$;

-- 40 bits in Crockford's alphabet.
create or replace function auth.random_code() returns text
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
	bytes bytea := auth.random_bytes();
	code text := '';
begin
	for i in 0..7 loop
		code := code || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', get_byte(bytes, i) % 32 + 1, 1);
	end loop;
	return code;
end
$$;

-- What is stored of a code, in whichever way it was typed: lower case, spaces or hyphens, O for 0, I or L for 1.
create or replace function auth.code_hash(p_link bytea, p_code text) returns bytea
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return sha256(p_link || convert_to(translate(upper(p_code), 'OIL- ', '011'), 'UTF8'));
end
$$;

-- Workers send the digest of a link's token and of a flow cookie, and the tables keep the digest of that: what a table
-- holds proves nothing to the functions. p_flow is in the stored form.
--
-- Records what a link is wanted for and queues its mail, once for each p_key. p_user null: the user of the address, if
-- there is one. p_data: further values for the template. p_known: a device asks that has signed in as the user.
create or replace function auth.ask_link(p_key text, p_template text, p_data jsonb, p_purpose text, p_email text,
	p_language text, p_user uuid default null, p_tenant uuid default null, p_checkout bytea default null,
	p_flow bytea default null, p_next text default null, p_ip inet default null, p_known boolean default false,
	p_rank int default 0) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	request uuid := gen_random_uuid();
begin
	insert into mail.outbox (key, recipient, template, language, data, rank)
	values (p_key, btrim(p_email), p_template, p_language,
		jsonb_strip_nulls(p_data) || jsonb_build_object('request', request), p_rank)
	on conflict do nothing;
	if found then
		insert into auth.requests (id, purpose, email, email_canonical, user_id, tenant_id, checkout_key, flow_hash,
			next, language, ip, known)
		values (request, p_purpose, btrim(p_email), lower(btrim(p_email)), p_user, p_tenant, p_checkout, p_flow,
			p_next, p_language, p_ip, p_known);
	end if;
end
$$;

-- How long a link of this purpose works after its mail was made.
create or replace function auth.link_life(p_purpose text) returns interval
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return case when p_purpose in ('signin', 'confirm', 'reset') then interval '10 min'
		when p_purpose in ('invitation', 'undo') then interval '168 hours' else interval '24 hours' end;
end
$$;

-- Whether links for this purpose have no user, so that they cannot sign in: they prove a mailbox alone.
create or replace function auth.is_nobodys(p_purpose text) returns boolean
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return p_purpose in ('checkout', 'invitation', 'address', 'undo');
end
$$;

-- Which links sign their user in. Those of the others are for their own pages only.
create or replace function auth.signs_in(p_purpose text) returns boolean
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return p_purpose in ('signin', 'welcome', 'offer');
end
$$;

-- Whether a link of the request may still be used. Of a browser's requests for a sign-in, a registration, a new
-- password or an identity only the newest is open, and of a session's for a proof as well.
create or replace function auth.is_open(r auth.requests) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return r.id is not null and r.used_at is null and r.attempts < 5 and not exists (
		select from auth.requests n
		where r.purpose in ('signin', 'confirm', 'register', 'reset', 'connect') and n.purpose = r.purpose
			and n.flow_hash = r.flow_hash and n.created_at > r.created_at);
end
$$;

-- How many requests of strangers for a sign-in of this user have a link that works, without this one.
create or replace function auth.count_strangers(p_user uuid, p_but uuid) returns bigint
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select count(distinct r.id) from auth.links l join auth.requests r on r.id = l.request_id
		where l.user_id = p_user and l.expires_at > now() and r.purpose = 'signin' and not r.known and r.id <> p_but
			and auth.is_open(r));
end
$$;

-- Makes a link for a request's mail: {"recipient", "token", "code"}. Null: the request is closed, its address is no
-- user's, or five links that strangers asked for are usable. A second call for the same mail makes a second link, and
-- the first stays usable. The link of a registration has no user yet, that of an identity may have none, and a new
-- address is nobody's. Who registers with the address of a user gets the mail "registered" instead, {"recipient",
-- "template"}, without a link.
create or replace function auth.mint_link(p_request uuid) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	r auth.requests;
	who auth.users;
	token bytea := auth.random_bytes();
	stored bytea := sha256(sha256(token));
	code text := auth.random_code();
begin
	-- before the user, in the order of a sign-in
	select q.* into r from auth.requests q where q.id = p_request for key share;
	if not auth.is_open(r) then
		return null;
	end if;
	select u.* into who from auth.users u
	where (r.purpose = 'register' or not auth.is_nobodys(r.purpose))
		and u.email_canonical = r.email_canonical and u.id = coalesce(r.user_id, u.id) and u.disabled_at is null
	for no key update;
	if who.id is not null and r.purpose = 'register' then
		return jsonb_build_object('recipient', who.email, 'template', 'registered');
	elsif who.id is null and r.purpose not in ('register', 'connect') and not auth.is_nobodys(r.purpose)
			or r.purpose = 'address' and auth.find_user(r.email) is not null
			or r.purpose = 'signin' and not r.known and auth.count_strangers(who.id, r.id) >= 5 then
		return null;
	end if;
	insert into auth.links (hash, code_hash, request_id, user_id, expires_at)
	values (stored, auth.code_hash(stored, code), r.id, who.id, now() + auth.link_life(r.purpose));
	return jsonb_build_object('recipient', coalesce(who.email, r.email),
		'token', rtrim(translate(encode(token, 'base64'), '+/', '-_'), '='),
		'code', substr(code, 1, 4) || '-' || substr(code, 5));
end
$$;

-- Ends the links of a welcome, and of an offered tenant.
create or replace function auth.spend_requests(p_user uuid, p_tenant uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update auth.requests r set used_at = now()
	where r.used_at is null and (r.user_id = p_user and r.purpose = 'welcome' or r.tenant_id = p_tenant);
end
$$;

-- Ends the links of one request, also those that are not made yet.
create or replace function auth.spend_request(p_request uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update auth.requests r set used_at = now() where r.id = p_request and r.used_at is null;
end
$$;

-- The key of the draft that a link leads to, while the link is good; else null.
create or replace function auth.checkout_of(p_link_hash bytea) returns bytea
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (select r.checkout_key from auth.links l join auth.requests r on r.id = l.request_id
		where l.hash = sha256(p_link_hash) and l.expires_at > now() and r.purpose = 'checkout');
end
$$;

-- The request that a link is of, while the link is good and the request is for this purpose; else null.
create or replace function auth.request_of(p_link_hash bytea, p_purpose text) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (select r.id from auth.links l join auth.requests r on r.id = l.request_id
		where l.hash = sha256(p_link_hash) and l.expires_at > now() and r.purpose = p_purpose);
end
$$;

-- What is stored of a device that has signed in with this address. p_device_hash is the digest of its cookie.
create or replace function auth.device_of(p_device_hash bytea, p_email text) returns bytea
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return sha256(p_device_hash || convert_to(lower(btrim(p_email)), 'UTF8'));
end
$$;

-- The rank of a mail that a stranger caused: 1 above the ceiling for all strangers.
create or replace function auth.rank_stranger() returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	return case when auth.allow('link_global', '') then 0 else 1 end;
end
$$;

-- Refused for the asker's network, and only then with an error: TG429. What follows is the same work for every address,
-- and gives the same answer. A device that has signed in as the user has an allowance of its own for the address, all
-- others share one. What any of these refuses leaves no request, and earlier links go on working.
create or replace function api.request_link(p_email text, p_flow_hash bytea, p_next text, p_language text, p_ip inet,
	p_device_hash bytea default null) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	device bytea := auth.device_of(p_device_hash, p_email);
	is_known boolean := exists (select from auth.devices d where d.hash = device);
begin
	if not auth.allow_network('link', p_ip) then
		raise exception 'too many links' using errcode = 'TG429';
	end if;
	if auth.allow(case when is_known then 'link_known' else 'link_stranger' end,
			case when is_known then encode(device, 'hex') else lower(btrim(p_email)) end) then
		perform auth.ask_link('signin:' || gen_random_uuid(), 'signin', jsonb_build_object('next', p_next), 'signin',
			p_email, p_language, p_flow => sha256(p_flow_hash), p_next => p_next, p_ip => p_ip, p_known => is_known,
			p_rank => case when is_known then 0 else auth.rank_stranger() end);
	end if;
	return null;
end
$$;

-- For GET: reads only.
create or replace function api.link_state(p_link_hash bytea, p_flow_hash bytea) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	r auth.requests;
begin
	select q.* into r from auth.links l join auth.requests q on q.id = l.request_id
	where l.hash = sha256(p_link_hash) and l.expires_at > now() and auth.signs_in(q.purpose);
	return jsonb_build_object('state', case
		when not auth.is_open(r) then 'unusable'
		when r.flow_hash = sha256(p_flow_hash) then 'usable'
		else 'code_needed' end);
end
$$;

reset role;
