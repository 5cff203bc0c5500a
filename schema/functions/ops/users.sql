-- A user as the operator sees and helps one. None of it signs anybody in: a link goes to the user's mailbox only.

set role tollgate_service;

-- Null when the address is no user's.
create or replace function ops.show_user(p_email text) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	who jsonb := auth.user_document(auth.find_user(p_email));
begin
	return who || jsonb_build_object(
		'tenants', (select coalesce(jsonb_agg(m.tenant_id || ' (' || m.role || ')' order by m.tenant_id), '[]')
			from app.members m where m.user_id = (who ->> 'id')::uuid),
		'offered', (select coalesce(jsonb_agg(o.tenant_id order by o.tenant_id), '[]')
			from app.offers o where o.user_id = (who ->> 'id')::uuid and o.accepted_at is null),
		'deleted_at', (select d.until from app.deletions d where d.user_id = (who ->> 'id')::uuid));
end
$$;

create or replace function ops.require_user(p_email text) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	who uuid := auth.find_user(p_email);
begin
	if who is null then
		raise exception 'no such user' using errcode = 'TG404';
	end if;
	return who;
end
$$;

-- Both addresses are told, so that nobody loses a mailbox unnoticed. TG409: the new address is another user's.
create or replace function ops.change_address(p_email text, p_new text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	who uuid := ops.require_user(p_email);
	was text := auth.address_of(who);
begin
	perform auth.change_address(who, p_new);
	insert into app.address_changes (user_id, was, email, done_at) values (who, was, btrim(p_new), now());
	insert into mail.outbox (key, recipient, template, language, data)
	select concat_ws(':', 'address', gen_random_uuid()), r.recipient, 'address', billing.mail_language(who),
		jsonb_build_object('was', was, 'new', btrim(p_new))
	from unnest(array[was, btrim(p_new)]) r (recipient);
	perform audit.note('address_changed', null, null, who);
	return jsonb_build_object('user', who, 'was', was, 'email', btrim(p_new));
end
$$;

-- A link to sign in, as if the user had asked for it.
create or replace function ops.send_link(p_email text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	who uuid := ops.require_user(p_email);
begin
	perform auth.ask_link('signin:' || gen_random_uuid(), 'signin', '{"next": "/workspace"}', 'signin',
		auth.address_of(who), billing.mail_language(who), p_user => who, p_next => '/workspace', p_known => true);
	return jsonb_build_object('user', who, 'to', auth.address_of(who));
end
$$;

create or replace function ops.end_sessions(p_email text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	who uuid := ops.require_user(p_email);
	ended bigint := auth.end_sessions(who);
begin
	if ended > 0 then
		perform audit.note('user_signed_out', null, null, who, jsonb_build_object('sessions', ended));
	end if;
	return jsonb_build_object('ended', ended);
end
$$;

-- For `tollgate check --live`.
create or replace function ops.fits_seed_key(p_key text) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return to_jsonb(auth.fits_seed_key(p_key));
end
$$;

-- For `tollgate factors rotate`: auth.rotate_seeds().
create or replace function ops.rotate_seeds(p_key text, p_after uuid, p_most int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	return auth.rotate_seeds(p_key, p_after, p_most);
end
$$;

-- For who has lost the device, the recovery codes and the passkeys.
create or replace function ops.remove_factor(p_email text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	return jsonb_build_object('removed', auth.remove_seconds(ops.require_user(p_email)));
end
$$;

-- As api.delete_user(), for a user who asks the operator.
create or replace function ops.delete_user(p_email text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	return app.request_deletion(ops.require_user(p_email), null);
end
$$;

-- TG409: no deletion of this user is under way.
create or replace function ops.keep_user(p_email text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	who uuid := ops.require_user(p_email);
begin
	if not app.is_leaving(who) then
		raise exception 'no deletion' using errcode = 'TG409';
	end if;
	perform app.undo_deletion(who, null);
	return jsonb_build_object('user', who, 'kept', true);
end
$$;

reset role;
