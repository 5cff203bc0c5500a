-- Whether a program and this database belong together.

set role tollgate_service;

-- Called first on every connection. TG403: the program is configured for another environment, or the database cannot
-- hold every text. TG503: it needs a newer
-- schema. An older program is admitted: what it uses stays until it is gone.
create or replace function api.admit(p_environment text, p_migration text) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	s meta.stamp;
begin
	select t.* into s from meta.stamp t;
	if s.environment <> p_environment then
		raise exception 'this database is stamped "%", and site.environment is "%"', s.environment, p_environment
			using errcode = 'TG403';
	elsif current_setting('server_encoding') <> 'UTF8' then
		raise exception 'this database has encoding %, and must have UTF8', current_setting('server_encoding')
			using errcode = 'TG403';
	elsif s.migrated_to is null or s.migrated_to < p_migration collate "C" then
		raise exception 'this database is migrated to %, and this program needs %: run tollgate migrate',
			coalesce(s.migrated_to, 'nothing'), p_migration using errcode = 'TG503';
	end if;
end
$$;

-- Null when the account is this database's; else the one that is. p_learn: if none is recorded, record this one.
create or replace function service.match_account(p_account text, p_learn boolean) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if p_learn then
		update meta.stamp t set account = p_account where t.account is null;
	end if;
	return (select to_jsonb(t.account) from meta.stamp t where t.account <> p_account);
end
$$;

reset role;
