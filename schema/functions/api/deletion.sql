-- A user's deletion of the own account.

set role tollgate_service;

-- {"email", "until": of the deletion that is under way, "hold": tenants to hand over first, "closes": the names of
-- those that close with the account, "closing": [{"name", "at"}...] of those that close with another one}
create or replace function api.account_page() returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
begin
	return jsonb_build_object('email', auth.address_of(me), 'hold', app.tenants_to_hand_over(me, false),
		'until', (select api.date_document(d.until) from app.deletions d
			where d.user_id = me and d.done_at is null),
		'closes', (
			select coalesce(jsonb_agg(jsonb_build_object('name', t.name) order by t.name, t.id), '[]')
			from app.tenants t where t.id = any (app.closing_tenants(me, false)) and t.name is not null),
		'closing', (
			select coalesce(jsonb_agg(jsonb_build_object('name', t.name, 'at', api.date_document(t.closes_at))
				order by t.closes_at, t.id), '[]')
			from app.members m join app.tenants t on t.id = m.tenant_id
			where m.user_id = me and t.status = 'active' and t.closes_at is not null
				and t.id <> all (app.closing_tenants(me, false))));
end
$$;

-- As app.request_deletion(). p_confirm: the address that the user has typed; null: a program asks. TG422: it is
-- another.
create or replace function api.delete_user(p_confirm text default null) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_fresh();
begin
	if lower(btrim(p_confirm)) <> lower(auth.address_of(me)) then
		raise exception 'not the address' using errcode = 'TG422';
	end if;
	return app.request_deletion(me, me);
end
$$;

create or replace function api.keep_user() returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
begin
	perform app.undo_deletion(me, me);
	return null;
end
$$;

reset role;
