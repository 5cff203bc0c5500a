-- A user's change of the own address: the new mailbox is proven first, and the earlier one can undo it for seven days.

set role tollgate_service;

-- {"email", "asked": a new address whose link was mailed and is not used yet}
create or replace function api.address_page() returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
begin
	return jsonb_build_object('email', auth.address_of(me), 'asked', (
		select c.email from app.address_changes c
		where c.user_id = me and c.done_at is null and c.undone_at is null
			and c.created_at > now() - interval '24 hours'));
end
$$;

-- Mails a link to the new address, which proves it. An address of another user gets no mail, and neither does one that
-- strangers have asked for too often; the answer is the same. The newest link ends those before it. TG40C: the proof of
-- the session is too old. TG422: the address is the user's own. TG429: the user has asked too often.
create or replace function api.ask_address(p_email text, p_flow_hash bytea, p_language text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_fresh();
	change uuid := gen_random_uuid();
	mail_key text := 'new_address:' || change;
begin
	if auth.find_user(p_email) = me then
		raise exception 'the own address' using errcode = 'TG422';
	elsif not auth.allow('address_change', me::text) then
		raise exception 'too many mails' using errcode = 'TG429';
	end if;
	perform auth.spend_request(c.proof_id) from app.address_changes c where c.user_id = me and c.done_at is null;
	delete from app.address_changes c where c.user_id = me and c.done_at is null;
	if not auth.allow('link_stranger', lower(btrim(p_email))) then
		return null;
	end if;
	perform auth.ask_link(mail_key, 'new_address', '{}', 'address', p_email, p_language, p_user => me,
		p_flow => sha256(p_flow_hash), p_rank => auth.rank_stranger());
	insert into app.address_changes (id, user_id, was, email, proof_id)
	select change, me, auth.address_of(me), btrim(p_email), (o.data ->> 'request')::uuid
	from mail.outbox o where o.key = mail_key;
	return null;
end
$$;

-- For GET: reads only. p_purpose: address or undo. "state": "gone", "ready" in the browser that asked, "code_needed".
create or replace function api.address_link(p_link_hash bytea, p_flow_hash bytea, p_purpose text) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce((
		select jsonb_build_object('state', case s.said ->> 'state' when 'usable' then 'ready'
			when 'unusable' then 'gone' else s.said ->> 'state' end, 'was', c.was, 'email', c.email)
		from app.address_changes c cross join api.proof_state(p_purpose, p_link_hash, p_flow_hash) s (said)
		where auth.request_of(p_link_hash, p_purpose) = case p_purpose when 'undo' then c.undo_id else c.proof_id end),
		'{"state": "gone"}');
end
$$;

-- Tells the earlier address, with the link that undoes the change.
create or replace function app.mail_undo(c app.address_changes) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform auth.ask_link('undo_address:' || c.id, 'address_changed', jsonb_build_object('was', c.was, 'new', c.email),
		'undo', c.was, billing.mail_language(c.user_id));
	update app.address_changes w set undo_id = (o.data ->> 'request')::uuid
	from mail.outbox o where w.id = c.id and o.key = 'undo_address:' || c.id;
end
$$;

-- Changes the address that the link proves: {"ok", "attempts_left"}. attempts_left is null when the link is over.
-- TG422: the address has become another user's.
create or replace function api.take_address(p_link_hash bytea, p_code text, p_flow_hash bytea) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	taken record;
	c app.address_changes;
begin
	perform auth.lock_user(v.user_id) from app.address_changes v
	where v.proof_id = auth.request_of(p_link_hash, 'address');
	taken := auth.take_link(p_link_hash, p_code, p_flow_hash, 'address');
	if taken.request is null then
		return jsonb_build_object('ok', false, 'attempts_left', taken.attempts_left);
	end if;
	select v.* into c from app.address_changes v where v.proof_id = taken.request for no key update;
	if auth.find_user(c.email) is not null then
		raise exception 'the address is another user''s' using errcode = 'TG422';
	end if;
	update app.address_changes v set was = auth.address_of(c.user_id), done_at = now() where v.id = c.id
	returning v.* into c;
	perform auth.change_address(c.user_id, c.email), app.mail_undo(c);
	perform audit.note('address_changed', null, c.user_id, c.user_id);
	return '{"ok": true}';
end
$$;

-- By the code in the mail to the earlier address: scanners of mail press buttons. Ends all sessions, all changes that
-- came later, and what whoever changed the address may know or have added since: the password and a second factor.
-- {"ok", "attempts_left", "taken"}. taken: the earlier address is another user's by now, so the user keeps the new one.
create or replace function api.undo_address(p_link_hash bytea, p_code text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	taken record;
	c app.address_changes;
	is_taken boolean;
begin
	perform auth.lock_user(v.user_id) from app.address_changes v where v.undo_id = auth.request_of(p_link_hash, 'undo');
	taken := auth.take_link(p_link_hash, p_code, null, 'undo');
	if taken.request is null then
		return jsonb_build_object('ok', false, 'attempts_left', taken.attempts_left);
	end if;
	select v.* into c from app.address_changes v where v.undo_id = taken.request for no key update;
	is_taken := coalesce(auth.find_user(c.was), c.user_id) <> c.user_id;
	perform auth.revoke_sessions(c.user_id, 'address');
	perform auth.change_address(c.user_id, c.was) where not is_taken;
	perform auth.drop_password(c.user_id), auth.drop_factor_since(c.user_id, c.created_at);
	perform auth.spend_request(v.proof_id), auth.spend_request(v.undo_id)
	from app.address_changes v where v.user_id = c.user_id and v.created_at >= c.created_at;
	update app.address_changes v set undone_at = now()
	where v.user_id = c.user_id and v.created_at >= c.created_at and v.undone_at is null;
	perform audit.note('address_undone', null, c.user_id, c.user_id);
	return jsonb_build_object('ok', true, 'taken', is_taken);
end
$$;

reset role;
