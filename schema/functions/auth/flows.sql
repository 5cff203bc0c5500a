-- Visits to an issuer: from the button here to the way back. authn keeps nothing of them, and derives what it needs a
-- second time (the verifier of PKCE, the nonce) from state and the browser's flow cookie. Here are digests only.

set role tollgate_auth;

create or replace function auth.put_flow(p_provider text, p_state bytea, p_flow bytea, p_user uuid, p_next text,
	p_prefix text, p_language text, p_remember boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	insert into auth.flows (hash, browser, provider, user_id, next, prefix, language, remember)
	values (sha256(p_state), sha256(p_flow), p_provider, p_user, p_next, p_prefix, p_language, p_remember)
	on conflict do nothing;		-- the same call again
end
$$;

-- Begins the visit of a visitor who wants to sign in. TG429: too many from this network.
create or replace function api.begin_flow(p_provider text, p_state bytea, p_flow bytea, p_next text, p_prefix text,
	p_language text, p_remember boolean, p_ip inet) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if not auth.allow_network('flow', p_ip) then
		raise exception 'too many sign-ins' using errcode = 'TG429';
	end if;
	perform auth.put_flow(p_provider, p_state, p_flow, null, p_next, p_prefix, p_language, p_remember);
	return null;
end
$$;

-- Begins the visit of a signed-in user who wants to connect an identity. It needs a fresh proof, so that a stolen
-- session connects none. TG429: too many of this user.
create or replace function api.begin_connection(p_provider text, p_state bytea, p_flow bytea, p_next text,
	p_prefix text, p_language text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_fresh();
begin
	if not auth.allow('flow_near', me::text) then
		raise exception 'too many connections' using errcode = 'TG429';
	end if;
	perform auth.put_flow(p_provider, p_state, p_flow, me, p_next, p_prefix, p_language, false);
	return null;
end
$$;

create or replace function auth.is_young(f auth.flows) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce(f.created_at > now() - interval '10 min', false);
end
$$;

-- Takes a place among those who wait for issuers, of whom each holds a thread. TG503: p_calls others wait already.
create or replace function auth.take_place(f auth.flows, p_calls int) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	place int;
begin
	select a.n into place from auth.asking a
	where a.n <= p_calls and (a.flow is null or a.until < now()) order by a.n limit 1 for update skip locked;
	if place is null then
		raise exception 'the issuers are being asked already' using errcode = 'TG503';
	end if;
	update auth.asking a set flow = f.hash, until = now() + interval '30 s' where a.n = place;
end
$$;

-- Before a visit's issuer is asked for its description. TG503: as above.
create or replace function api.take_place(p_state bytea, p_flow bytea, p_calls int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform auth.take_place(f, p_calls) from auth.flows f
	where f.hash = sha256(p_state) and f.browser = sha256(p_flow);
	return null;
end
$$;

-- Once it has answered, or has not.
create or replace function api.leave_place(p_state bytea, p_flow bytea) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update auth.asking a set flow = null from auth.flows f
	where a.flow = f.hash and f.hash = sha256(p_state) and f.browser = sha256(p_flow);
	return null;
end
$$;

-- Admits the way back of a visit, once: {"next", "prefix", "language", "remember"}. null: this browser has no such
-- flow, or it is over, or its way back has been admitted before. TG503: as auth.take_place(), until the flow is gone.
create or replace function api.open_flow(p_provider text, p_state bytea, p_flow bytea, p_calls int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	f auth.flows;
begin
	select q.* into f from auth.flows q
	where q.hash = sha256(p_state) and q.provider = p_provider and q.browser = sha256(p_flow) for update;
	if not auth.is_young(f) or f.called_at is not null then
		return null;
	end if;
	perform auth.take_place(f, p_calls);
	update auth.flows q set called_at = now() where q.hash = f.hash;
	return jsonb_build_object('next', f.next, 'prefix', f.prefix, 'language', f.language, 'remember', f.remember);
end
$$;

-- Ends a visit that has failed. Nothing has changed by it.
create or replace function api.close_flow(p_state bytea, p_flow bytea) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	delete from auth.flows q where q.hash = sha256(p_state) and q.browser = sha256(p_flow);
	return null;
end
$$;

-- What is wrong with the claims of an ID token, or null. p_nonce null: the issuer gives none (GitHub), and no ID token.
-- Clocks may be a minute apart.
create or replace function auth.claims_fault(p_claims jsonb, p_nonce text) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
	at numeric := extract(epoch from now());
begin
	return case
		when coalesce(octet_length(p_claims ->> 'subject'), 0) not between 1 and 255 then 'sub'
		when p_nonce is null then null
		when p_claims ->> 'nonce' is distinct from p_nonce then 'nonce'
		when coalesce((p_claims ->> 'exp')::numeric, 0) <= at - 60 then 'exp'
		when coalesce((p_claims ->> 'iat')::numeric, 0) not between at - 660 and at + 60 then 'iat'
		when (p_claims ->> 'nbf')::numeric > at + 60 then 'nbf' end;
end
$$;

create or replace function auth.is_known(p_claims jsonb) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return exists (
		select from auth.identities i
		where i.issuer = p_claims ->> 'issuer' and i.subject = p_claims ->> 'subject');
end
$$;

-- Signs in by an identity that an issuer has proven. A known identity signs in its user. A new one makes a user, if its
-- issuer has verified the address and no user has that address. In every other case a link is mailed to the address:
-- whoever opens it in the browser that began connects the identity to the user of that address.
create or replace function auth.sign_in_by(f auth.flows, p_claims jsonb, p_token_hash bytea, p_flow bytea, p_ip inet,
	p_agent text, p_device_hash bytea) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	email text := p_claims ->> 'email';
	who auth.identities;
	made boolean := false;
	request uuid;
begin
	if (p_claims -> 'verified')::boolean then		-- alone, since an expression may run its calls in any order
		made := not auth.is_known(p_claims);
	end if;
	if made then
		made := auth.add_user(email);
	end if;
	if made then
		if not auth.add_identity(auth.find_user(email), p_claims, true) then
			raise exception 'another callback was first' using errcode = '40001';	-- the call is run again
		end if;
		perform auth.make_account(auth.find_user(email), email, p_claims);
	end if;
	-- the user may be that of a callback at the same time, for which add_user() has waited
	update auth.identities i set used_at = now(), label = p_claims ->> 'label', provider = p_claims ->> 'provider',
		account = coalesce(p_claims ->> 'account', i.account)
	where i.issuer = p_claims ->> 'issuer' and i.subject = p_claims ->> 'subject' returning i.* into who;
	if who.id is not null then
		perform from auth.users u where u.id = who.user_id and u.disabled_at is null for no key update;
		if not found then
			return '{"ok": false, "why": "disabled"}';
		end if;
		return auth.accept_proof(who.user_id, p_token_hash, '{identity}', f.next, f.language, null, p_ip, p_agent,
			p_device_hash, f.remember);
	elsif email is null then
		return '{"ok": false, "why": "address"}';
	end if;
	request := auth.ask_proof('connect', email, p_flow, f.language, p_ip, p_device_hash,
		jsonb_build_object('provider', p_claims ->> 'label', 'known_as', p_claims ->> 'account'));
	update auth.requests r set next = f.next where r.id = request;
	insert into auth.pending_identities (request_id, claims) select request, p_claims where request is not null;
	return jsonb_build_object('ok', true, 'mailed', email);
end
$$;

-- Judges a visit by what the issuer has proven (p_claims), and deletes its flow. {"ok": true} with "second", "mailed"
-- or "connected", or {"ok": false, "why"}. An error leaves the flow to api.close_flow(). A call that has begun a
-- session can be repeated when its answer was lost.
create or replace function api.finish_flow(p_provider text, p_state bytea, p_flow bytea, p_claims jsonb, p_nonce text,
	p_token_hash bytea, p_ip inet, p_agent text, p_device_hash bytea) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	f auth.flows;
	fault text;
begin
	if exists (select from auth.tokens t where t.hash = p_token_hash)
			or exists (select from auth.pending p where p.hash = p_token_hash) then
		return auth.proof_answer(p_token_hash, null);
	end if;
	delete from auth.flows q
	where q.hash = sha256(p_state) and q.provider = p_provider and q.browser = sha256(p_flow)
	returning q.* into f;
	fault := case when not auth.is_young(f) or f.called_at is null then 'flow'
		else auth.claims_fault(p_claims, p_nonce) end;
	if fault is null and f.user_id is not null then
		perform auth.lock_user(f.user_id);
		fault := case when auth.uid() is distinct from f.user_id then 'session'
			when not auth.add_identity(f.user_id, p_claims, false) then 'taken' end;
		return jsonb_build_object('ok', fault is null, 'why', fault, 'connected', fault is null);
	elsif fault is not null then
		return jsonb_build_object('ok', false, 'why', fault);
	end if;
	return auth.sign_in_by(f, p_claims, p_token_hash, p_flow, p_ip, p_agent, p_device_hash);
end
$$;

reset role;
