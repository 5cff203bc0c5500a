-- Invitations into a tenant. Members whose role may invite make them; the reader of the invited mailbox accepts them.

set role tollgate_service;

-- An address that is invited already keeps its invitation, with this role. TG409: the address is a member's. TG403: the
-- role is above the own one.
create or replace function api.invite(p_tenant uuid, p_email text, p_role text, p_language text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
	mine text := app.enter_team(p_tenant, 'invite');
	address constant text := lower(btrim(p_email));
	i app.invitations;
begin
	if app.rank_of(p_role) = 0 then
		raise exception 'no such role' using errcode = 'TG422';
	elsif app.rank_of(p_role) > app.rank_of(mine) then
		raise exception 'not with this role' using errcode = 'TG403';
	elsif app.role_in(p_tenant, auth.find_user(p_email)) is not null then
		raise exception 'a member already' using errcode = 'TG409';
	end if;
	insert into app.invitations as v (tenant_id, user_id, email, email_canonical, role, expires_at)
	values (p_tenant, me, btrim(p_email), address, p_role, now())
	on conflict (tenant_id, email_canonical) where accepted_at is null and revoked_at is null
		do update set role = excluded.role, user_id = excluded.user_id
		where app.rank_of(v.role) <= app.rank_of(mine)
	returning v.* into i;
	if i.id is null then
		raise exception 'the open invitation has a higher role' using errcode = 'TG403';
	end if;
	perform app.mail_invitation(i, p_language);
	perform audit.note('invited', p_tenant, me, null, jsonb_build_object('invitation', i.id, 'role', p_role));
	return null;
end
$$;

-- The same invitation with a new link and another seven days, by whoever resends it. The earlier link ends.
create or replace function api.invite_again(p_tenant uuid, p_invitation uuid, p_language text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
	mine text := app.enter_team(p_tenant, 'invite');
	i app.invitations := app.hold_invitation(p_tenant, p_invitation);
begin
	if app.rank_of(i.role) > app.rank_of(mine) then
		raise exception 'not with this role' using errcode = 'TG403';
	end if;
	update app.invitations v set user_id = me where v.id = i.id returning v.* into i;
	perform app.mail_invitation(i, p_language);
	perform audit.note('invited_again', p_tenant, me, null, jsonb_build_object('invitation', i.id, 'role', i.role));
	return null;
end
$$;

create or replace function api.revoke_invitation(p_tenant uuid, p_invitation uuid) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
	mine text := app.enter_team(p_tenant, 'invite');
	i app.invitations := app.hold_invitation(p_tenant, p_invitation);
begin
	if app.rank_of(i.role) > app.rank_of(mine) then
		raise exception 'not with this role' using errcode = 'TG403';
	end if;
	update app.invitations v set revoked_at = now() where v.id = i.id;
	perform auth.spend_request(i.request_id);
	perform audit.note('invitation_revoked', p_tenant, me, null,
		jsonb_build_object('invitation', i.id, 'role', i.role));
	return null;
end
$$;

-- What a page shows of an invitation. For GET: reads only. "state" is "gone" when the invitation is over. It is "other"
-- when a user is signed in whose address is not the invited one. Else it is "ready". "known": a user is signed in.
create or replace function api.invitation(p_link_hash bytea) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	i app.invitations := app.invitation_of(p_link_hash);
	me uuid := auth.uid();
begin
	if not app.is_open(i) then
		return '{"state": "gone"}';
	end if;
	return jsonb_build_object('email', i.email, 'role', 'called_' || i.role, 'known', me is not null,
		'state', case when me is distinct from auth.find_user(i.email) and me is not null then 'other' else 'ready' end,
		'as', auth.email(),
		'tenant', (select t.name from app.tenants t where t.id = i.tenant_id),
		'inviter', (select p.display_name from app.profiles p where p.user_id = i.user_id));
end
$$;

-- "state": "accepted"; "mailed" for a visitor, who is a member by now and gets in by the mail that is sent; "gone";
-- "other". Rules are checked again, under the locks of the tenant and the invitation. Where it is accepted and there is
-- a p_token_hash, a session takes the place of this one (auth.renew_session), and "max_age" is its cookie's.
drop function if exists api.accept_invitation(bytea, bytea, text);	-- before p_token_hash
create or replace function api.accept_invitation(p_link_hash bytea, p_flow_hash bytea, p_language text,
	p_token_hash bytea default null, p_ip inet default null, p_agent text default null) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	i app.invitations := app.invitation_of(p_link_hash);
	me uuid := auth.uid();
	is_new boolean;
	who uuid;
begin
	perform from app.tenants t where t.id = i.tenant_id for no key update;
	select v.* into i from app.invitations v where v.id = i.id for no key update;
	if me is not null and i.accepted_by = me and app.role_in(i.tenant_id, me) is not null then
		return app.accepted_document(p_token_hash, p_ip, p_agent);	-- the answer to the first call was lost
	elsif not app.is_open(i) then
		return '{"state": "gone"}';
	elsif me is not null and me is distinct from auth.find_user(i.email) then
		return '{"state": "other"}';
	end if;
	is_new := auth.add_user(i.email);
	who := auth.find_user(i.email);
	perform auth.set_language(who, p_language) where is_new;
	insert into app.members (tenant_id, user_id, role) values (i.tenant_id, who, i.role) on conflict do nothing;
	update app.profiles p set tenant_id = i.tenant_id where p.user_id = who;
	update app.invitations v set accepted_at = now(), accepted_by = who where v.id = i.id;
	if me is null then
		perform auth.ask_link('joined:' || i.id, 'signin', '{"next": "/workspace"}', 'signin', i.email,
			billing.mail_language(who), p_user => who, p_flow => sha256(p_flow_hash), p_next => '/workspace',
			p_known => true);
	end if;
	perform audit.note('invitation_accepted', i.tenant_id, who, who,
		jsonb_build_object('invitation', i.id, 'role', i.role));
	return case when me is null then '{"state": "mailed"}' else app.accepted_document(p_token_hash, p_ip, p_agent) end;
end
$$;

reset role;
