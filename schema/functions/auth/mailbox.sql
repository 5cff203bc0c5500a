-- Registering and setting a new password: both need a mailbox, proven by a mailed link or its code. A request is
-- recorded for any address, and the mailer finds out whether it is a user's.

set role tollgate_auth;

drop function if exists auth.ask_proof(text, text, bytea, text, inet, bytea);	-- before p_data

-- As auth.ask_link(), for a purpose that is also the mail's template. The request's id; null when the allowances of the
-- address or device refuse, which the answer does not show. TG429: the network's refuses. p_data: for the template.
create or replace function auth.ask_proof(p_purpose text, p_email text, p_flow_hash bytea, p_language text, p_ip inet,
	p_device_hash bytea, p_data jsonb default '{}') returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	device bytea := auth.device_of(p_device_hash, p_email);
	is_known boolean := exists (select from auth.devices d where d.hash = device);
	request uuid := gen_random_uuid();
begin
	if not auth.allow_network('link', p_ip) then
		raise exception 'too many links' using errcode = 'TG429';
	elsif not auth.allow(case when is_known then 'link_known' else 'link_stranger' end,
			case when is_known then encode(device, 'hex') else lower(btrim(p_email)) end) then
		return null;
	end if;
	insert into mail.outbox (key, recipient, template, language, data, rank)
	values (p_purpose || ':' || request, btrim(p_email), p_purpose, p_language,
		jsonb_strip_nulls(p_data) || jsonb_build_object('request', request),
		case when is_known then 0 else auth.rank_stranger() end);
	insert into auth.requests (id, purpose, email, email_canonical, flow_hash, language, ip, known)
	values (request, p_purpose, btrim(p_email), lower(btrim(p_email)), sha256(p_flow_hash), p_language, p_ip, is_known);
	return request;
end
$$;

create or replace function api.request_registration(p_email text, p_flow_hash bytea, p_language text, p_ip inet,
	p_device_hash bytea, p_salt bytea, p_cost int[], p_key bytea) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	request uuid := auth.ask_proof('register', p_email, p_flow_hash, p_language, p_ip, p_device_hash);
begin
	insert into auth.pending_passwords (request_id, salt, cost, stored_key)
	select request, p_salt, p_cost, sha256(p_key) where request is not null;
	return null;
end
$$;

create or replace function api.request_reset(p_email text, p_flow_hash bytea, p_language text, p_ip inet,
	p_device_hash bytea) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform auth.ask_proof('reset', p_email, p_flow_hash, p_language, p_ip, p_device_hash);
	return null;
end
$$;

-- As auth.find_link(). proofs: how many of link, code and browser were given; null when the link is over.
create or replace function auth.find_proof(p_purpose text, p_link_hash bytea, p_code text, p_flow_hash bytea,
	out request auth.requests, out link auth.links, out proofs int)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	f record := auth.find_link(p_purpose, p_link_hash, p_code, p_flow_hash);
begin
	request := f.request;
	link := f.link;
	proofs := case when auth.is_open(request) and (link.hash is null or link.expires_at > now()) then
		(p_link_hash is not null)::int + coalesce(request.flow_hash = sha256(p_flow_hash), false)::int
		+ coalesce(link.code_hash = auth.code_hash(link.hash, p_code), false)::int end;
end
$$;

-- What a page shows of a link: {"state": "usable", "email"}, "code_needed" in another browser, "unusable". With the
-- "provider" of an identity that waits, and what it is "known_as" there. Reads only.
create or replace function api.proof_state(p_purpose text, p_link_hash bytea, p_flow_hash bytea) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	r auth.requests;
begin
	select q.* into r from auth.links l join auth.requests q on q.id = l.request_id
	where l.hash = sha256(p_link_hash) and l.expires_at > now() and q.purpose = p_purpose;
	return case
		when not auth.is_open(r) then jsonb_build_object('state', 'unusable')
		when r.flow_hash = sha256(p_flow_hash) then jsonb_build_object('state', 'usable', 'email', r.email)
			|| coalesce((
				select jsonb_build_object('provider', w.claims ->> 'label', 'known_as', w.claims ->> 'account')
				from auth.pending_identities w where w.request_id = r.id), '{}')
		else jsonb_build_object('state', 'code_needed') end;
end
$$;

