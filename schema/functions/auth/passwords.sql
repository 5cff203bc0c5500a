-- Passwords. A program stretches what was typed to K, with the salt and cost that it is told, and sends K: the verdict
-- is here. No function makes a session of a user's id. Whatever the address, the same statements run and the same is
-- answered until K is right.

set role tollgate_auth;

-- The wait after so many wrong passwords in a row: none for the first p_free, then 1 s, 2 s, 4 s... up to p_most.
create or replace function auth.wait_after(p_failed int, p_free int, p_most interval) returns interval
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return case when p_failed < p_free then interval '0'
		else least(interval '1 s' * 2 ^ least(p_failed - p_free, 30), p_most) end;
end
$$;

-- Counts a try, as if it will fail: of tries at the same time each is counted before its password is known. TG429 with
-- the seconds left in the detail when the subject must wait, and then nothing is counted. p_kind: the limit that says
-- how many are free and how long the longest wait is. A day without a try starts anew.
create or replace function auth.count_try(p_kind text, p_subject text, p_strict boolean default false) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	digest bytea := sha256(convert_to(p_kind || ':' || p_subject, 'UTF8'));
	free int;
	most interval;
	later timestamptz;
begin
	select case when p_strict then 1 else l.allowed end, l.per into strict free, most
	from auth.limits l where l.kind = p_kind;
	insert into auth.tries as t (subject, failed, last_at, until)
	values (digest, 1, now(), now() + auth.wait_after(1, free, most))
	on conflict (subject) do update set
		failed = case when t.last_at < now() - interval '24 hours' then 1 else t.failed + 1 end,
		last_at = now(),
		until = now() + auth.wait_after(
			case when t.last_at < now() - interval '24 hours' then 1 else t.failed + 1 end, free, most)
	where t.until <= now() or t.until > now() + most + interval '1 min';	-- written while the clock was wrong
	if not found then
		select t.until into later from auth.tries t where t.subject = digest;
		raise exception 'too many wrong passwords' using errcode = 'TG429',
			detail = greatest(1, ceil(extract(epoch from later - now())))::int::text;
	end if;
end
$$;

