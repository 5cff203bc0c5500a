-- What a user is called.

set role tollgate_owner;

create or replace function api.profile() returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
	me record := auth.require_session();
begin
	return (
		select jsonb_build_object('id', me.user_id, 'email', me.email, 'display_name', p.display_name,
			'initials', app.initials_of(p.display_name), 'avatar_url', p.avatar_url)
		from app.profiles p where p.user_id = me.user_id);
end
$$;

reset role;

set role tollgate_service;

-- TG422: no name of 3 to 32 characters.
create or replace function api.name_user(p_name text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
	given text := app.clean_name(p_name, 3, 32);
begin
	update app.profiles p set display_name = given where p.user_id = me and p.display_name <> given;
	if found then
		perform audit.note('profile_changed', null, me, me);
	end if;
	return null;
end
$$;

reset role;