-- Whether two proofs are there, before a password is stretched for them: {"ok": true, "email", "own": the browser that
-- asked}, or {"ok": false, "attempts_left"}. Uses nothing up; a wrong code costs an attempt.
create or replace function api.check_proof(p_purpose text, p_link_hash bytea, p_code text, p_flow_hash bytea)
	returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	f record := auth.find_proof(p_purpose, p_link_hash, p_code, p_flow_hash);
	r auth.requests := f.request;
begin
	if f.proofs is null then
		return jsonb_build_object('ok', false, 'attempts_left', null);
	elsif f.proofs < 2 then
		update auth.requests q set attempts = q.attempts + (p_code is not null)::int where q.id = r.id
		returning q.* into r;
		return jsonb_build_object('ok', false, 'attempts_left', 5 - r.attempts);
	end if;
	return jsonb_build_object('ok', true, 'email', r.email, 'own', coalesce(r.flow_hash = sha256(p_flow_hash), false));
end
$$;

-- Uses up a link of a request for this purpose, with its code or in the browser that asked. request null: it does not;
-- attempts_left null: the link is over.
create or replace function auth.take_link(p_link_hash bytea, p_code text, p_flow_hash bytea, p_purpose text,
	out request uuid, out attempts_left int)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	f record := auth.find_proof(p_purpose, p_link_hash, p_code, p_flow_hash);
	r auth.requests := f.request;
begin
	if f.proofs >= 2 then
		update auth.requests q set used_at = now() where q.id = r.id;
		request := r.id;
	elsif f.proofs is not null then
		update auth.requests q set attempts = q.attempts + (p_code is not null)::int where q.id = r.id
		returning 5 - q.attempts into attempts_left;
	end if;
end
$$;

-- The user of the request, who owns a tenant from now on, with the password that waited. Proven in another browser than
-- the one that typed it, the waiting password is dropped, and p_key is the one that was typed here. Another user may
-- have taken the address meanwhile: then the request is over.
create or replace function api.register(p_link_hash bytea, p_code text, p_flow_hash bytea, p_token_hash bytea,
	p_ip inet, p_agent text, p_device_hash bytea, p_salt bytea, p_cost int[], p_key bytea, p_remember boolean)
	returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	f record := auth.find_proof('register', p_link_hash, p_code, p_flow_hash);
	r auth.requests := f.request;
	who uuid;
	own boolean := coalesce(r.flow_hash = sha256(p_flow_hash), false);
begin
	if r.token_hash = p_token_hash then
		return jsonb_build_object('ok', true);
	elsif coalesce(f.proofs, 0) < 2 or not own and p_key is null then
		return jsonb_build_object('ok', false);
	elsif not auth.add_user(r.email) then
		return jsonb_build_object('ok', false);
	end if;
	who := auth.find_user(r.email);
	perform audit.note('registered', null, who, who);
	if own then
		perform auth.put_password(who, w.salt, w.cost, w.stored_key)
		from auth.pending_passwords w where w.request_id = r.id;
	else
		perform auth.put_password(who, p_salt, p_cost, sha256(p_key));
	end if;
	delete from auth.pending_passwords w where w.request_id = r.id;
	update auth.requests q set used_at = now(), token_hash = p_token_hash where q.id = r.id;
	perform billing.found_tenant(who, r.email);
	perform auth.finish_sign_in(who, p_token_hash, '{link}', r.language, null, p_ip, p_agent, p_device_hash,
		p_remember);
	return jsonb_build_object('ok', true);
end
$$;

-- Ends every session of the user, and begins none: whoever reads the mailbox has no second factor. The salt is new with
-- each password, so the same call again is told the same.
create or replace function api.reset_password(p_link_hash bytea, p_code text, p_flow_hash bytea, p_salt bytea,
	p_cost int[], p_key bytea) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	f record := auth.find_proof('reset', p_link_hash, p_code, p_flow_hash);
	r auth.requests := f.request;
	link auth.links := f.link;
begin
	if r.token_hash = sha256(p_salt) then
		return jsonb_build_object('ok', true);
	end if;
	perform from auth.users u
	where f.proofs >= 2 and u.id = link.user_id and u.email_canonical = r.email_canonical and u.disabled_at is null
	for no key update;
	if not found then
		return jsonb_build_object('ok', false);
	end if;
	update auth.requests q set used_at = now(), token_hash = sha256(p_salt) where q.id = r.id;
	perform auth.tell_password(link.user_id);
	perform auth.put_password(link.user_id, p_salt, p_cost, sha256(p_key));
	return jsonb_build_object('ok', true);
end
$$;

reset role;