-- Takes back what count_try has counted: the try did not fail.
create or replace function auth.take_back_try(p_kind text, p_subject text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update auth.tries t set failed = greatest(0, t.failed - 1), until = least(t.until, now())
	where t.subject = sha256(convert_to(p_kind || ':' || p_subject, 'UTF8'));
end
$$;

create or replace function auth.forget_tries(p_kind text, p_subject text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	delete from auth.tries t where t.subject = sha256(convert_to(p_kind || ':' || p_subject, 'UTF8'));
end
$$;

-- Whose tries are counted together, for an address: a device that has signed in by it, else a network.
create or replace function auth.asker_of(p_email text, p_ip inet, p_device bytea) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return case
		when exists (select from auth.devices d where d.hash = p_device) then 'device ' || encode(p_device, 'hex')
		else concat_ws(' ', lower(btrim(p_email)), auth.network_of(p_ip, 24, 56)) end;
end
$$;

-- What strangers try for an address is counted for all of them too, and above the allowance of all strangers everywhere
-- each waits after the first wrong password. A device that has signed in is not held up by either.
create or replace function auth.allow_try(p_email text, p_ip inet, p_device bytea, out wait int)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	asker text := auth.asker_of(p_email, p_ip, p_device);
	is_known boolean := asker like 'device %';
begin
	perform auth.count_try('password_tries', asker, not is_known and not auth.allow('password_global', ''));
	if not is_known then
		perform auth.count_try('password_address', lower(btrim(p_email)));
	end if;
exception when sqlstate 'TG429' then	-- undoes what was counted
	get stacked diagnostics wait = pg_exception_detail;
end
$$;

-- The salt and cost to stretch a password with: {"salt", "cost"}, or {"wait": seconds}. TG429: the network's allowance
-- is spent. An address without a password has a salt too, of the pepper, and the cost of new ones (p_cost).
create or replace function api.begin_password(p_email text, p_cost int[], p_ip inet, p_device_hash bytea) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	address text := lower(btrim(p_email));
	wait int;
	made bytea := (select sha256(p.bytes || convert_to(address, 'UTF8')) from auth.pepper p);
	own record;
begin
	if not auth.allow_network('password', p_ip) then
		raise exception 'too many passwords' using errcode = 'TG429';
	end if;
	wait := auth.allow_try(p_email, p_ip, auth.device_of(p_device_hash, p_email));
	if wait is not null then
		return jsonb_build_object('wait', wait);
	end if;
	select p.salt, p.cost into own from auth.users u join auth.passwords p on p.user_id = u.id
	where u.email_canonical = address and u.disabled_at is null;
	return jsonb_build_object('salt', encode(coalesce(own.salt, made), 'hex'),
		'cost', to_jsonb(coalesce(own.cost, p_cost)));
end
$$;

-- Before a password is stretched that nobody waits for yet. TG429: the network's allowance is spent.
create or replace function api.begin_registration(p_ip inet) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if not auth.allow_network('password', p_ip) then
		raise exception 'too many passwords' using errcode = 'TG429';
	end if;
	return null;
end
$$;

-- The user whose password K is, locked; null: none. A K that is wrong locks nothing, which would tell users apart.
create or replace function auth.match_password(p_email text, p_key bytea) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	who uuid;
	stored bytea;
begin
	select u.id, p.stored_key into who, stored from auth.users u left join auth.passwords p on p.user_id = u.id
	where u.email_canonical = lower(btrim(p_email));
	if stored is distinct from sha256(p_key) then
		return null;
	end if;
	perform from auth.users u where u.id = who and u.disabled_at is null for no key update;
	return (select p.user_id from auth.passwords p where found and p.user_id = who and p.stored_key = stored);
end
$$;

-- A password that is right ends the count of wrong ones of who sent it. The same call again, whose answer was lost, is
-- told the same.
create or replace function api.sign_in_password(p_email text, p_key bytea, p_token_hash bytea, p_next text,
	p_language text, p_ip inet, p_agent text, p_device_hash bytea, p_remember boolean) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	who uuid := auth.match_password(p_email, p_key);
	device bytea := auth.device_of(p_device_hash, p_email);
begin
	if who is null then
		return jsonb_build_object('ok', false);
	elsif exists (select from auth.tokens t where t.hash = p_token_hash)
			or exists (select from auth.pending p where p.hash = p_token_hash) then
		return auth.proof_answer(p_token_hash, p_next);
	end if;
	perform auth.forget_tries('password_tries', auth.asker_of(p_email, p_ip, device));
	perform auth.take_back_try('password_address', lower(btrim(p_email)))
	where auth.asker_of(p_email, p_ip, device) not like 'device %';
	return auth.accept_proof(who, p_token_hash, '{password}', p_next, p_language, null, p_ip, p_agent, p_device_hash,
		p_remember);
end
$$;

create or replace function auth.put_password(p_user uuid, p_salt bytea, p_cost int[], p_stored bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	insert into auth.passwords as p (user_id, salt, cost, stored_key) values (p_user, p_salt, p_cost, p_stored)
	on conflict (user_id) do update set salt = excluded.salt, cost = excluded.cost, stored_key = excluded.stored_key,
		changed_at = now();
end
$$;

-- The same password stretched anew, because new ones cost otherwise. Needs the K that is right now.
create or replace function api.upgrade_password(p_email text, p_key bytea, p_salt bytea, p_cost int[], p_new_key bytea)
	returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	who uuid := auth.match_password(p_email, p_key);
begin
	update auth.passwords p set salt = p_salt, cost = p_cost, stored_key = sha256(p_new_key) where p.user_id = who;
	return null;
end
$$;

-- The session's user proves again who it is: as api.begin_password(), with tries counted for the user.
create or replace function api.begin_confirm(p_cost int[]) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me record := auth.require_session();
	wait int;
	own auth.passwords;
begin
	begin
		perform auth.count_try('password_tries', 'user ' || me.user_id);
	exception when sqlstate 'TG429' then
		get stacked diagnostics wait = pg_exception_detail;
		return jsonb_build_object('wait', wait);
	end;
	select p.* into own from auth.passwords p where p.user_id = me.user_id;
	return jsonb_build_object('cost', to_jsonb(coalesce(own.cost, p_cost)), 'salt',
		encode(coalesce(own.salt, sha256(convert_to(me.user_id::text, 'UTF8'))), 'hex'));
end
$$;

-- {"ok", "max_age"}: a session takes the place of this one (auth.renew_session). A caller that lost the answer may ask
-- again. For who has a second factor a password is not enough.
create or replace function api.confirm_password(p_key bytea, p_token_hash bytea, p_ip inet, p_agent text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me record := auth.require_session();
begin
	if auth.has_factor(me.user_id) or auth.match_password(me.email, p_key) is distinct from me.user_id then
		return '{"ok": false}';
	elsif not exists (select from auth.tokens t where t.hash = p_token_hash) then
		perform auth.forget_tries('password_tries', 'user ' || me.user_id);
		perform auth.renew_session(p_token_hash, '{password}', p_ip, p_agent);
	end if;
	return auth.renewal_answer(p_token_hash);
end
$$;

-- For who has just proved who it is (TG40C). The sessions of other browsers end. The salt is new with each password, so
-- the same call again does nothing.
create or replace function api.change_password(p_salt bytea, p_cost int[], p_key bytea) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_fresh();
begin
	perform from auth.users u where u.id = me for no key update;
	if not exists (select from auth.passwords p where p.user_id = me and p.salt = p_salt) then
		perform auth.tell_password(me, auth.session_id());
		perform auth.put_password(me, p_salt, p_cost, sha256(p_key));
	end if;
	return null;
end
$$;

-- The user has none then, and sets a new one by mail.
create or replace function auth.drop_password(p_user uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	delete from auth.passwords p where p.user_id = p_user;
end
$$;

-- Ends the user's sessions, all but one or all, and tells the user by mail.
create or replace function auth.tell_password(p_user uuid, p_but uuid default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform auth.revoke_sessions(p_user, 'password', p_but);
	perform auth.tell(p_user, 'password:' || gen_random_uuid(), 'safety_password',
		jsonb_build_object('date', api.date_document(now())));
end
$$;

reset role;
