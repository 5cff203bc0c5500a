-- The site's operators, as `tollgate admin` names them.

set role tollgate_service;

-- TG404: no such user. "added" is false for one who is an operator already.
create or replace function ops.add_operator(p_email text, p_by text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	who uuid := ops.require_user(p_email);
	added boolean := auth.add_operator(who, p_by);
begin
	if added then
		perform audit.note('operator_added', null, null, who);
	end if;
	return jsonb_build_object('user', who, 'email', auth.address_of(who), 'added', added,
		'factor', auth.has_second(who));
end
$$;

create or replace function ops.remove_operator(p_email text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	who uuid := ops.require_user(p_email);
	removed boolean := auth.remove_operator(who);
begin
	if removed then
		perform audit.note('operator_removed', null, null, who);
	end if;
	return jsonb_build_object('user', who, 'email', auth.address_of(who), 'removed', removed);
end
$$;

create or replace function ops.list_operators() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return auth.list_operators();
end
$$;

reset role;
