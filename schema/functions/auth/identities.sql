-- Identities that other parties vouch for. Only authn brings claims, and proves no more than that the issuer has made
-- them: what they mean here is decided here. They are one document: provider, label, issuer, subject, account, email,
-- verified, name, picture, and of an ID token nonce, exp, iat, nbf.

set role tollgate_auth;

-- Gives a new user's profile the name and the picture that the issuer tells. A name that is none here is left out.
create or replace function auth.name_profile(p_user uuid, p_claims jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update app.profiles p set avatar_url = p_claims ->> 'picture'
	where p.user_id = p_user and p_claims ->> 'picture' ~ '^https://[!-~]+$' and length(p_claims ->> 'picture') <= 2000;
	begin
		update app.profiles p set display_name = app.clean_name(left(btrim(p_claims ->> 'name'), 32), 3, 32)
		where p.user_id = p_user;
	exception when sqlstate 'TG422' then
		null;
	end;
end
$$;

-- Gives the user an identity, and tells the user of it by mail, unless it has made the user (p_vouches). False: it is
-- another user's, who keeps it.
create or replace function auth.add_identity(p_user uuid, p_claims jsonb, p_vouches boolean) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	insert into auth.identities (user_id, provider, label, issuer, subject, account, vouches)
	values (p_user, p_claims ->> 'provider', p_claims ->> 'label', p_claims ->> 'issuer', p_claims ->> 'subject',
		p_claims ->> 'account', p_vouches)
	on conflict (issuer, subject) do nothing;
	if found and not p_vouches then
		perform auth.tell(p_user, 'identity:' || gen_random_uuid(), 'safety_connected',
			jsonb_build_object('provider', p_claims ->> 'label', 'known_as', p_claims ->> 'account',
			'date', api.date_document(now())));
	end if;
	return exists (
		select from auth.identities i
		where i.issuer = p_claims ->> 'issuer' and i.subject = p_claims ->> 'subject' and i.user_id = p_user);
end
$$;

-- Gives a new user, whose address is proven, a profile and a tenant, as a registration does.
create or replace function auth.make_account(p_user uuid, p_email text, p_claims jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform auth.name_profile(p_user, p_claims);
	perform billing.found_tenant(p_user, p_email);
	perform audit.note('registered', null, p_user, p_user);
end
$$;

-- Gives the user the identity that has waited for the link of this request, if there is one.
create or replace function auth.take_identity(p_user uuid, p_request uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform auth.add_identity(p_user, w.claims, false) from auth.pending_identities w where w.request_id = p_request;
	delete from auth.pending_identities w where w.request_id = p_request;
end
$$;

-- Uses a mailed link or code: the user of that mailbox, who is made if there is none, signs in. In the browser that
-- began, the identity that waited is the user's from then on, and once a second factor is proven too where there is
-- one. In another browser it is dropped: whoever reads the mail need not be who has the account elsewhere.
create or replace function api.connect_by_link(p_link_hash bytea, p_code text, p_flow_hash bytea, p_token_hash bytea,
	p_ip inet, p_agent text, p_device_hash bytea) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	f record := auth.find_link('connect', p_link_hash, p_code, p_flow_hash);
	r auth.requests := f.request;
	verdict jsonb;
	who uuid;
begin
	if r.token_hash = p_token_hash then
		return auth.proof_answer(p_token_hash, r.next);
	end if;
	verdict := api.check_proof('connect', p_link_hash, p_code, p_flow_hash);
	if not (verdict ->> 'ok')::boolean then
		return verdict;
	end if;
	update auth.requests q set used_at = now(), token_hash = p_token_hash where q.id = r.id;
	delete from auth.pending_identities w where w.request_id = r.id and not (verdict ->> 'own')::boolean;
	if auth.add_user(r.email) then
		who := auth.find_user(r.email);
		perform auth.make_account(who, r.email, coalesce((
			select w.claims from auth.pending_identities w where w.request_id = r.id), '{}'));
	else
		select u.id into who from auth.users u
		where u.email_canonical = r.email_canonical and u.disabled_at is null for no key update;
	end if;
	if who is null then
		return '{"ok": false}';
	end if;
	verdict := auth.accept_proof(who, p_token_hash, '{link}', r.next, r.language, null, p_ip, p_agent, p_device_hash,
		false);
	if verdict ? 'second' then
		update auth.pending p set connects = r.id where p.hash = p_token_hash;
	else
		perform auth.take_identity(who, r.id);
	end if;
	return verdict;
end
$$;

create or replace function api.connections_page() returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_fresh();
begin
	return jsonb_build_object('identities', (
		select coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'provider', i.provider, 'label', i.label,
			'account', i.account, 'created', api.date_document(i.created_at), 'used', api.date_document(i.used_at))
			order by i.created_at, i.id), '[]')
		from auth.identities i where i.user_id = me));
end
$$;

-- Whether the user can get in without this identity or passkey: by a mailed link too, once the mailbox was proven. An
-- identity that another one was connected to says nothing of the mailbox, since the former may be gone. The caller has
-- the user's row, so that of two ways one stays.
create or replace function auth.has_way_beside(p_user uuid, p_gone uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return exists (select from auth.identities i where i.user_id = p_user and i.id <> p_gone)
		or exists (select from auth.passwords w where w.user_id = p_user)
		or exists (select from auth.passkeys k where k.user_id = p_user and k.id <> p_gone)
		or exists (select from auth.sessions s where s.user_id = p_user and s.amr && '{link,code}');
end
$$;

-- TG404: it is none of the user's. TG409: it is the last way in.
create or replace function api.disconnect(p_identity uuid) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_fresh();
	gone auth.identities;
begin
	perform auth.lock_user(me);
	select i.* into gone from auth.identities i where i.id = p_identity and i.user_id = me for update;
	if gone.id is null then
		raise exception 'no such identity' using errcode = 'TG404';
	elsif not auth.has_way_beside(me, gone.id) then
		raise exception 'the last way in' using errcode = 'TG409';
	end if;
	perform auth.tell(me, 'identity:' || gen_random_uuid(), 'safety_disconnected',
		jsonb_build_object('provider', gone.label, 'known_as', gone.account,
			'date', api.date_document(now())));
	delete from auth.identities i where i.id = gone.id;
	return null;
end
$$;

reset role;
