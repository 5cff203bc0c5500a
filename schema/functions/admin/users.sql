-- Users as an operator sees them, and what an operator does to one. Each function begins with auth.require_operator().

set role tollgate_service;

-- One page of a list, of rows of which one more than a page was asked for: {"rows", "after"}. after: the last row's id,
-- where there are more.
create or replace function ops.page_of(p_rows jsonb, p_size int) returns jsonb
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
	more boolean := jsonb_array_length(p_rows) > p_size;
	shown jsonb := case when more then p_rows - p_size else p_rows end;
begin
	return jsonb_build_object('rows', shown, 'after', case when more then shown #> '{-1,id}' end);
end
$$;

-- Users by id, or by a part of the address or name; '' finds all.
create or replace function api.admin_users(p_text text, p_after uuid default null) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_operator();
begin
	return ops.page_of(auth.search_users(btrim(p_text), p_after, 51), 50);
end
$$;

-- The newest 20 mails to this address: what they are about, and what became of them, but not what stands in them.
create or replace function ops.mails_to(p_email text) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('template', m.template, 'state', 'mail_' || m.state,
			'at', api.date_document(coalesce(m.sent_at, m.created_at))) order by m.created_at desc, m.id), '[]')
		from (
			select o.* from mail.outbox o where lower(o.recipient) = lower(p_email)
			order by o.created_at desc, o.id limit 20) m);
end
$$;

-- The newest 20 rows of the log that a user has caused, or that are about the user alone.
create or replace function ops.entries_of(p_user uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('n', e.n, 'at', api.date_document(e.at),
			'clock', to_char(e.at at time zone 'UTC', 'HH24:MI:SS "UTC"'), 'label', 'audit_' || e.kind,
			'tenant', e.tenant_id, 'by', case when e.user_id <> p_user then auth.address_of(e.user_id) end,
			'nobody', e.user_id is null,
			'whom', case when e.subject_id <> p_user then auth.address_of(e.subject_id) end) order by e.n desc), '[]')
		from (
			(select a.* from audit.entries a where a.subject_id = p_user and a.tenant_id is null
				order by a.n desc limit 20)
			union
			(select a.* from audit.entries a where a.user_id = p_user order by a.n desc limit 20)
			order by n desc limit 20) e);
end
$$;

-- Notes that an operator has looked at a tenant, or else at a user: once an hour, so that the log stays readable.
create or replace function ops.note_look(p_kind text, p_tenant uuid, p_user uuid, p_subject uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if not exists (
			select from audit.entries e
			where e.user_id = p_user and e.kind = p_kind and e.tenant_id is not distinct from p_tenant
				and e.subject_id is not distinct from p_subject and e.at > now() - interval '1 hour') then
		perform audit.note(p_kind, p_tenant, p_user, p_subject);
	end if;
end
$$;

-- Noted in the log, unless it is the operator's own. TG404: no such user.
create or replace function api.admin_user(p_user uuid) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_operator();
	who jsonb := auth.user_record(p_user);
begin
	if who is null then
		raise exception 'no such user' using errcode = 'TG404';
	elsif p_user <> me then
		perform ops.note_look('user_viewed', null, me, p_user);
	end if;
	return who || jsonb_build_object('me', p_user = me, 'mails', ops.mails_to(who ->> 'email'),
		'entries', ops.entries_of(p_user),
		'deleted', (select api.date_document(d.until) from app.deletions d where d.user_id = p_user),
		'tenants', (
			select coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'role', 'called_' || m.role)
				order by m.created_at, t.id), '[]')
			from app.members m join app.tenants t on t.id = m.tenant_id where m.user_id = p_user),
		'offers', (
			select coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name) order by o.created_at, t.id), '[]')
			from app.offers o join app.tenants t on t.id = o.tenant_id
			where o.user_id = p_user and o.accepted_at is null));
end
$$;

-- For what is done to another user. TG404: no such user. TG409: oneself.
create or replace function ops.enter_user(p_user uuid) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_operator();
begin
	if p_user = me then
		raise exception 'oneself' using errcode = 'TG409';
	elsif auth.address_of(p_user) is null then
		raise exception 'no such user' using errcode = 'TG404';
	end if;
	return me;
end
$$;

-- A reason that people can read later; TG422 for none, or one of more than 500 characters.
create or replace function ops.clean_reason(p_reason text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
	given text := btrim(regexp_replace(p_reason, '[[:cntrl:][:space:]]+', ' ', 'g'));
begin
	if char_length(coalesce(given, '')) not between 1 and 500 then
		raise exception 'no such reason' using errcode = 'TG422';
	end if;
	return given;
end
$$;

-- The same call again does nothing.
create or replace function api.suspend_user(p_user uuid, p_reason text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := ops.enter_user(p_user);
	made uuid := auth.suspend_user(p_user, me, ops.clean_reason(p_reason));
begin
	if made is not null then
		perform audit.note('user_suspended', null, me, p_user, jsonb_build_object('suspension', made));
	end if;
	return jsonb_build_object('done', made is not null);
end
$$;

create or replace function api.lift_suspension(p_user uuid) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := ops.enter_user(p_user);
	done boolean := auth.lift_suspension(p_user, me);
begin
	if done then
		perform audit.note('suspension_lifted', null, me, p_user);
	end if;
	return jsonb_build_object('done', done);
end
$$;

-- Ends all sessions of a user, who may sign in again.
create or replace function api.sign_out_user(p_user uuid) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := ops.enter_user(p_user);
	ended bigint;
begin
	perform auth.lock_user(p_user);
	ended := auth.end_sessions(p_user);
	if ended > 0 then
		perform audit.note('user_signed_out', null, me, p_user, jsonb_build_object('sessions', ended));
	end if;
	return jsonb_build_object('done', ended > 0);
end
$$;

reset role;
