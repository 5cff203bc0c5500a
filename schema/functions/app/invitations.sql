-- Invitations into a tenant. The link that is mailed proves the invited mailbox, so that nobody else accepts.

set role tollgate_service;

-- Mails the link, a new one each time, which alone is good from then on; within ten minutes once. The mail keeps whose
-- name stands in it ("by"), because the invitation becomes that of whoever sends it again. TG429: too many for the
-- tenant, or of the tenant for this address.
create or replace function app.mail_invitation(i app.invitations, p_language text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	known uuid := auth.find_user(i.email);
	mail_key text := format('invitation:%s:%s:%s', i.id, i.role, floor(extract(epoch from now()) / 600));
begin
	if exists (select from mail.outbox o where o.key = mail_key) then
		return;
	elsif not (auth.allow('invite_tenant', i.tenant_id::text)
			and auth.allow('invite_address', i.tenant_id || ' ' || i.email_canonical)) then
		raise exception 'too many mails' using errcode = 'TG429';
	end if;
	perform auth.ask_link(mail_key, 'invitation', jsonb_build_object('role', 'mail_role_' || i.role,
			'tenant', (select t.name from app.tenants t where t.id = i.tenant_id),
			'inviter', (select p.display_name from app.profiles p where p.user_id = i.user_id), 'by', i.user_id),
		'invitation', i.email, case when known is null then p_language else billing.mail_language(known) end,
		p_rank => auth.rank_stranger());
	perform auth.spend_request(i.request_id);
	update app.invitations w set request_id = (o.data ->> 'request')::uuid, expires_at = now() + interval '168 hours'
	from mail.outbox o where w.id = i.id and o.key = mail_key;
end
$$;

-- Whether it may be accepted: it is open, and who has invited still may invite and give that role, and is not kept out.
create or replace function app.is_open(i app.invitations) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	theirs text := app.role_in(i.tenant_id, i.user_id);
begin
	return i.id is not null and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()
		and app.may(theirs, 'invite') and app.rank_of(theirs) >= app.rank_of(i.role)
		and auth.contacts(array[i.user_id]) <> '[]'
		and exists (select from app.tenants t
			where t.id = i.tenant_id and t.status = 'active' and t.closes_at is null);
end
$$;

-- The one whose newest link this is; else a row of nulls.
create or replace function app.invitation_of(p_link_hash bytea) returns app.invitations
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	i app.invitations;
begin
	select v.* into i from app.invitations v where v.request_id = auth.request_of(p_link_hash, 'invitation');
	return i;
end
$$;

-- The answer to who has accepted: with p_token_hash, the session is renewed, which has a new role (F36).
create or replace function app.accepted_document(p_token_hash bytea, p_ip inet, p_agent text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	return jsonb_build_object('state', 'accepted',
		'max_age', case when p_token_hash is not null then auth.renew_session(p_token_hash, '{}', p_ip, p_agent) end);
end
$$;

-- An open invitation of this tenant, its row locked, or TG404.
create or replace function app.hold_invitation(p_tenant uuid, p_invitation uuid) returns app.invitations
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	i app.invitations;
begin
	select v.* into i from app.invitations v
	where v.id = p_invitation and v.tenant_id = p_tenant and v.accepted_at is null and v.revoked_at is null
	for no key update;
	if i.id is null then
		raise exception 'no such invitation' using errcode = 'TG404';
	end if;
	return i;
end
$$;

reset role;
